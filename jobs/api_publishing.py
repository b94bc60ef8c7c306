"""Results in catalogues elsewhere, for programs: targets, and what of a job is at each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from catalogue_client.models import Publication, PublishTarget, TargetKind, Visibility
from catalogue_client.publishing.publications import of_item
from catalogue_client.publishing.targets import delete_target, save_target, usable_targets
from common.errors import NotFound
from jobs import publication_work
from jobs.access import job_for
from jobs.publication_work import entry_of
from people.access import is_operator
from people.authentication import signed_in
from people.models import Group

MOST_ID = 2**63 - 1  # of the databases


class TargetSerializer(serializers.ModelSerializer[PublishTarget]):
    """A target as its users see it."""

    class Meta:
        model = PublishTarget
        fields: tuple[str, ...] = ("id", "name", "kind", "collection", "enabled")


class TargetSettingsSerializer(TargetSerializer):
    """A target as operators see it; its secret is never shown."""

    visibilities = serializers.ListField(child=serializers.CharField(), read_only=True)
    providers = serializers.ListField(child=serializers.CharField(), read_only=True)
    groups = serializers.SlugRelatedField[Group](many=True, read_only=True, slug_field="slug")
    has_secret = serializers.BooleanField(source="secret", read_only=True)

    class Meta(TargetSerializer.Meta):
        fields = (
            *TargetSerializer.Meta.fields, "url", "username", "has_secret", "automatic",
            "visibilities", "providers", "groups", "last_success_at", "last_error",
        )  # fmt: skip


class TargetChangeRequest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, required=False)
    kind = serializers.ChoiceField(choices=TargetKind.choices, required=False)
    url = serializers.CharField(max_length=500, required=False)
    collection = serializers.CharField(max_length=100, required=False, allow_blank=True)
    username = serializers.CharField(max_length=200, required=False, allow_blank=True)
    secret = serializers.CharField(
        max_length=10_000, required=False, allow_blank=True, trim_whitespace=False
    )
    automatic = serializers.BooleanField(required=False)
    visibilities = serializers.MultipleChoiceField(choices=Visibility.choices, required=False)
    providers = serializers.ListField(child=serializers.SlugField(), required=False)
    enabled = serializers.BooleanField(required=False)
    groups = serializers.SlugRelatedField[Group](
        many=True, slug_field="slug", queryset=Group.objects.all(), required=False
    )


class TargetRequest(TargetChangeRequest):
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=500)


class PublicationSerializer(serializers.ModelSerializer[Publication]):
    """A job's result at a target: whether it is `wanted` there, and how far that is."""

    target = serializers.IntegerField(source="target_id")
    target_name = serializers.CharField(source="target.name")

    class Meta:
        model = Publication
        fields = (
            "target", "target_name", "wanted", "automatic", "state", "revision", "attempts",
            "next_try_at", "last_error", "created_at", "updated_at",
        )  # fmt: skip


class PublicationRequest(serializers.Serializer[Any]):
    target = serializers.IntegerField(min_value=1, max_value=MOST_ID, help_text="id of the target")


class JobEntryRequest(serializers.Serializer[Any]):
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    group = serializers.SlugField(required=False, default="", allow_blank=True)


class JobEntrySerializer(serializers.Serializer[Any]):
    """A job's entry in the portal's own catalogue."""

    collection = serializers.CharField(source="collection.identifier")
    identifier = serializers.CharField()
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    group = serializers.CharField(source="group.slug", default=None)
    revision = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


class Targets(ListAPIView[PublishTarget]):
    """The catalogues elsewhere to which you may publish results of your own."""

    serializer_class = TargetSerializer

    def get_queryset(self) -> QuerySet[PublishTarget]:
        return usable_targets(signed_in(self.request))

    @extend_schema(request=TargetRequest, responses={201: TargetSettingsSerializer})
    def post(self, request: Request) -> Response:
        """Set up a target; for operators."""
        saved = _saved(request, PublishTarget(), TargetRequest(data=request.data))
        headers = {"Location": reverse("api:publish-target", args=[saved.pk], request=request)}
        return Response(TargetSettingsSerializer(saved).data, status=201, headers=headers)


class TargetDetail(APIView):
    """One target with its settings; for operators."""

    @extend_schema(responses=TargetSettingsSerializer)
    def get(self, request: Request, target_id: int) -> Response:
        """How it is set up, and how it went last."""
        return Response(TargetSettingsSerializer(_target(request, target_id)).data)

    @extend_schema(request=TargetChangeRequest, responses=TargetSettingsSerializer)
    def patch(self, request: Request, target_id: int) -> Response:
        """Change it. At another origin user and secret are forgotten, unless given again."""
        found = _target(request, target_id)
        saved = _saved(request, found, TargetChangeRequest(data=request.data))
        return Response(TargetSettingsSerializer(saved).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, target_id: int) -> Response:
        """Forget a target where nothing is published any more."""
        delete_target(actor=signed_in(request), target=_target(request, target_id))
        return Response(status=204)


class JobPublications(ListAPIView[Publication]):
    """The job's result at every target that it was ever meant for; for who manages the job."""

    serializer_class = PublicationSerializer

    def get_queryset(self) -> QuerySet[Publication]:
        job = job_for(signed_in(self.request), self.kwargs["job_id"], "manage")
        return of_item(entry_of(job))

    @extend_schema(request=PublicationRequest, responses={202: PublicationSerializer})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Publish at a target; the work is done soon, `state` says how far it is."""
        body = PublicationRequest(data=request.data)
        body.is_valid(raise_exception=True)
        return _done(request, job_id, body.validated_data["target"], "publish")


class JobPublication(APIView):
    @extend_schema(responses=PublicationSerializer)
    def get(self, request: Request, job_id: UUID, target_id: int) -> Response:
        """How far it is at one target."""
        return Response(PublicationSerializer(_publication(request, job_id, target_id)).data)

    @extend_schema(responses={202: PublicationSerializer})
    def delete(self, request: Request, job_id: UUID, target_id: int) -> Response:
        """Withdraw the result there; the portal's own catalogue keeps it."""
        return _done(request, job_id, target_id, "withdraw")


class JobPublicationRetry(APIView):
    @extend_schema(request=None, responses={202: PublicationSerializer})
    def post(self, request: Request, job_id: UUID, target_id: int) -> Response:
        """Try at once what failed, or waits for its next try."""
        return _done(request, job_id, target_id, "retry")


class JobEntry(APIView):
    @extend_schema(responses=JobEntrySerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        """The job's entry in the catalogue, and who sees it; for who manages the job."""
        job = job_for(signed_in(request), job_id, "manage")
        return Response(JobEntrySerializer(entry_of(job)).data)

    @extend_schema(request=JobEntryRequest, responses=JobEntrySerializer)
    def put(self, request: Request, job_id: UUID) -> Response:
        """Let others see the entry and read its files, or no more."""
        user = signed_in(request)
        job = job_for(user, job_id, "manage")
        body = JobEntryRequest(data=request.data)
        body.is_valid(raise_exception=True)
        publication_work.show(actor=user, job=job, **body.validated_data)
        return Response(JobEntrySerializer(entry_of(job)).data)


def _target(request: Request, target_id: int) -> PublishTarget:
    found = PublishTarget.objects.filter(pk=target_id).first()
    if found is None or not is_operator(signed_in(request)):
        raise NotFound
    return found


def _saved(
    request: Request, target: PublishTarget, body: serializers.Serializer[Any]
) -> PublishTarget:
    body.is_valid(raise_exception=True)
    changes = dict(body.validated_data)
    groups = changes.pop("groups", None)
    if "visibilities" in changes:
        changes["visibilities"] = sorted(changes["visibilities"])
    return save_target(actor=signed_in(request), target=target, changes=changes, groups=groups)


def _done(request: Request, job_id: UUID, target_id: int, action: str) -> Response:
    user = signed_in(request)
    job = job_for(user, job_id, "manage")
    publication_work.act(actor=user, job=job, target_id=target_id, action=action)
    row = _publication(request, job_id, target_id)
    return Response(PublicationSerializer(row).data, status=202)


def _publication(request: Request, job_id: UUID, target_id: int) -> Publication:
    job = job_for(signed_in(request), job_id, "manage")
    found = of_item(entry_of(job)).filter(target_id=target_id).first()
    if found is None:
        raise NotFound
    return found
