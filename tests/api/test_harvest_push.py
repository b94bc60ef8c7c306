"""A centre registers its records with a token: every form, every refusal, always safe to repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalogue_client.harvesting import services, steering, tokens
from catalogue_client.models import HarvestSource, Item
from catalogue_client.services import put_collection, put_item
from providers.models import Provider, ProviderState
from tests.catalogue_client.harvesting.conftest import live
from tests.catalogue_client.world import scene
from tests.factories import make_provider, make_user
from tests.fakes.harvestable import item

pytestmark = pytest.mark.django_db
GEOJSON = "application/geo+json"


class Centre:
    """A provider with a source and its token."""

    def __init__(self) -> None:
        self.provider: Provider = make_provider(make_user())
        self.source = self.another("Sent")
        self.token = tokens.renew(self.source)
        self.client = Client()

    def another(self, name: str) -> HarvestSource:
        centre = services.Centre(self.provider.pk, self.provider.slug, self.provider.name)
        return services.register(
            actor=self.provider.owner, centre=centre, kind="push", name=name, visibility="public"
        )

    def send(self, body: Any, media_type: str = GEOJSON, token: str = "", **more: Any) -> Any:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        place = more.pop("source", self.source).pk
        headers = {"Authorization": f"Bearer {token or self.token}", **more}
        return self.client.post(
            f"/api/harvest-sources/{place}/records/", data, content_type=media_type, headers=headers
        )

    def drop(self, record: str) -> int:
        answer = self.client.delete(
            f"/api/harvest-sources/{self.source.pk}/records/{record}/",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        return int(answer.status_code)


@pytest.fixture
def centre() -> Centre:
    return Centre()


def many(*items: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(items)}


def test_records_are_added_changed_known_and_dropped(centre: Centre) -> None:
    answer = centre.send(item("a"))
    assert answer.status_code == 201
    assert answer.json() == {"added": 1, "updated": 0, "unchanged": 0, "errors": []}
    again = centre.send(many(item("a"), item("b/ü"), {"type": "Feature", "stac_version": "1.1.0"}))
    assert again.status_code == 201
    said = again.json()
    assert (said["added"], said["updated"], said["unchanged"]) == (1, 0, 1)
    assert said["errors"] == [{"record": "#3", "reason": "it has no id"}]
    assert centre.send(item("a", title="New")).json()["updated"] == 1
    repeated = centre.send(item("a", title="New"))
    assert (repeated.status_code, repeated.json()["unchanged"]) == (200, 1)
    found = Client().get("/stac/search?ids=a").json()["features"][0]
    assert found["properties"]["title"] == "New"
    assert found["properties"]["providers"][0]["name"] == centre.provider.name

    assert [centre.drop("b%2F%C3%BC"), centre.drop("b/ü"), centre.drop("zz")] == [204, 204, 404]
    assert set(live(centre.source)) == {"a"}
    run = centre.source.runs.get()  # one for all that comes on a day
    assert (run.added, run.changed, run.unchanged, run.removed, run.bad) == (2, 1, 2, 1, 1)
    assert centre.send(item("b/ü")).status_code == 201


def test_every_form_that_the_portal_itself_writes_is_understood(centre: Centre) -> None:
    shelf = put_collection(document={"id": "shelf", "title": "Shelf"})
    made = put_item(collection=shelf, document=scene("s1", description="Ä <b>", keywords=["red"]))
    doors = {
        "/stac/collections/shelf/items/s1": GEOJSON,
        "/owc/items/shelf/s1.atom": "application/atom+xml",
        "/owc/items/shelf/s1.geojson": GEOJSON,
        "/opensearch/search.atom?parentIdentifier=shelf": "application/atom+xml",
        "/waf/shelf/s1.xml": "application/vnd.iso.19139+xml",
        "/csw?service=CSW&version=2.0.2&request=GetRecords&typeNames=csw:Record"
        "&resultType=results&elementSetName=full": "text/xml",
        "/oai?verb=ListRecords&metadataPrefix=oai_dc&set=shelf": "application/xml",
    }
    for address, media_type in doors.items():
        body = Client().get(address).content
        source = centre.another(address[:40])
        answer = centre.send(body, f"{media_type}; charset=utf-8", tokens.renew(source),
                             source=source)  # fmt: skip
        assert answer.status_code == 201, (address, answer.content)
        for stored in Item.objects.filter(collection=source.collection):
            assert (stored.bbox, stored.start) == (made.bbox, made.start), address
            # A context names the parts of an item.
            assert stored.title == "s1" or "/owc/" in address
        source.records.all().delete()
        Item.objects.filter(collection=source.collection).delete()


def problem(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"].startswith("application/problem+json"), answer.content
    said = answer.json()
    assert said["status"] == answer.status_code
    assert "Traceback" not in said["detail"]
    return answer.status_code, said["code"]


BAD: dict[str, tuple[Any, str, int]] = {
    "no JSON": ("{", GEOJSON, 400),
    "a list": ([1], GEOJSON, 400),
    "no features": ({"type": "FeatureCollection"}, GEOJSON, 400),
    "an empty list": ({"type": "FeatureCollection", "features": []}, GEOJSON, 400),
    "deep": ('{"a":' * 500 + "1" + "}" * 500, GEOJSON, 400),
    "no XML": ("<a", "text/xml", 400),
    "no record": ("<a/>", "application/xml", 400),
    "entities": ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/xml", 400),
    "plain text": ("hello", "text/plain", 415),
    "a form": ("a=b", "application/x-www-form-urlencoded", 415),
    "too large": (b" " * (10 * 2**20 + 1), GEOJSON, 413),
    "too many": (many(*[{"type": "Feature", "stac_version": "1.1.0"}] * 1001), GEOJSON, 413),
    "nothing usable": (many({"type": "Feature", "stac_version": "1.1.0"}), GEOJSON, 422),
    "no usable date": (item("x", datetime="2026-01-01T00:00:00Z", gsd=float("1e308") * 10),
                       GEOJSON, 201),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_refused_with_a_reason(centre: Centre, name: str) -> None:
    body, media_type, status = BAD[name]
    answer = centre.send(body, media_type)
    assert answer.status_code == status, answer.content
    if status != 201:
        problem(answer)
        assert not Item.objects.exists()


def test_who_may_send(centre: Centre) -> None:
    other = centre.another("Other")
    assert problem(centre.send(item("a"), token="x"))[0] == 401
    missing = centre.client.post(f"/api/harvest-sources/{centre.source.pk}/records/")
    assert (missing.status_code, missing["WWW-Authenticate"]) == (401, 'Bearer realm="TEP Portal"')
    assert problem(centre.send(item("a"), source=other)) == (403, "forbidden")
    assert problem(centre.send(item("a"), source=HarvestSource(pk=10**9)))[0] == 403
    steering.switch(source=centre.source, on=False)
    assert problem(centre.send(item("a"))) == (409, "conflict")
    steering.switch(source=centre.source, on=True)
    centre.provider.state = ProviderState.SUSPENDED
    centre.provider.save()
    assert problem(centre.send(item("a")))[0] == 403
    centre.provider.state = ProviderState.APPROVED
    centre.provider.save()
    assert centre.send(item("a")).status_code == 201
    tokens.revoke(centre.source)
    assert problem(centre.send(item("b")))[0] == 401


def test_a_token_opens_nothing_else(centre: Centre) -> None:
    headers = {"Authorization": f"Bearer {centre.token}"}
    for address in (f"/api/harvest-sources/{centre.source.pk}/", "/api/jobs/", "/stac/search"):
        assert centre.client.get(address, headers=headers).status_code == 401
