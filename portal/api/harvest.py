"""Where the records of a provider come from: set up, steered and watched by who manages it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from catalogue_client.harvesting import selectors, services, steering, tokens
from catalogue_client.harvesting.serializers import (
    HarvestApprovalRequest,
    HarvestChangeRequest,
    HarvestDecisionRequest,
    HarvestFaultSerializer,
    HarvestLookRequest,
    HarvestPreviewSerializer,
    HarvestRequest,
    HarvestRunRequest,
    HarvestRunSerializer,
    HarvestSourceSerializer,
    HarvestTokenSerializer,
)
from catalogue_client.models import HarvestFault, HarvestRun, HarvestSource, HarvestState
from common.errors import NotFound
from jobs import harvest_work
from people.access import group_for
from people.authentication import signed_in
from people.models import User
from providers.access import may_manage, provider_for
from providers.models import Provider


class ProviderHarvest(ListAPIView[HarvestSource]):
    """Where the records of a provider come from."""

    serializer_class = HarvestSourceSerializer

    def get_queryset(self) -> QuerySet[HarvestSource]:
        found = provider_for(signed_in(self.request), self.kwargs["slug"], "view")
        return selectors.sources_of(found.pk)

    @extend_schema(request=HarvestRequest, responses={201: HarvestSourceSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Have a catalogue read, found out by looking; or with kind `push` take what is sent."""
        user = signed_in(request)
        found = provider_for(user, slug, "manage")
        said = _valid(HarvestRequest, request)
        made = services.register(actor=user, centre=_centre(found), **_grouped(user, said))
        if made.pulled:
            harvest_work.soon(made.pk)
        place = reverse("api:harvest-source", args=[made.pk], request=request)
        return Response(_shown(user, made.pk), status=201, headers={"Location": place})


class ProviderHarvestPreview(APIView):
    @extend_schema(request=HarvestLookRequest, responses=HarvestPreviewSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """What the first records at an address would become; nothing is written."""
        user = signed_in(request)
        found = provider_for(user, slug, "manage")
        said = _valid(HarvestLookRequest, request)
        _detected, preview = services.look(actor=user, centre=_centre(found), **said)
        return Response(HarvestPreviewSerializer(preview).data)


class HarvestDetail(APIView):
    @extend_schema(responses=HarvestSourceSerializer)
    def get(self, request: Request, source_id: int) -> Response:
        """One source, and how it is."""
        return Response(_shown(signed_in(request), source_id))

    @extend_schema(request=HarvestChangeRequest, responses=HarvestSourceSerializer)
    def patch(self, request: Request, source_id: int) -> Response:
        """Change it; another address is read from its beginning. `state` pauses it or goes on."""
        user = signed_in(request)
        found = _managed(user, source_id)
        said = _valid(HarvestChangeRequest, request)
        state = said.pop("state", None)
        if said:
            services.update(actor=user, source=found, **_grouped(user, said))
        if state is not None:
            steering.switch(source=found, on=state == HarvestState.ACTIVE)
            if state == HarvestState.ACTIVE and found.pulled:
                harvest_work.soon(found.pk)
        return Response(_shown(user, source_id))

    @extend_schema(responses={202: HarvestSourceSerializer})
    def delete(self, request: Request, source_id: int) -> Response:
        """Forget it, and take its records out of the catalogue as soon as a worker is free."""
        user = signed_in(request)
        steering.leave(source=_managed(user, source_id))
        harvest_work.soon(source_id)
        return Response(_shown(user, source_id), status=202)


class HarvestPreview(APIView):
    @extend_schema(request=None, responses=HarvestPreviewSerializer)
    def post(self, request: Request, source_id: int) -> Response:
        """What its first records would become now; nothing is written."""
        user = signed_in(request)
        preview = services.preview(actor=user, source=_managed(user, source_id))
        return Response(HarvestPreviewSerializer(preview).data)


class HarvestRuns(ListAPIView[HarvestRun]):
    """The runs of a source, the latest first."""

    serializer_class = HarvestRunSerializer

    def get_queryset(self) -> QuerySet[HarvestRun]:
        found = _managed(signed_in(self.request), self.kwargs["source_id"])
        return HarvestRun.objects.filter(source=found)

    @extend_schema(request=HarvestRunRequest, responses={202: HarvestSourceSerializer})
    def post(self, request: Request, source_id: int) -> Response:
        """Have it read as soon as a worker is free."""
        user = signed_in(request)
        found = _managed(user, source_id)
        steering.want_run(source=found, **_valid(HarvestRunRequest, request))
        harvest_work.soon(found.pk)
        return Response(_shown(user, source_id), status=202)


class HarvestRunDetail(APIView):
    @extend_schema(responses=HarvestRunSerializer)
    def get(self, request: Request, source_id: int, run_id: int) -> Response:
        """One run."""
        found = _run_of(signed_in(request), source_id, run_id)
        return Response(HarvestRunSerializer(found).data)


class HarvestFaults(ListAPIView[HarvestFault]):
    """The records that a run could not take in, and why; 200 are kept."""

    serializer_class = HarvestFaultSerializer

    def get_queryset(self) -> QuerySet[HarvestFault]:
        place = self.kwargs
        found = _run_of(signed_in(self.request), place["source_id"], place["run_id"])
        return HarvestFault.objects.filter(run=found)


class HarvestDecision(APIView):
    @extend_schema(request=HarvestDecisionRequest, responses=HarvestSourceSerializer)
    def post(self, request: Request, source_id: int) -> Response:
        """Whether what a full pass did not find is taken away."""
        user = signed_in(request)
        said = _valid(HarvestDecisionRequest, request)
        steering.decide(source=_managed(user, source_id), confirmed=said["remove"])
        harvest_work.soon(source_id)
        return Response(_shown(user, source_id))


class HarvestApproval(APIView):
    @extend_schema(request=HarvestApprovalRequest, responses=HarvestSourceSerializer)
    def post(self, request: Request, source_id: int) -> Response:
        """Vouch for its address, or no more; for operators."""
        user = signed_in(request)
        found = _managed(user, source_id)
        steering.approve(actor=user, source=found, **_valid(HarvestApprovalRequest, request))
        return Response(_shown(user, source_id))


class HarvestToken(APIView):
    @extend_schema(request=None, responses={201: HarvestTokenSerializer})
    def post(self, request: Request, source_id: int) -> Response:
        """A new token to send records with; the one before opens no more."""
        token = tokens.renew(_managed(signed_in(request), source_id))
        return Response({"token": token}, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, source_id: int) -> Response:
        """No token opens it any more."""
        tokens.revoke(_managed(signed_in(request), source_id))
        return Response(status=204)


def _managed(user: User, source_id: int) -> HarvestSource:
    """The source, if the user manages its provider. Raises NotFound."""
    found = HarvestSource.objects.select_related("collection", "owner").filter(pk=source_id).first()
    provider = Provider.objects.filter(pk=found.provider_id).first() if found else None
    if found is None or provider is None or not may_manage(user, provider):
        raise NotFound
    return found


def _run_of(user: User, source_id: int, run_id: int) -> HarvestRun:
    found = HarvestRun.objects.filter(source=_managed(user, source_id), pk=run_id).first()
    if found is None:
        raise NotFound
    return found


def _shown(user: User, source_id: int) -> Any:
    found = _managed(user, source_id)
    return HarvestSourceSerializer(selectors.sources_of(found.provider_id).get(pk=source_id)).data


def _centre(found: Provider) -> services.Centre:
    return services.Centre(found.pk, found.slug, found.name)


def _valid(form: Any, request: Request) -> dict[str, Any]:
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    said: dict[str, Any] = body.validated_data
    return said


def _grouped(user: User, said: dict[str, Any]) -> dict[str, Any]:
    """The group by its short name, if one is given."""
    if not said.get("group"):
        return said
    return {**said, "group": group_for(user, said["group"], "view")}
