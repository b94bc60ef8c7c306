"""Results at a real server of another project: there, changed, and gone again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import pytest

from catalogue_client.models import Publication, PublicationState, PublishTarget
from catalogue_client.publishing import publications
from catalogue_client.publishing.targets import save_target
from catalogue_client.services import publish, withdraw
from tests.catalogue_client.servers import PGSTAC, needs_pgstac, pgstac_collections
from tests.catalogue_client.world import People, record
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, needs_pgstac]


@pytest.fixture
def _empty() -> Iterator[None]:
    pgstac_collections({})
    yield
    pgstac_collections({})


def work(row: Publication) -> Publication:
    while publications.work(row.pk) is not None:
        pass
    row.refresh_from_db()
    return row


def there(identifier: str) -> dict[str, Any] | None:
    with urlopen(f"{PGSTAC}/collections/results/items?limit=100") as answer:
        items = json.load(answer)["features"]
    return next((dict(one) for one in items if one["id"] == identifier), None)


@pytest.mark.usefixtures("_empty")
def test_a_result_at_pgstac() -> None:
    operator = make_user(is_staff=True)
    changes = {"name": "pgstac", "kind": "stac", "url": PGSTAC}
    target = save_target(actor=operator, target=PublishTarget(), changes=changes)
    first = record(People().owner)
    item = publish(record=first)
    row = work(publications.ask(actor=operator, item=item, target_id=target.pk))
    assert (row.state, row.last_error) == (PublicationState.PUBLISHED, "")
    shown = there(item.identifier)
    assert shown is not None
    assert shown["properties"]["title"] == first.title
    assert shown["assets"]["result"]["file:size"] == 123456

    item = publish(record=replace(first, title="Another title"))
    (row,) = publications.plan(item)
    assert work(row).state == PublicationState.PUBLISHED
    shown = there(item.identifier)
    assert shown is not None
    assert shown["properties"]["title"] == "Another title"

    withdraw(job_id=item.job_id)
    item.refresh_from_db()
    (row,) = publications.plan(item)
    assert work(row).state == PublicationState.WITHDRAWN
    assert there(item.identifier) is None
