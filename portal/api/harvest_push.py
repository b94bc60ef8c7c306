"""Records that a centre sends with the token of a source."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalogue_client.harvesting import pushing, tokens
from catalogue_client.harvesting.bodies import JSON, MOST_BYTES, XML, records_in
from catalogue_client.harvesting.serializers import HarvestOutcomeSerializer
from catalogue_client.models import HarvestSource
from common.errors import Forbidden, NotAuthenticated, Unprocessable
from common.parsers import RawParser
from jobs.harvest_work import is_served

CHALLENGE = 'Bearer realm="TEP Portal"'


class RecordsParser(RawParser):
    most = MOST_BYTES


class HarvestTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token of a source>`; nobody is signed in by it."""

    def authenticate(self, request: Request) -> tuple[None, HarvestSource] | None:
        """The source as `request.auth`. Raises NotAuthenticated for what opens none."""
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if not scheme:
            return None
        found = tokens.source_of(text.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise _challenge("The token is not valid.")
        return None, found

    def authenticate_header(self, request: Request) -> str:
        del request
        return CHALLENGE


class OpensThisSource(BasePermission):
    """The token is of the source at the address, whose provider is approved."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        source = request.auth
        if not isinstance(source, HarvestSource):
            raise _challenge("Send the source's token: Authorization: Bearer <token>.")
        if source.pk != view.kwargs["source_id"]:
            raise Forbidden("This token is of another source.")
        if not is_served(source):
            raise Forbidden("The provider is not approved.")
        return True


class HarvestRecords(APIView):
    authentication_classes = (HarvestTokenAuthentication,)
    permission_classes = (OpensThisSource,)
    parser_classes = (RecordsParser,)

    @extend_schema(
        request=dict.fromkeys(sorted(JSON | XML), OpenApiTypes.BINARY),
        responses={
            201: HarvestOutcomeSerializer,
            200: OpenApiResponse(HarvestOutcomeSerializer, "nothing was new"),
            409: OpenApiResponse(description="the source is paused"),
            415: OpenApiResponse(description="not a form of records"),
            422: OpenApiResponse(description="none of the records could be taken; `errors`"),
        },
    )
    def post(self, request: Request, source_id: int) -> Response:
        """Register records: a STAC item or ItemCollection, an OWS Context (GeoJSON or Atom),
        ISO 19139, csw:Record or oai_dc; at most 1,000 and 10 MB.

        What is there under its id and collection is changed; the same once more changes nothing.
        """
        del source_id
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        if media_type not in JSON | XML:
            raise UnsupportedMediaType(media_type[:100] or "–")
        body = cast("bytes", request.data)
        outcome = pushing.take(_source(request), records_in(body, media_type))
        said: dict[str, Any] = HarvestOutcomeSerializer(outcome).data
        if not outcome.added + outcome.updated + outcome.unchanged:
            raise Unprocessable("None of the records could be taken.", errors=said["errors"])
        return Response(said, status=201 if outcome.added else 200)


class HarvestRecord(APIView):
    authentication_classes = (HarvestTokenAuthentication,)
    permission_classes = (OpensThisSource,)

    @extend_schema(
        parameters=[OpenApiParameter("collection", str, description="of the record there")],
        responses={204: None},
    )
    def delete(self, request: Request, source_id: int, record: str) -> Response:
        """Take a record out of the catalogue, by its id there. Once more is no error."""
        del source_id
        pushing.withdraw(_source(request), record, request.query_params.get("collection"))
        return Response(status=204)


def _challenge(text: str) -> NotAuthenticated:
    """No password helps here, nor an API key."""
    error = NotAuthenticated(text)
    error.challenge = CHALLENGE
    return error


def _source(request: Request) -> HarvestSource:
    return cast("HarvestSource", request.auth)
