"""Operators set up sources of usage: on the page and by REST, and secrets are never shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounting.models import UsageSource
from jobs.models import Due
from jobs.usage_work import SOURCE
from tests.factories import make_provider, make_user

pytestmark = pytest.mark.django_db
LIST = "/operator/usage/sources/"
SECRET = "correct horse"
FORM = {
    "name": "Centre's broker",
    "kind": "stomp",
    "address": "broker.example.org:61613",
    "destination": "/queue/usage",
    "username": "portal",
    "secret": SECRET,
    "options": '{"tls": true}',
    "signers": "/C=XX/CN=a\r\n\r\n /C=XX/CN=b ",
    "every_seconds": "120",
    "enabled": "on",
}


@pytest.fixture
def client() -> Client:
    made = Client()
    made.force_login(make_user(is_staff=True))
    return made


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_from_the_form_to_the_list(client: Client) -> None:
    provider = make_provider(make_user(), name="Data Centre")
    answer = client.post(f"{LIST}new/", {**FORM, "provider": provider.pk})
    assert answer["Location"] == LIST
    source = UsageSource.objects.get()
    assert (source.provider_id, source.options) == (provider.pk, {"tls": True})
    assert source.signers == ["/C=XX/CN=a", "/C=XX/CN=b"]
    assert Due.objects.get(kind=SOURCE).subject == str(source.pk)
    page = client.get(LIST).content.decode()
    assert "Centre&#x27;s broker" in page
    assert "Data Centre" in page

    one = f"{LIST}{source.pk}/"
    kept = source.secret
    shown = client.get(one).content.decode()
    assert "/queue/usage" in shown
    for text in (SECRET, kept):
        assert text not in shown + page
    client.post(one, {**FORM, "name": "Renamed", "secret": "", "signers": ""})
    source.refresh_from_db()
    assert (source.name, source.secret, source.signers) == ("Renamed", kept, [])
    client.post(one, {**FORM, "address": "other.example.org:61613", "secret": ""})
    source.refresh_from_db()
    assert source.secret == ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"address": "nonsense"}, "This must be a host and a port"),
        ({"options": "{"}, "Enter a valid JSON"),
        ({"options": "[1]"}, "This must be a JSON object"),
        ({"kind": "smoke"}, "Select a valid choice"),
        ({"every_seconds": "1"}, "greater than or equal to 5"),
        ({"signers": "CN=a"}, "list of names"),
        ({"authorities": "x"}, "no certificate"),
        ({"signed": "on"}, "no signature can be verified"),
        ({"decryption_key": "x"}, "private key"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: Client, change: dict[str, str], text: str
) -> None:
    answer = client.post(f"{LIST}new/", {**FORM, **change})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert text in page
    assert SECRET not in page
    assert not UsageSource.objects.exists()


def test_look_now_switch_and_delete(client: Client) -> None:
    source = UsageSource.objects.create(name="s", kind="dirq", address="/var/spool/usage")
    act = reverse("pages:usage_source_act", args=[source.pk])
    assert "free" in told(client.post(act, {"action": "look"}))[-1]
    assert Due.objects.filter(kind=SOURCE).exists()
    client.post(act, {"action": "switch"})
    source.refresh_from_db()
    assert not source.enabled
    assert "off" in told(client.post(act, {"action": "look"}))[-1]
    client.post(act, {"action": "switch"})
    source.refresh_from_db()
    assert source.enabled
    client.post(act, {"action": "delete"})
    assert not UsageSource.objects.exists()


def test_errors_are_shown_as_text(client: Client) -> None:
    UsageSource.objects.create(
        name="<b>s</b>", kind="unknown", address="x", last_error="<script>", failures=3
    )
    page = client.get(LIST).content.decode()
    assert "<script>" not in page.replace("<script src", "")
    assert "3 times" in page


def test_a_long_list_has_pages_and_few_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        provider = make_provider(make_user())
        UsageSource.objects.create(
            name=f"s{number}", kind="dirq", address="/x", provider_id=provider.pk
        )
    with django_assert_max_num_queries(8):
        page = client.get(LIST).content.decode()
    assert page.count("btn--small") >= 50
    assert "of 60" in page


def test_the_same_by_rest(client: Client) -> None:
    make_provider(make_user(), slug="centre")
    body = {
        "provider": "centre",
        "name": "Messages",
        "kind": "ams",
        "address": "https://ams.example.invalid",
        "destination": "tep/usage",
        "secret": SECRET,
    }
    json = {"content_type": "application/json"}
    answer = client.post("/api/usage-sources/", body, **json)
    assert answer.status_code == 201, answer.content
    place, made = answer["Location"], answer.json()
    assert (made["provider"], made["has_secret"], made["enabled"]) == ("centre", True, True)
    assert Due.objects.filter(kind=SOURCE, subject=str(made["id"])).exists()
    changed = client.patch(place, {"every_seconds": 600, "enabled": False}, **json)
    assert (changed.json()["every_seconds"], changed.json()["has_secret"]) == (600, True)
    assert client.post(f"{place}look/").status_code == 400
    assert (
        client.patch(place, {"enabled": True, "provider": None}, **json).json()["provider"] is None
    )
    assert client.post(f"{place}look/").status_code == 202
    listed = client.get("/api/usage-sources/")
    assert listed.json()["count"] == 1
    stored = UsageSource.objects.get().secret
    for text in (SECRET, stored):
        assert text not in listed.content.decode() + answer.content.decode()
    for wrong, field in (
        ({"destination": "tep"}, "destination"),
        ({"provider": "nobody"}, "provider"),
        ({"options": ["x"]}, "options"),
        ({"signers": "x"}, "signers"),
        ({"every_seconds": 10**30}, "every_seconds"),
        ({"kind": "dirq"}, "address"),
    ):
        refused = client.patch(place, wrong, **json)
        assert refused.status_code == 400, (wrong, refused.content)
        assert field in str(refused.json()), refused.content
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
