"""Fixtures of every test."""

from __future__ import annotations

import os

import hypothesis
import pytest
from django.core.cache import cache

from tests import flush
from tests.chromium import browser

__all__ = ["browser"]

flush.install()

# How long an example takes says nothing on a machine that does other things too.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """What is counted of a user in the cache is not that of the next test's user of the same id."""
    cache.clear()


DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first, those with a stack of their own: else all would wait for them.

    TEP_DATABASE_TESTS: only tests whose outcome may depend on the kind of database.
    For a second run on another database: what never asks one was proved by the first run, and what
    a page looks like does not depend on it.
    """
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)
    if not os.environ.get("TEP_DATABASE_TESTS"):
        return
    left_out = [item for item in items if not _asks_the_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _asks_the_database(item)]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: who has a stack of processes mostly waits for them. Not on
    PostgreSQL, which has connections for two stacks."""
    return (os.cpu_count() or 1) + (not os.environ.get("TEST_DATABASE_URL"))


def _asks_the_database(item: pytest.Item) -> bool:
    if item.path.parent.name == "browser":
        return False
    if item.get_closest_marker("django_db") or item.get_closest_marker("stack"):
        return True
    return bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))
