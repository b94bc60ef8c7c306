"""What spans several packages in the REST API: its root, prices, downloads."""

from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from jobs.access import output_for
from jobs.downloads import download
from people.authentication import signed_in

LISTS = (
    "services",
    "quotes",
    "jobs",
    "accounts",
    "top-ups",
    "disputes",
    "adjustments",
    "holds",
    "usage-records",
    "usage-overview",
    "usage-messages",
    "usage-quarantine",
    "usage-missing",
    "usage-months",
    "usage-names",
    "usage-sources",
    "providers",
    "catalogue-search",
    "sources",
    "packages",
    "prices",
    "applications",
    "groups",
    "api-keys",
    "schema",
    "docs",
)


class Root(APIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Where everything is."""
        return Response({name: reverse(f"api:{name}", request=request) for name in LISTS})


# --- downloads -----------------------------------------------------------------------------


class OutputContent(APIView):
    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, job_id: UUID, number: int) -> HttpResponseBase:
        """The bytes of an output, streamed from its provider; `Range` works where it can."""
        found = output_for(signed_in(request), job_id, number)
        return download(request._request, found, to_file=True)
