"""Entries in viewers, for programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalogue_client.access import item_for
from catalogue_client.models import Item, Viewer, ViewState
from catalogue_client.viewers.access import usable_viewers, viewer_for
from catalogue_client.viewers.selectors import View, shown_by, views_of
from jobs import viewing
from people.authentication import signed_in
from people.models import User


class ViewerSerializer(serializers.ModelSerializer[Viewer]):
    """A tool elsewhere in which results can be seen."""

    media_types = serializers.SerializerMethodField(help_text="of the files that it shows")

    class Meta:
        model = Viewer
        fields = ("code", "label", "media_types")

    def get_media_types(self, viewer: Viewer) -> list[str]:
        return sorted(shown_by(viewer))


class ViewSerializer(serializers.Serializer[Any]):
    """A file of an entry and a viewer: `url` opens it there; without one it may be sent."""

    viewer = serializers.CharField(source="viewer.code")
    label = serializers.CharField(source="viewer.label")  # type: ignore[assignment]
    asset = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(
        choices=[("", "not sent"), *ViewState.choices], help_text="empty: it was never sent"
    )
    url = serializers.CharField()
    error = serializers.CharField()
    may_send = serializers.BooleanField()


class ViewsSerializer(serializers.Serializer[Any]):
    results = ViewSerializer(many=True)


class ViewRequest(serializers.Serializer[Any]):
    viewer = serializers.SlugField(help_text="code of the viewer")
    asset = serializers.CharField(max_length=300, help_text="the file, as the STAC item names it")


class Viewers(ListAPIView[Viewer]):
    """The viewers that you may use."""

    serializer_class = ViewerSerializer

    def get_queryset(self) -> QuerySet[Viewer]:
        return usable_viewers(signed_in(self.request))


class EntryViews(APIView):
    @extend_schema(responses=ViewsSerializer)
    def get(self, request: Request, collection: str, identifier: str) -> Response:
        """Every file of an entry with every viewer that shows it, or could."""
        user = signed_in(request)
        found = _views(user, item_for(user, collection, identifier))
        return Response(ViewsSerializer({"results": found}).data)

    @extend_schema(request=ViewRequest, responses={200: ViewSerializer, 202: ViewSerializer})
    def post(self, request: Request, collection: str, identifier: str) -> Response:
        """Have a file shown in a viewer: 202 while it is on its way (ask again for `url`), 200 when
        it can be seen. Asking again sends nothing twice."""
        user = signed_in(request)
        item = item_for(user, collection, identifier)
        body = ViewRequest(data=request.data)
        body.is_valid(raise_exception=True)
        viewer, asset = (
            viewer_for(user, body.validated_data["viewer"]),
            body.validated_data["asset"],
        )
        viewing.ask(actor=user, viewer=viewer, item=item, asset=asset)
        found = next(
            one for one in _views(user, item) if (one.viewer, one.asset) == (viewer, asset)
        )
        return Response(ViewSerializer(found).data, status=200 if found.url else 202)


def _views(user: User, item: Item) -> list[View]:
    return views_of(user, [item]).get(item.pk, [])
