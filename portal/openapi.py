"""What the OpenAPI document says that the views do not know themselves."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes ApiKeyAuthentication."""

    target_class = "people.authentication.ApiKeyAuthentication"
    name = ["apiKey", "basic"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key of your profile."},
            {
                "type": "http",
                "scheme": "basic",
                "description": "Your user name, and an API key or your password.",
            },
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either of them is enough."""
        return [{name: []} for name in self.name]


class HarvestTokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes HarvestTokenAuthentication."""

    target_class = "portal.api.harvest_push.HarvestTokenAuthentication"
    name = "harvestToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "The token of a harvest source."}
