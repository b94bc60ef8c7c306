"""Pages by number: walked, jumped to, and walked while the catalogue changes."""

from __future__ import annotations

import random
import re

import pytest
from django.test import Client

from catalogue_client.access import visible_items
from catalogue_client.models import Collection, Item
from catalogue_client.numbered import numbered
from catalogue_client.oai import views as oai
from catalogue_client.services import put_item
from tests.catalogue_client.test_stac_api import fill
from tests.catalogue_client.world import People, scene

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("order", [("sequence",), ("-start", "-pk"), ("visibility", "-west", "pk")])
def test_pages_are_those_of_the_whole_list(order: tuple[str, ...]) -> None:
    fill(17)
    scenes = Collection.objects.get(identifier="scenes")
    people = People()
    chance = random.Random(3)
    for step in range(12):
        for user in (None, people.owner):
            fitting = visible_items(user).filter(collection=scenes)
            whole = list(fitting.order_by(*order))
            for first in [*range(0, len(whole) + 7, 7), chance.randrange(40)]:
                found, matched = numbered(user, fitting, order, first, 7)
                assert (found, matched) == (whole[first : first + 7], len(whole)), (step, first)
        same_day = "2025-01-05T00:00:00Z"
        put_item(collection=scenes, document=scene(f"n{step}", west=20.0, datetime=same_day))


def test_who_walks_on_does_not_count_again(django_assert_num_queries: object) -> None:
    fill(17)
    fitting = visible_items(None)
    with django_assert_num_queries(3):  # type: ignore[operator]
        numbered(None, fitting, ("sequence",), 0, 6)
    with django_assert_num_queries(2):  # type: ignore[operator]
        items, _matched = numbered(None, fitting, ("sequence",), 6, 6)
    assert [item.pk for item in items] == list(
        Item.objects.order_by("sequence").values_list("pk", flat=True)[6:12]
    )


def test_the_size_of_a_long_list_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oai, "PAGE", 6)
    fill(17)
    asked = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}
    told = Client().get("/oai", asked).content.decode()
    assert 'completeListSize="18" cursor="0"' in told
    monkeypatch.setattr(oai, "MOST_COUNTED", 17)
    seen: list[str] = []
    while asked:
        text = Client().get("/oai", asked).content.decode()
        assert "completeListSize" not in text
        seen += re.findall(r"<identifier>([^<]+)", text)
        token = re.search(r"<resumptionToken[^>]*>([^<]+)<", text)
        asked = {"verb": "ListIdentifiers", "resumptionToken": token[1]} if token else {}
    assert len(seen) == len(set(seen)) == 18
