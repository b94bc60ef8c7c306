"""What is gone says so to who saw it; pages that have not changed are not sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.http import http_date

from catalogue_client.models import Item
from catalogue_client.services import publish, show_to, withdraw
from people.models import User
from tests.catalogue_client.world import People, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return People()


def client(user: User | None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def doors(item: Item) -> dict[str, str]:
    place = f"{item.collection.identifier}/{item.identifier}"
    return {
        "atom": f"/owc/items/{place}.atom",
        "job": f"/owc/jobs/{item.job_id}.geojson",
        "iso": f"/waf/{place}.xml",
        "page": f"/catalogue/{place}/",
    }


def test_only_who_saw_it_is_told_that_it_is_gone(people: People) -> None:
    item = publish(record=record(people.owner, visibility="group", group_id=people.group.pk))
    assert item.job_id is not None
    everybody = people.all()

    def answers(name: str) -> set[int]:
        return {client(everybody[name]).get(a).status_code for a in doors(item).values()}

    assert answers("member") == {200}
    show_to(item=item, visibility="private")
    assert (answers("member"), answers("owner")) == ({410}, {200})
    assert (answers("stranger"), answers("anonymous")) == ({404}, {404, 302})
    withdraw(job_id=item.job_id)
    assert (answers("owner"), answers("operator"), answers("member")) == ({410}, {410}, {410})
    assert (answers("stranger"), answers("anonymous")) == ({404}, {404, 302})
    stac = f"/stac/collections/{item.collection.identifier}/items/{item.identifier}"
    assert client(people.owner).get(stac).status_code == 404
    assert client(people.owner).get(doors(item)["atom"])["Cache-Control"] == "private, no-cache"
    publish(record=record(people.owner, job_id=item.job_id))
    assert answers("owner") == {200}


@pytest.mark.parametrize("place", ["entry", "collection"])
def test_a_page_is_sent_again_when_something_in_it_is_new(people: People, place: str) -> None:
    item = publish(record=record(people.owner, visibility="public"))
    address = doors(item)["page"] if place == "entry" else "/catalogue/results/"
    for user in (None, people.owner):
        asking = client(user)
        asking.get(address)  # the cookies come with the first page
        first = asking.get(address)
        assert first.status_code == 200
        same = {"if-none-match": first["ETag"]}
        again = asking.get(address, headers=same)
        assert (again.status_code, again.content) == (304, b""), place
        assert {"Cookie", "Accept-Language"} <= set(first["Vary"].split(", "))
        if user is None:
            dated = asking.get(address, headers={"if-modified-since": first["Last-Modified"]})
            assert dated.status_code == 304
            old = http_date((item.updated_at - timedelta(days=1)).timestamp())
            assert asking.get(address, headers={"if-modified-since": old}).status_code == 200
        else:
            assert "Last-Modified" not in first
        publish(record=record(people.owner, job_id=item.job_id, title=f"New for {user}"))
        changed = asking.get(address, headers=same)
        assert changed.status_code == 200
        assert "New for" in changed.content.decode()
    # Another user, and another language, is another page.
    other = client(people.stranger).get(address, headers={"if-none-match": changed["ETag"]})
    assert other.status_code == 200


def test_a_page_with_tokens_of_another_cookie_is_not_the_same(people: People) -> None:
    item = publish(record=record(people.owner, visibility="public"))
    address = doors(item)["page"]
    first = client(people.owner)
    first.get(address)
    tag = first.get(address)["ETag"]
    second = client(people.owner)
    second.get(address)
    assert second.get(address, headers={"if-none-match": tag}).status_code == 200
