"""Fields that several packages' APIs share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common import money
from common.errors import InvalidInput


@extend_schema_field({"type": "string", "format": "decimal", "examples": ["12.50"]})
class CreditsField(serializers.Field[int, Any, str, Any]):
    """Credits as a decimal string outside ("12.50"), integer micro-credits inside."""

    def __init__(self, *, least: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = least

    def to_representation(self, value: int) -> str:
        return money.show(value)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            raise serializers.ValidationError('Give credits as a text, such as "12.50".')
        try:
            amount = money.micro(str(data))
        except InvalidInput as error:
            raise serializers.ValidationError(error.detail) from None
        if self.least is not None and amount < self.least:
            raise serializers.ValidationError(f"At least {money.show(self.least)} credits.")
        return amount
