"""Catalogues of others and data packages on pages: registered, searched, kept, shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import html

from catalogue_client.models import CatalogueSource, DataPackage
from catalogue_client.packages import services as packages
from catalogue_client.sources import crawling
from jobs.models import Due
from tests.fakes.catalogues import FakeCatalogue
from tests.pages.conftest import client_of
from tests.pages.stage import Stage


@pytest.fixture
def server() -> Iterator[FakeCatalogue]:
    with FakeCatalogue() as running:
        yield running


def register(stage: Stage, server: FakeCatalogue, kind: str, **more: Any) -> CatalogueSource:
    said = {"url": server.address(kind), "visibility": "private", **more}
    answer = client_of(stage.researcher).post("/sources/", said)
    assert answer.status_code == 302, answer.content.decode()
    return CatalogueSource.objects.get(slug=answer.headers["Location"].split("/")[2])


def test_a_source_is_registered_by_its_address(stage: Stage, server: FakeCatalogue) -> None:
    client = client_of(stage.researcher)
    source = register(
        stage, server, "stac-api", username="ada", password="s3cret",
        header_name="X-Api-Key", header_value="k3y",
    )  # fmt: skip
    assert source.name == "Fake scenes"
    shown = client.get(f"/sources/{source.slug}/").content.decode()
    assert "STAC API" in shown
    assert "X-Api-Key" in shown
    assert "s3cret" not in shown
    assert "k3y" not in shown
    assert "Even" in client.get(f"/sources/{source.slug}/collections").content.decode()


def test_results_come_page_by_page(stage: Stage, server: FakeCatalogue) -> None:
    client = client_of(stage.researcher)
    source = register(stage, server, "stac-api")
    page = client.get(f"/catalogue/?source={source.slug}&source=portal&text=red&from=2026-03-05")
    document = html.fromstring(page.content)
    later = document.xpath("//section[@hx-trigger='load']/@hx-get")
    assert len(later) == 1
    part = client.get(later[0], headers={"HX-Request": "true"}).content.decode()
    assert "Scene 6 red coast" in part
    assert "Scene 3 red coast" not in part  # before the day
    assert "cannot restrict its answer by words" in part
    onward = html.fromstring(part).xpath("//a[@rel='next']/@hx-get")[0]
    second = client.get(onward, headers={"HX-Request": "true"}).content.decode()
    assert "Scene 27 red coast" in second
    assert "Scene 6 red coast" not in second
    # The same without scripts is a page of its own.
    assert "<html" in client.get(later[0]).content.decode()
    link = next(a for a in html.fromstring(part).xpath("//a/@href") if "scene-06" in a)
    assert "Scene 6 red coast" in client.get(link).content.decode()


def test_from_an_entry_to_a_shared_package(stage: Stage, server: FakeCatalogue) -> None:
    client = client_of(stage.researcher)
    source = register(stage, server, "stac-api")
    put = {"source": source.slug, "collection": "even", "id": "scene-06"}
    added = client.post("/packages/add", put, headers={"HX-Request": "true"}).content.decode()
    assert "in “Basket”" in added
    kept = {"title": "Red ones", "search": f"source={source.slug}&source=portal&text=red"}
    client.post("/packages/keep", kept)
    basket = DataPackage.objects.get(owner=stage.researcher)
    assert basket.entries.count() == 3  # the entry, and a search for each place
    shown = client.get("/packages/basket", follow=True).content.decode()
    assert "Scene 6 red coast" in shown
    assert "Red ones – Fake scenes" in shown
    client.post(f"/packages/{basket.pk}/", {"title": "Reds", "visibility": "group",
                                            "group": stage.group.slug})  # fmt: skip
    assert client_of(stage.admin).get(f"/packages/{basket.pk}/").status_code == 200
    assert client_of(stage.stranger).get(f"/packages/{basket.pk}/").status_code == 404
    # The source is its owner's alone: others do not see what is in it.
    assert "Scene 6" not in client_of(stage.admin).get(f"/packages/{basket.pk}/").content.decode()
    client.post(f"/sources/{source.slug}/act", {"action": "delete"})
    assert basket.entries.count() == 1


def test_a_public_source_waits_for_an_operator(stage: Stage, server: FakeCatalogue) -> None:
    source = register(stage, server, "csw", visibility="public")
    stranger, operator = client_of(stage.stranger), client_of(stage.operator)
    assert stranger.get(f"/sources/{source.slug}/").status_code == 404
    assert "waits for approval" in operator.get("/sources/").content.decode()
    operator.post(f"/sources/{source.slug}/act", {"action": "approve"})
    page = stranger.get(f"/sources/{source.slug}/").content.decode()
    assert server.base not in page  # where it is, is its owner's to know
    assert "Fake CSW" in stranger.get("/catalogue/").content.decode()
    # At another address it has to be approved again, and has no credentials.
    said = {"url": "https://example.org/", "name": "x", "visibility": "public"}
    assert stranger.post(f"/sources/{source.slug}/", said).status_code == 403
    with FakeCatalogue() as other:
        said["url"] = other.address("csw")
        client_of(stage.researcher).post(f"/sources/{source.slug}/", said)
    assert stranger.get(f"/sources/{source.slug}/").status_code == 404


def test_a_static_catalogue_is_read_by_a_worker(stage: Stage, server: FakeCatalogue) -> None:
    from jobs import due
    from jobs.worker import do

    source = register(stage, server, "static-stac")
    client = client_of(stage.researcher)
    results = f"/sources/{source.slug}/results?text=red"
    assert "has not been read yet" in client.get(results).content.decode()
    do(due.claim(owner="test", work=("source_crawl", source.pk)))
    assert Due.objects.filter(kind="source_crawl", done_at=None).exists()  # again tomorrow
    shown = client.get(results).content.decode()
    assert "Scene 3 red coast" in shown
    assert "as read" in shown


def test_what_goes_wrong_is_said_on_the_page(stage: Stage, server: FakeCatalogue) -> None:
    client = client_of(stage.researcher)
    for url, text in (
        (f"{server.base}/nothing", "speaks none of the catalogue protocols"),
        ("ftp://example.org/", "https:// or http://"),
        ("http://10.0.0.1/", "may not be called"),
    ):
        page = client.post("/sources/", {"url": url, "visibility": "private"})
        assert page.status_code == 200
        assert text in page.content.decode(), page.content.decode()
    source = register(stage, server, "stac-api")
    server.stop()
    part = client.get(f"/sources/{source.slug}/results").content.decode()
    assert 'role="alert"' in part
    assert "127.0.0.1" not in part
    client.post(f"/sources/{source.slug}/act", {"action": "check"})
    assert "not answering" in client.get("/sources/").content.decode()
    server.start()


def test_the_number_of_statements_does_not_grow(stage: Stage, server: FakeCatalogue) -> None:
    source = register(stage, server, "static-stac")
    crawling.crawl(source)
    client = client_of(stage.researcher)
    package = packages.create(owner=stage.researcher, title="t")

    def statements() -> list[int]:
        counted = []
        for address in (
            "/sources/", f"/sources/{source.slug}/results", "/packages/", "/catalogue/",
            f"/packages/{package.pk}/", f"/data-packages/{package.pk}",
        ):  # fmt: skip
            client.get(address)
            cache.clear()
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(address).status_code == 200
            counted.append(len(queries))
        return counted

    def one_more(number: int) -> None:
        packages.add_item(
            actor=stage.researcher, package=package, source=source,
            collection="even", identifier=f"scene-{number:02d}",
        )  # fmt: skip
        packages.create(owner=stage.researcher, title=f"t{number}")
        CatalogueSource.objects.create(
            slug=f"more-{number}", name="n", url="http://127.0.0.1:9/", kind="csw",
            owner=stage.researcher, created_at=source.created_at,
        )  # fmt: skip

    one_more(2)
    before = statements()
    for number in (4, 6, 8):
        one_more(number)
    assert statements() == before


def test_texts_of_others_are_only_text(stage: Stage, server: FakeCatalogue) -> None:
    import json

    from tests.fakes.http_server import Reply

    source = register(stage, server, "stac-api")
    bad = "<script>alert(1)</script>"
    item = {
        "type": "Feature", "id": f"a/b {bad}", "geometry": None,
        "properties": {"title": bad, "description": bad, "x": bad,
                       "datetime": "2026-01-01T00:00:00Z"},
        "links": [{"rel": bad, "href": "https://example.org/?a=<b>\"'"}],
        "assets": {bad: {"href": "https://example.org/\"onclick='x'"}},
    }  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": [item], "links": []}).encode()
    server.reply("search", Reply(200, body), Reply(200, body))
    client = client_of(stage.researcher)
    part = client.get(f"/sources/{source.slug}/results").content.decode()
    link = html.fromstring(part).xpath("//a[contains(@href, '/entry')]/@href")[0]
    page = client.get(link).content.decode()
    for text in (part, page):
        assert bad not in text
        assert not re.search(r"<[^>]* onclick", text)
