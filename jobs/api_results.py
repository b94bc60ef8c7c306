"""Results for programs: copies, everything in one archive, live events, who signs callbacks."""

from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import copies
from jobs.access import job_for, output_for
from jobs.callbacks import secret_of
from jobs.downloads import download_archive
from jobs.live import stream
from jobs.models import JobOutput
from jobs.serializers import OutputSerializer, SecretSerializer
from people.authentication import signed_in
from people.models import Scope


class OutputCopy(APIView):
    scope = Scope.RUN.value

    @extend_schema(request=None, responses={202: OutputSerializer})
    def post(self, request: Request, job_id: UUID, number: int) -> Response:
        """Have the portal keep a copy of its own; `copied` of the output says when it has."""
        user = signed_in(request)
        output = _managed(request, job_id, number)
        copies.ask(actor=user, output=output)
        return Response(self._shown(request, job_id, number), status=202)

    @extend_schema(responses=OutputSerializer)
    def delete(self, request: Request, job_id: UUID, number: int) -> Response:
        """Delete the portal's copy."""
        copies.remove(actor=signed_in(request), output=_managed(request, job_id, number))
        return Response(self._shown(request, job_id, number))

    def _shown(self, request: Request, job_id: UUID, number: int) -> object:
        output = output_for(signed_in(request), job_id, number)
        return OutputSerializer(output, context={"request": request}).data


class JobArchive(APIView):
    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        """All outputs in one ZIP file, with a manifest of where they come from."""
        return download_archive(job_for(signed_in(request), job_id, "view"))


class _AsItIs(BaseContentNegotiation):
    """The answer has one form, whatever the client says that it accepts."""

    def select_renderer(self, request, renderers, format_suffix=None):  # type: ignore[no-untyped-def]
        return renderers[0], renderers[0].media_type

    def select_parser(self, request, parsers):  # type: ignore[no-untyped-def]
        return parsers[0]


class JobStream(APIView):
    content_negotiation_class = _AsItIs

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Last-Event-ID", int, OpenApiParameter.HEADER, description="the last one seen"
            ),
            OpenApiParameter("after", int, description="the same, for who cannot send headers"),
        ],
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        """What happens to the job, as server-sent events; 503 when too many are watching."""
        user = signed_in(request)
        return stream(request._request, job_for(user, job_id, "view"), user)


class CallbackSecret(APIView):
    scope = Scope.MANAGE.value

    @extend_schema(request=None, responses=SecretSerializer)
    def post(self, request: Request) -> Response:
        """The secret by which your receivers recognise the portal; with a key of scope manage."""
        return Response({"secret": secret_of(signed_in(request))})


def _managed(request: Request, job_id: UUID, number: int) -> JobOutput:
    user = signed_in(request)
    job_for(user, job_id, "manage")
    return output_for(user, job_id, number)
