"""The console's pages about records of a provider: add, look, run, decide, token, take away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from catalogue_client.harvesting import tokens
from catalogue_client.models import HarvestSource, Item
from jobs import harvest_work, periodic
from jobs.models import Due
from jobs.worker import run_one
from providers.models import ProviderState
from tests.fakes.harvestable import ChangingCatalogue, item
from tests.pages.conftest import client_of
from tests.pages.stage import Stage


@pytest.fixture
def server() -> Iterator[ChangingCatalogue]:
    with ChangingCatalogue() as there:
        there.items = [item(name) for name in "abcde"]
        there.items[1]["properties"]["title"] = "<script>alert(1)</script>"
        yield there


@pytest.fixture
def owner(stage: Stage) -> Client:
    return client_of(stage.provider_owner)


def add(client: Client, stage: Stage, **said: str) -> HarvestSource:
    given = {"visibility": "public", "kind": "", **said}
    answer = client.post(f"/providers/{stage.provider.slug}/harvest/", given)
    assert answer.status_code == 302, answer.content.decode()
    return HarvestSource.objects.get(pk=answer.headers["Location"].split("/")[-2])


def place(source: HarvestSource, stage: Stage) -> str:
    return f"/providers/{stage.provider.slug}/harvest/{source.pk}/"


def work() -> None:
    for row in Due.objects.filter(kind=harvest_work.KIND, done_at=None):
        run_one(owner="test", due_id=row.pk)


def test_from_an_address_to_records_in_the_catalogue(
    stage: Stage, owner: Client, server: ChangingCatalogue
) -> None:
    here = f"/providers/{stage.provider.slug}/harvest/"
    said = {"url": server.address, "visibility": "public", "action": "look"}
    looked = owner.post(here, said).content.decode()
    assert "Scene a" in looked
    assert "&lt;script&gt;" in looked
    assert not HarvestSource.objects.exists()
    wrong = owner.post(here, {"url": "http://127.0.0.1:9/x", "visibility": "public"})
    assert "cannot be reached" in wrong.content.decode()

    source = add(
        owner, stage, url=server.address, username="ada", password="s3cret", every="3",
        header_name="X-Api-Key", header_value="k3y",
    )  # fmt: skip
    shown = owner.get(place(source, stage)).content.decode()
    assert "X-Api-Key" in shown
    assert not re.search("s3cret|k3y", shown)
    work()
    page = owner.get(place(source, stage)).content.decode()
    assert "5 seen: 5 new" in page
    assert "Scene a" in Client().get("/stac/search?ids=a").content.decode()
    assert Due.objects.get(kind="harvest", done_at=None).subject == str(source.pk)
    preview = owner.get(f"{place(source, stage)}preview/").content.decode()
    assert "5 records in all" in preview

    server.items[0] = item("a", 2) | {"geometry": {"type": "Blob"}}
    owner.post(f"{place(source, stage)}act", {"action": "full"})
    work()
    run = source.runs.first()
    told = owner.get(f"{place(source, stage)}runs/{run.pk}/").content.decode()
    assert run.bad == 0  # a record without a usable place is one that lies anywhere
    assert "full pass" in told
    one = source.records.get(origin_id="a").item
    assert one.properties["tep:footprint"] == "unknown"


def test_who_decides_about_what_is_gone(
    stage: Stage, owner: Client, server: ChangingCatalogue
) -> None:
    source = add(owner, stage, url=server.address)
    work()
    server.items.clear()
    act = f"{place(source, stage)}act"
    owner.post(act, {"action": "full"})
    work()
    page = owner.get(place(source, stage)).content.decode()
    assert "5 of 5 records are gone there" in page
    assert "waits for a decision" in owner.get(f"/providers/{stage.provider.slug}/harvest/").text
    owner.post(act, {"action": "confirm"})
    work()
    assert not Item.objects.filter(collection=source.collection, deleted_at=None).exists()


def test_a_token_is_shown_once_and_ends_with_the_next(stage: Stage, owner: Client) -> None:
    source = add(owner, stage, kind="push", name="Sent", visibility="private")
    act = f"{place(source, stage)}act"
    found = [
        re.search(r"harvest-\d+\.[\w-]{43}", owner.post(act, {"action": "token"}).text)
        for _ in range(2)
    ]
    first, second = (one[0] for one in found if one)
    assert second not in owner.get(place(source, stage)).text
    assert tokens.source_of(first) is None
    assert tokens.source_of(second) == source
    owner.post(act, {"action": "revoke"})
    assert tokens.source_of(second) is None
    assert client_of(stage.stranger).post(act, {"action": "token"}).status_code == 404


def test_nothing_is_read_of_providers_that_are_not_approved(
    stage: Stage, owner: Client, server: ChangingCatalogue
) -> None:
    source = add(owner, stage, url=server.address)
    stage.provider.state = ProviderState.SUSPENDED
    stage.provider.save()
    work()
    harvest_work.ensure()
    assert not Due.objects.filter(kind="harvest", done_at=None).exists()
    stage.provider.state = ProviderState.APPROVED
    stage.provider.save()
    periodic.ensure()
    work()
    assert not source.runs.exists()  # not yet: it is planned for some minutes later
    Due.objects.filter(kind="harvest", done_at=None).update(due_at="2026-01-01T00:00:00Z")
    work()
    assert source.runs.get().added == 5
    owner.post(f"{place(source, stage)}act", {"action": "leave"})
    work()
    assert not HarvestSource.objects.exists()
