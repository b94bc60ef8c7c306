"""Providers in the administration."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from people.models import User
from providers import services
from tests.factories import make_provider, make_service
from tests.fakes.wps_server import FakeWps

pytestmark = pytest.mark.django_db


def test_operators_approve_and_confirm_hosts_and_never_see_secrets(
    client: Client, owner: User, operator: User, wps: FakeWps
) -> None:
    provider = services.register_provider(
        owner=owner,
        slug="centre-a",
        name="Centre A",
        url=wps.url,
        username="portal",
        password="hush-hush",
    )
    client.force_login(operator)
    listing = reverse("admin:providers_provider_changelist")
    page = reverse("admin:providers_provider_change", args=[provider.pk])
    assert b"hush-hush" not in client.get(page).content
    assert provider.secret.encode() not in client.get(page).content
    picked = {"_selected_action": [provider.pk]}
    for action, state in (("approve", "approved"), ("suspend", "suspended")):
        client.post(listing, {"action": action, **picked})
        provider.refresh_from_db()
        assert provider.state == state
    form = {
        "name": "Centre A",
        "extra_hosts": '["store.example.net"]',
        "reference_header": "X-Remote-Ref",
        "max_running_jobs": "2",
        "retry_attempts": "1",
        "retry_wait_seconds": "1",
        "discovery_runs-TOTAL_FORMS": "0",
        "discovery_runs-INITIAL_FORMS": "0",
    }
    refused = client.post(page, {**form, "reference_header": "Cookie"})
    assert b"A header name begins with" in refused.content
    assert client.post(page, form).status_code == 302
    provider.refresh_from_db()
    assert (provider.extra_hosts, provider.max_running_jobs) == (["store.example.net"], 2)
    assert provider.endpoint().password == "hush-hush"


def test_operators_switch_services(client: Client, owner: User, operator: User) -> None:
    service = make_service(make_provider(owner), enabled=False)
    client.force_login(operator)
    listing = reverse("admin:providers_service_changelist")
    picked = {"_selected_action": [service.pk]}
    for action, enabled in (("switch_on", True), ("switch_off", False)):
        client.post(listing, {"action": action, **picked})
        service.refresh_from_db()
        assert service.enabled is enabled
