"""Searching several catalogues at once, for programs."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalogue_client.sources.queries import query_from
from catalogue_client.sources.searching import Answer, keep_pace, search, sources_named
from catalogue_client.sources.serializers import AnswersSerializer, SearchRequest
from common.errors import InvalidInput
from people.authentication import signed_in
from people.models import Scope

_LISTS = ("sources", "collections", "ids")


class CatalogueSearch(APIView):
    """Every source answers for itself: its records, or its error; none waits for another."""

    # A search changes nothing, whatever its method: a key that may read may search.
    scope = Scope.READ

    @extend_schema(parameters=[SearchRequest], responses=AnswersSerializer)
    def get(self, request: Request) -> Response:
        """Search; lists are separated by commas, `cursors` and `filters` need POST."""
        return self._answer(request, _of_address(request.query_params))

    @extend_schema(request=SearchRequest, responses=AnswersSerializer)
    def post(self, request: Request) -> Response:
        """Search with everything that a search may ask.

        What a source cannot do is done by the portal on its page and told in `warnings`. `next`
        continues a source: send it in `cursors` with the same search.
        """
        if not isinstance(request.data, dict):
            raise InvalidInput("A search is a JSON object.")
        return self._answer(request, dict(request.data))

    def _answer(self, request: Request, asked: dict[str, Any]) -> Response:
        user = signed_in(request)
        slugs, cursors = asked.pop("sources", ["portal"]), asked.pop("cursors", {})
        if not _texts(slugs) or not slugs:
            raise InvalidInput("Sources are a list of short names.", locator="sources")
        if not isinstance(cursors, dict) or not _texts(list(cursors.values())):
            raise InvalidInput("Cursors are source → text.", locator="cursors")
        query = query_from(asked)
        sources = sources_named(user, slugs)
        keep_pace(user, len(sources))
        given = {slug: text for slug, text in cursors.items() if text}
        answers: list[Answer] = search(user, sources, query, cursors=given)
        return Response(AnswersSerializer({"results": answers}).data)


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


def _of_address(given: QueryDict) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for name, value in given.items():
        if name in _LISTS:
            asked[name] = [one for one in str(value).split(",") if one]
        elif name == "bbox":
            try:
                asked[name] = [float(one) for one in str(value).split(",")]
            except ValueError:
                raise InvalidInput("A box is four numbers.", locator="bbox") from None
        elif name == "limit":
            if not (str(value).isascii() and str(value).isdigit()) or len(str(value)) > 9:  # noqa: PLR2004
                raise InvalidInput("A page has at least one entry.", locator="limit")
            asked[name] = int(str(value))
        else:
            asked[name] = str(value)
    return asked
