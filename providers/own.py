"""The provider that the portal itself is: its row, made with the database and kept up to date.

Every installation has it from its first `migrate` on, so that no door's list of processes is ever
empty and a client can be tried before any provider is registered. Nobody manages it: what it offers
comes with the software. Its owner is a user who cannot sign in.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import structlog
from django.apps import apps as installed
from django.contrib.auth.hashers import make_password
from django.db import transaction

from common.clock import now
from providers.discovery import fingerprint_of
from providers.drivers.echo import ECHO
from providers.models.provider import ProviderState
from providers.ports import IN_PROCESS

log = structlog.get_logger(__name__)

SLUG = "portal"
NAME = "TEP Portal"
# No sign-up form takes a name with a blank in it: this one cannot be somebody's already.
OWNER = "the portal"


def ensure(*, apps: Any = installed, using: str = "default", **_signal: Any) -> None:
    """Write what is missing or old of the row, its service and its description; idempotent.

    The receiver of `post_migrate`: works with the models as the migrations left them.
    """
    try:
        provider_model = apps.get_model("providers", "Provider")
        user_model = apps.get_model("people", "User")
    except LookupError:  # migrated back to before there were any
        return
    with transaction.atomic(using=using):
        provider = provider_model.objects.using(using).filter(protocol=IN_PROCESS).first()
        if provider is None:
            if provider_model.objects.using(using).filter(slug=SLUG).exists():
                log.warning("providers.own_slug_taken", slug=SLUG)
                return
            owner, _ = user_model.objects.using(using).get_or_create(
                username=OWNER, defaults={"password": make_password(None), "is_active": False}
            )
            provider = provider_model.objects.using(using).create(
                slug=SLUG,
                name=NAME,
                description="Runs inside the portal; free of charge.",
                owner=owner,
                protocol=IN_PROCESS,
                state=ProviderState.APPROVED,
                discovered_at=now(),
            )
        _describe(apps, using, provider)


def _describe(apps: Any, using: str, provider: Any) -> None:
    service, _ = (
        apps.get_model("providers", "Service")
        .objects.using(using)
        .get_or_create(
            provider=provider,
            identifier=ECHO.identifier,
            defaults={"title": ECHO.title, "abstract": ECHO.abstract, "enabled": True},
        )
    )
    document = asdict(ECHO)
    fingerprint = fingerprint_of(document)
    if service.current is not None and service.current.fingerprint == fingerprint:
        return
    versions = apps.get_model("providers", "ServiceVersion").objects.using(using)
    last = versions.filter(service=service).order_by("-number").first()
    service.title, service.abstract = ECHO.title, ECHO.abstract
    service.current = versions.create(
        service=service,
        number=last.number + 1 if last else 1,
        fingerprint=fingerprint,
        version=ECHO.version,
        document=document,
    )
    service.save()
