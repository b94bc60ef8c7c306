"""A provider's settings, approval, certificate and changes, for its owner and operators."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from people.authentication import signed_in
from providers import certificates, services
from providers.access import provider_for
from providers.changes import changes_of
from providers.models import Provider, ProviderChange
from providers.serializers import (
    ProviderChangeRequest,
    ProviderDetailSerializer,
    ProviderSerializer,
)
from providers.watch_serializers import (
    ApprovalRequest,
    CertificateActivation,
    CertificateRequest,
    CertificateSerializer,
    ProviderChangeSerializer,
)


class ProviderDetail(APIView):
    @extend_schema(responses=ProviderDetailSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """One of your providers, with its settings."""
        found = provider_for(signed_in(request), slug, "view")
        return Response(ProviderDetailSerializer(found).data)

    @extend_schema(request=ProviderChangeRequest, responses=ProviderDetailSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change settings. Another host has to be approved again, and needs its own password."""
        user = signed_in(request)
        found = provider_for(user, slug, "manage")
        body = ProviderChangeRequest(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = services.update_provider(actor=user, provider=found, **body.validated_data)
        return Response(ProviderDetailSerializer(changed).data)


class Approval(APIView):
    @extend_schema(request=ApprovalRequest, responses=ProviderSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Let the provider's services be run; for operators. The owner is told by mail."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        services.approve_provider(actor=user, provider=provider, note=_note(request))
        return Response(ProviderSerializer(provider_for(user, slug, "view")).data)


class Suspension(APIView):
    @extend_schema(request=ApprovalRequest, responses=ProviderSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Let nothing new be run at the provider; for operators. The owner is told by mail."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        services.suspend_provider(actor=user, provider=provider, note=_note(request))
        return Response(ProviderSerializer(provider_for(user, slug, "view")).data)


class Changes(ListAPIView[ProviderChange]):
    """Who changed what of the registration, newest first; secrets only by name."""

    serializer_class = ProviderChangeSerializer

    def get_queryset(self) -> QuerySet[ProviderChange]:
        return changes_of(provider_for(signed_in(self.request), self.kwargs["slug"], "view"))


class Certificate(APIView):
    """The certificate that is accepted, and the one that waits to be activated."""

    @extend_schema(responses=CertificateSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """SHA-256 of both; "" for none."""
        return _certificate(provider_for(signed_in(request), slug, "view"))

    @extend_schema(request=CertificateRequest, responses=CertificateSerializer)
    def put(self, request: Request, slug: str) -> Response:
        """Give a certificate, or have the server's present one read; it is pending until activated.

        Without `certificate` the server is asked.
        """
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        body = CertificateRequest(data=request.data)
        body.is_valid(raise_exception=True)
        text = body.validated_data["certificate"]
        if text:
            return _certificate(certificates.give(actor=user, provider=provider, text=text))
        return _certificate(certificates.see(actor=user, provider=provider))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Accept any valid certificate again, and forget the pending one."""
        user = signed_in(request)
        provider = certificates.discard(actor=user, provider=provider_for(user, slug, "manage"))
        certificates.unpin(actor=user, provider=provider)
        return Response(status=204)


class CertificateActivated(APIView):
    @extend_schema(request=CertificateActivation, responses=CertificateSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Accept the pending certificate and no other; `fingerprint` says which you compared."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        body = CertificateActivation(data=request.data)
        body.is_valid(raise_exception=True)
        fingerprint = body.validated_data["fingerprint"]
        return _certificate(
            certificates.activate(actor=user, provider=provider, fingerprint=fingerprint)
        )


def _note(request: Request) -> str:
    body = ApprovalRequest(data=request.data)
    body.is_valid(raise_exception=True)
    return str(body.validated_data["note"])


def _certificate(provider: Provider) -> Response:
    return Response(CertificateSerializer(provider).data)
