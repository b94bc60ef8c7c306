"""Clients of the REST API with keys, as programs use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from people.models import Scope, User
from people.services import create_api_key
from tests.factories import World


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def api(db: None) -> Callable[..., APIClient]:
    """A client of a user, with a key of all or some scopes."""

    def client(user: User, *scopes: str) -> APIClient:
        _, key = create_api_key(user=user, name="test", scopes=scopes or Scope.values)
        made = APIClient()
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        return made

    return client


@pytest.fixture
def run(world: World) -> Callable[..., dict[str, Any]]:
    """The body of a run of the world's service."""

    def body(**more: Any) -> dict[str, Any]:
        return {
            "service": world.service.pk,
            "account": world.account.pk,
            "inputs": {"message": "hello"},
            **more,
        }

    return body
