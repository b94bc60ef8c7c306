"""Catalogues that attack: each search ends soon, with a clear error or a warning, and nothing
leaks; whichever protocol they speak."""

from __future__ import annotations

import gzip
import itertools
import json
import time
from collections.abc import Callable

import pytest
from pytest_django import Settings

from catalogue_client.models import CatalogueSource
from catalogue_client.sources import crawling, searching, services
from catalogue_client.sources.ports import Query
from catalogue_client.sources.searching import Answer, search
from common.errors import InvalidInput
from people.models import User
from tests.catalogue_client.sources.conftest import register
from tests.fakes.catalogues import FakeCatalogue
from tests.fakes.http_server import Reply

KINDS = ("stac-api", "ogc-records", "opensearch", "opensearch-json", "csw")
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
HOSTILE: dict[str, Callable[[], Reply]] = {
    "nothing": lambda: Reply(200, b""),
    "binary": lambda: Reply(200, b"\x89PNG\r\n\x1a\n" + b"\x00" * 64),
    "half a document": lambda: Reply(200, b'{"type": "FeatureCollection", "features": [{'),
    "other JSON": lambda: Reply(200, b'{"features": 7, "links": 3}'),
    "a list": lambda: Reply(200, b"[1, 2]"),
    "deep JSON": lambda: Reply(200, b'{"features":' + b"[" * 100_000),
    "JSON in 300 levels": lambda: Reply(200, b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"),
    "billion laughs": lambda: Reply(
        200, b'<!DOCTYPE a [<!ENTITY a0 "ha">' + ENTITIES + b"]><a>&a9;</a>"
    ),
    "external entity": lambda: Reply(
        200, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    ),
    "gzip bomb": lambda: Reply(
        200, gzip.compress(b" " * 60_000_000, 1), {"Content-Encoding": "gzip"}
    ),
    "50 MB": lambda: Reply(200, itertools.repeat(b" " * 2**20, 50)),
    "500": lambda: Reply(500, b"Traceback: /srv/secret.py"),
    "401": lambda: Reply(401, b"no"),
    "hangs up": lambda: Reply(hang_up=True),
    "slow drip": lambda: Reply(200, itertools.repeat(b" ", 10**6), pause=0.05),
    "silence": lambda: Reply(delay=8),
    "to metadata": lambda: Reply(302, b"", {"Location": "http://169.254.169.254/latest/"}),
    "to another port": lambda: Reply(302, b"", {"Location": "http://10.0.0.1:1/admin"}),
    "to a file": lambda: Reply(302, b"", {"Location": "file:///etc/passwd"}),
    "for ever": lambda: Reply(302, b"", {"Location": "/loop"}),
}
SECRETS = ("127.0.0.1", "169.254", "10.0.0.1", "passwd", "/srv", "s3cret", "Traceback")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_it_answers_the_search_ends_with_an_error(
    owner: User, server: FakeCatalogue, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "GRACE", 0.2)
    source = register(owner, server, kind, username="ada", password="s3cret")
    wrong = {}
    for name, reply in HOSTILE.items():
        server.restore()
        server.reply("search", reply(), times=None)
        server.reply("other", reply(), times=None)
        begun = time.monotonic()
        answer = search(owner, [source], Query(text="x"), seconds=1.0)[0]
        spent = time.monotonic() - begun
        if not answer.error or answer.page.records or spent > 5:
            wrong[name] = (answer, spent)
        elif any(secret in answer.error for secret in SECRETS):
            wrong[name] = answer.error
    assert wrong == {}


def first(owner: User, source: CatalogueSource, cursor: str = "") -> Answer:
    cursors = {source.slug: cursor} if cursor else None
    return search(owner, [source], Query(limit=2), cursors=cursors)[0]


def feature(**more: object) -> dict[str, object]:
    return {"type": "Feature", "id": "a", "geometry": None, "properties": {}, **more}


def page(features: list[object], href: str = "", **more: object) -> Reply:
    links = [{"rel": "next", "href": href, **more}] if href else []
    body = {"type": "FeatureCollection", "features": features, "links": links}
    return Reply(200, json.dumps(body).encode())


def test_credentials_and_cursors_stay_at_their_origin(owner: User, server: FakeCatalogue) -> None:
    source = register(
        owner, server, "stac-api", username="ada", password="s3cret",
        secret_headers={"X-Api-Key": "k3y"},
    )  # fmt: skip
    assert len(server.requests("search")) == 1  # whether the door opens
    with FakeCatalogue() as other:
        for href in (f"{other.base}/stac/search?token=2", f"//127.0.0.1:{other.port}/x",
                     "http://127.0.0.1@evil.example/", "http://169.254.169.254/"):  # fmt: skip
            server.reply("search", page([feature()], href))
            answer = first(owner, source)
            assert [one.id for one in answer.page.records] == ["a"]
            assert answer.cursor == ""
            assert any("another server" in text or "none" in text for text in answer.page.warnings)
        # A redirect to another server is followed without anything that opens this one.
        server.reply("search", Reply(302, b"", {"Location": f"{other.base}/stac/search?limit=1"}))
        first(owner, source)
        assert all("authorization" not in one.headers for one in other.received)
        assert all("x-api-key" not in one.headers for one in other.received)
    own = server.requests("search")[0].headers
    assert own["authorization"].startswith("Basic ")
    assert own["x-api-key"] == "k3y"


def test_pages_without_end_and_broken_ones(owner: User, server: FakeCatalogue) -> None:
    source = register(owner, server, "stac-api")
    here = f"{server.base}/stac/search?again=1"
    server.reply("search", page([feature()], here), times=None)
    answer = first(owner, source)
    assert answer.cursor
    again = first(owner, source, answer.cursor)  # the same page once more: that is the end
    assert again.cursor == ""
    assert "same page" in " ".join(again.page.warnings)
    server.restore()
    server.reply("search", page([], here))
    assert first(owner, source).cursor == ""  # nothing, and yet a next page
    server.reply("search", page([feature()], here), Reply(500, b"no"))
    answer = first(owner, source)
    broken = first(owner, source, answer.cursor)
    assert broken.code == "provider_unreachable"
    server.reply("search", page([feature(id="b")]))
    assert first(owner, source, answer.cursor).error == ""  # and may be asked again


def test_a_cursor_is_the_portals_own(owner: User, server: FakeCatalogue) -> None:
    source = register(owner, server, "stac-api")
    cursor = first(owner, source).cursor
    with pytest.raises(InvalidInput):
        first(owner, source, cursor[:-3] + "abc")
    with pytest.raises(InvalidInput):  # of another search
        search(owner, [source], Query(text="x"), cursors={source.slug: cursor})


def test_entries_that_are_none_are_left_out_and_told(owner: User, server: FakeCatalogue) -> None:
    source = register(owner, server, "stac-api")
    ring = [[0, 0], [500, 0], [0, 1], [0, 0]]
    features = [
        None, 7, {}, feature(id=""), feature(id=None), feature(id={"a": 1}), feature(id="x" * 5000),
        feature(id="bad place", geometry={"type": "Polygon", "coordinates": [ring]}, bbox="no"),
        feature(id="script", links=[{"rel": "via", "href": "javascript:alert(1)"}],
                assets={"a": {"href": "file:///etc/passwd"}, "b": 3, "c": {"href": 5}}),
        feature(id="nul\x00", properties={"title": "a\x00b", "datetime": "yesterday"}),
        feature(id="time", properties={"datetime": "9999-99-99T99:99:99Z"}),
        feature(id="end", properties={"start_datetime": "2026-02-01T00:00:00Z",
                                      "end_datetime": "2026-01-01T00:00:00Z"}),
        *(feature(id=f"many-{n}") for n in range(1200)),
    ]  # fmt: skip
    server.reply("search", page(features))
    answer = first(owner, source)
    found = {one.id: one for one in answer.page.records}
    assert {"bad place", "script", "time", "end", "many-0"} <= set(found)
    assert len(found) <= 1000
    assert answer.page.warnings
    assert found["script"].document["links"] == []
    assert found["script"].document["assets"] == {}
    assert found["bad place"].document["geometry"] is None
    assert "\x00" not in json.dumps([one.document for one in found.values()])
    assert all(one.document["properties"]["datetime"] is None for one in found.values())


def test_a_crawl_is_bounded_in_depth_and_stays_at_home(owner: User, server: FakeCatalogue) -> None:
    source = register(owner, server, "static-stac")
    numbers = itertools.count()

    def deeper() -> Reply:
        links = [
            {"rel": "child", "href": f"./{next(numbers)}.json"},
            {"rel": "child", "href": "http://169.254.169.254/latest"},
            {"rel": "item", "href": "javascript:alert(1)"},
        ]
        body = {"type": "Catalog", "stac_version": "1.0.0", "id": "x", "links": links}
        return Reply(200, json.dumps(body).encode())

    asked = len(server.received)
    server.reply("static", *(deeper() for _ in range(100)))
    assert crawling.crawl(source)
    assert len(server.received) - asked < 20
    source.refresh_from_db()
    assert source.crawl_notes
    assert source.records.count() == 30  # not complete: what was known is kept


def test_a_slow_source_keeps_no_other_waiting(owner: User, server: FakeCatalogue) -> None:
    quick = register(owner, server, "csw")
    static = register(owner, server, "static-stac")
    with FakeCatalogue() as slow:
        late = services.register(owner=owner, url=slow.address("stac-api"), slug="late")
        slow.reply("search", Reply(delay=6), times=None)
        begun = time.monotonic()
        answers = search(owner, [late, quick, None, static], Query(limit=3), seconds=1.5)
    assert time.monotonic() - begun < 5
    assert [one.slug for one in answers] == ["late", "s-csw", "portal", "s-static-stac"]
    assert [one.code for one in answers] == ["provider_timeout", "", "", ""]
    assert [len(one.page.records) for one in answers] == [0, 3, 0, 3]


def test_a_private_address_is_not_looked_at(owner: User, settings: Settings) -> None:
    from common.errors import AddressRefused, ProviderError

    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_ALLOW_USERS = []
    with FakeCatalogue() as server:
        with pytest.raises((AddressRefused, ProviderError)) as caught:
            services.register(owner=owner, url=server.address("stac-api"))
        assert server.received == []
        assert "127.0.0.1" not in caught.value.detail
    assert not CatalogueSource.objects.exists()
