"""Providers: the console's pages and its REST API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from common.clock import now
from providers.models import MaintenanceWindow
from tests.permissions.scene import (
    NOWHERE,
    Row,
    Scene,
    door,
    for_provider,
    offered,
    page,
    provider,
)

FINGERPRINT = "ab" * 32


def window(scene: Scene) -> dict[str, Any]:
    """A window that is open; made for this request, and undone with it."""
    found, _ = MaintenanceWindow.objects.get_or_create(
        provider=scene.provider,
        created_by=scene.provider_owner,
        defaults={"starts_at": now(), "ends_at": now() + timedelta(hours=1)},
    )
    return {**provider(scene), "window_id": found.pk}


def first_version(scene: Scene) -> dict[str, Any]:
    return {**offered(scene), "number": 1}


def soon(_: Scene) -> dict[str, str]:
    begin = now()
    return {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}


PROVIDERS = (
    Row("api:provider-trials", door(502), "POST", body=lambda _: {"url": NOWHERE}),
    Row("api:provider-trial", door(404, **for_provider(502)), "POST", arguments=provider),
    Row("api:provider-changes", door(404, **for_provider(200)), arguments=provider),
    Row("api:provider-certificate", door(404, **for_provider(200)), arguments=provider),
    Row(
        "api:provider-certificate",
        door(404, **for_provider(409)),  # the address has no https
        "PUT",
        arguments=provider,
        body=lambda _: {"certificate": FINGERPRINT},
    ),
    Row("api:provider-certificate", door(404, **for_provider(204)), "DELETE", arguments=provider),
    Row(
        "api:provider-certificate-activation",
        door(404, **for_provider(409)),
        "POST",
        arguments=provider,
        body=lambda _: {"fingerprint": FINGERPRINT},
    ),
    Row("api:provider-health", door(404, **for_provider(200)), arguments=provider),
    Row("api:provider-maintenance", door(404, **for_provider(200)), arguments=provider),
    Row(
        "api:provider-maintenance",
        door(404, **for_provider(201)),
        "POST",
        arguments=provider,
        body=soon,
    ),
    Row("api:provider-window", door(404, **for_provider(204)), "DELETE", arguments=window),
    Row("api:provider-service-versions", door(404, **for_provider(200)), arguments=offered),
    Row("api:provider-service-version", door(404, **for_provider(200)), arguments=first_version),
    Row("pages:provider_reading", page(404, **for_provider(200)), arguments=provider),
    Row("pages:provider_history", page(404, **for_provider(200)), arguments=provider),
    Row("pages:provider_service", page(404, **for_provider(200)), arguments=offered),
    Row("pages:provider_maintenance", page(404, **for_provider(200)), arguments=provider),
    Row(
        "pages:provider_maintenance",
        page(404, **for_provider(302)),
        "POST",
        arguments=provider,
        body=soon,
    ),
    Row("pages:provider_maintenance_end", page(404, **for_provider(302)), "POST", arguments=window),
    Row(
        "pages:provider_certificate",
        page(404, **for_provider(302)),
        "POST",
        arguments=provider,
        body=lambda _: {"action": "discard"},
    ),
)
