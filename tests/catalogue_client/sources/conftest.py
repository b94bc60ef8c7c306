"""A small catalogue in every protocol, and the portal's sources of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalogue_client.models import CatalogueSource
from catalogue_client.sources import crawling, services
from people.models import User
from tests.factories import make_user
from tests.fakes.catalogues import FakeCatalogue

KINDS = tuple(FakeCatalogue.PLACES)


@pytest.fixture
def server() -> Iterator[FakeCatalogue]:
    with FakeCatalogue() as running:
        yield running


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


def register(owner: User, server: FakeCatalogue, kind: str, **more: object) -> CatalogueSource:
    """The catalogue as a source; a static one is read at once."""
    source = services.register(owner=owner, url=server.address(kind), slug=f"s-{kind}", **more)
    if source.is_crawled:
        assert crawling.crawl(source)
        source.refresh_from_db()
    return source
