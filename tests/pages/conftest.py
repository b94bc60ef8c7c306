"""The stage that the pages are shown on."""

from __future__ import annotations

import pytest
from django.test import Client

from people.models import User
from tests.pages.quarter import clock, quarter
from tests.pages.stage import Stage

__all__ = ["clock", "quarter"]


@pytest.fixture
def stage(db: None) -> Stage:
    return Stage()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
