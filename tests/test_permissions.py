"""Who may do what: every address of the portal by every kind of caller (tests/permissions).

An address that is not in the table fails the test. What belongs to others answers as if it did not
exist (404); 403 is for what one may see and not do. What a request did is undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounting.check import findings
from tests.permissions import TABLE
from tests.permissions.scene import OPERATOR, ROLES, Row, Scene

pytestmark = pytest.mark.django_db

# django-allauth's old addresses, which only lead to the new ones.
MOVED = ("accounts/social/",)


def names(
    patterns: list[URLPattern | URLResolver], route: str = "", space: str = ""
) -> Iterator[tuple[str, str]]:
    """Route and name, with its namespace, of every address."""
    for pattern in patterns:
        here = f"{route}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from names(pattern.url_patterns, here, inner)
        else:
            yield here, f"{space}{pattern.name}"


def ask(client: Client, row: Row, scene: Scene) -> int:
    """The status of the answer; whatever the request did is undone."""
    address = reverse(row.name, kwargs=row.arguments(scene))
    if query := row.query(scene):
        address = f"{address}?{query}"
    body = row.body(scene) if row.body else None
    options: dict[str, Any] = {"headers": {"Sec-Fetch-Site": "same-origin"}}
    if isinstance(body, str):
        options |= {"data": body, "content_type": "text/plain"}
    elif row.json and body is not None:
        options |= {"data": json.dumps(body), "content_type": "application/json"}
    elif body is not None:
        options |= {"data": body}
    with transaction.atomic():
        answer = getattr(client, row.method.lower())(address, **options)
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    cache.clear()
    return int(answer.status_code)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def clients(scene: Scene) -> dict[str, Client]:
    found = {}
    for role, user in scene.users.items():
        found[role] = Client(raise_request_exception=False)
        if user is not None:
            found[role].force_login(user)
    return found


@pytest.mark.timeout(600)  # thousands of requests
def test_every_address_answers_every_caller_as_it_should(
    scene: Scene, clients: dict[str, Client]
) -> None:
    listed = {row.name for row in TABLE}
    addresses = list(names(get_resolver().url_patterns))
    missing = {
        f"{route} ({name})"
        for route, name in addresses
        if name not in listed and not route.startswith(("admin/", *MOVED))
    }
    assert not missing, "these addresses are not in the table"
    assert listed <= {name for _, name in addresses}

    wrong = []
    for row in TABLE:
        got = {role: ask(clients[role], row, scene) for role in ROLES}
        if got != row.expected:
            wrong.append(f"{row.method} {row.name}\n  wanted {row.expected}\n  got    {got}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert findings() == []


def test_the_administration_is_for_operators(scene: Scene, clients: dict[str, Client]) -> None:
    addresses = [reverse("admin:index"), reverse("admin:jsi18n"), reverse("admin:autocomplete")]
    addresses += [
        reverse("admin:app_list", args=[label])
        for label in {m._meta.app_label for m in admin.site._registry}
    ]
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        first = model._default_manager.first()
        addresses += [reverse(f"{base}_changelist"), reverse(f"{base}_add")]
        for view in ("change", "history", "delete"):
            addresses.append(reverse(f"{base}_{view}", args=[first.pk if first else 1]))
    for address in addresses:
        for role in ROLES:
            answer = clients[role].get(address)
            if role != OPERATOR:
                assert answer.status_code == 302, (address, role)
                assert "/login/" in answer["Location"]
            else:
                assert answer.status_code in (200, 302, 403, 404), (address, answer.status_code)
    shown = {model.__name__ for model in admin.site._registry}
    ours = ("people", "accounting", "providers", "thematic_apps", "jobs")
    models = {m.__name__ for label in ours for m in apps.get_app_config(label).get_models()}
    assert len(shown & models) > len(models) // 2
