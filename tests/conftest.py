"""Fixtures of every test."""

from __future__ import annotations

import os

import hypothesis
import pytest

from tests import flush
from tests.chromium import browser

__all__ = ["browser"]

flush.install()

# How long an example takes says nothing on a machine that does other things too.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """TEP_DATABASE_TESTS: only tests whose outcome may depend on the kind of database.

    For a second run on another database: what never asks one was proved by the first run, and what
    a page looks like does not depend on it.
    """
    if not os.environ.get("TEP_DATABASE_TESTS"):
        return
    left_out = [item for item in items if not _asks_the_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _asks_the_database(item)]


def _asks_the_database(item: pytest.Item) -> bool:
    if item.path.parent.name == "browser":
        return False
    if item.get_closest_marker("django_db") or item.get_closest_marker("stack"):
        return True
    return bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))
