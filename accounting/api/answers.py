"""What the REST API answers to an act that is done once per Idempotency-Key."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounting.inputs import came_again

_AGAIN = _(
    "The key was sent before with the same body: nothing is done; the resource as it is now."
)


def once(serializer: type[BaseSerializer[Any]]) -> dict[int, Any]:
    """Responses in the description of the API: 201 when made, 200 when the key came again."""
    return {201: serializer, 200: OpenApiResponse(serializer, description=str(_AGAIN))}


def made(row: Model, serializer: type[BaseSerializer[Any]]) -> Response:
    """The resource that was made by this request, or earlier by the same key."""
    return Response(serializer(row).data, status=200 if came_again(row) else 201)
