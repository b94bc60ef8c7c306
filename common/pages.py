"""Paging shared by every API."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


class ListPagination(PageNumberPagination):
    """Pages of `limit` entries (at most 200): `count`, `next`, `previous`, `results`.

    The neighbours are also in a Link header (RFC 8288), for clients that follow those.
    """

    page_size_query_param = "limit"
    max_page_size = 200

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        document = super().get_paginated_response_schema(schema)
        for neighbour in ("next", "previous"):  # as OpenAPI 3.1 says it
            document["properties"][neighbour] = {"type": ["string", "null"], "format": "uri"}
        return document

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        links = {"next": self.get_next_link(), "prev": self.get_previous_link()}
        if header := ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items() if url):
            response["Link"] = header
        return response
