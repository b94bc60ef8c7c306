"""Catalogues of others on 127.0.0.1 that take records: a STAC API with transactions, an Atom index.

Both do what real ones do (create only what is new, replace only what is there, demand credentials)
and whatever a script says; `reply("POST", Reply(hang_up=True, after=True))` loses an answer.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from tests.fakes.http_server import Received, Reply, ScriptedServer

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"


class Catalogue(ScriptedServer):
    """What both have in common: kinds of requests are methods; `token` must be sent, if set."""

    def __init__(self) -> None:
        super().__init__()
        self.token = ""

    def kind_of(self, method: str, target: str) -> str:
        del target
        return method

    def work(self, got: Received) -> Reply:
        if self.token and got.headers.get("authorization") != f"Bearer {self.token}":
            return answer(401, {"code": "Unauthorized"})
        return self.do(got)

    def do(self, got: Received) -> Reply:
        raise NotImplementedError


class FakeStac(Catalogue):
    """STAC API – Transactions 1.0: 201 with Location, 409, 404, 412; ETags if `tagged`."""

    def __init__(self, *collections: str, tagged: bool = True) -> None:
        super().__init__()
        self.collections: dict[str, Any] = {name: {"id": name} for name in collections}
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[tuple[str, str], int] = {}
        self.tagged = tagged
        self.makes_collections = True

    @property
    def url(self) -> str:
        return f"{self.base}/stac"

    def do(self, got: Received) -> Reply:
        parts = got.path.removeprefix("/stac").strip("/").split("/")
        if parts == ["collections"] and got.method == "POST":
            return self._collection(json.loads(got.body))
        if parts[1:2] and parts[1] not in self.collections:
            return answer(404, {"code": "NotFoundError", "description": "no such collection"})
        if len(parts) == 3 and got.method == "POST":
            return self._create(parts[1], json.loads(got.body))
        if len(parts) == 4:
            return self._item(got, (parts[1], parts[3]))
        return answer(405, {})

    def _collection(self, document: dict[str, Any]) -> Reply:
        if not self.makes_collections:
            return answer(405, {})
        if document["id"] in self.collections:
            return answer(409, {"code": "ConflictError"})
        self.collections[document["id"]] = document
        return answer(201, document)

    def _create(self, collection: str, document: dict[str, Any]) -> Reply:
        key = (collection, document["id"])
        if document["geometry"] is None:
            return answer(400, {"code": "InvalidParameterValue", "description": "Geometry needed"})
        if key in self.items:
            return answer(409, {"code": "ConflictError"})
        self._keep(key, document)
        return answer(
            201, self.items[key], {"Location": f"{self.url}/collections/{key[0]}/items/{key[1]}"}
        )

    def _keep(self, key: tuple[str, str], document: dict[str, Any]) -> None:
        self.tags[key] = self.tags.get(key, 0) + 1
        links = [{"rel": "self", "href": f"{self.url}/collections/{key[0]}/items/{key[1]}"}]
        self.items[key] = {**document, "collection": key[0], "links": document["links"] + links}

    def _item(self, got: Received, key: tuple[str, str]) -> Reply:
        if key not in self.items:
            return answer(404, {"code": "NotFoundError"})
        tag = {"ETag": f'"{self.tags[key]}"'} if self.tagged else {}
        if got.method == "GET":
            return answer(200, self.items[key], tag)
        if self.tagged and got.headers.get("if-match", tag["ETag"]) != tag["ETag"]:
            return answer(412, {"code": "Stale"})
        if got.method == "PUT":
            self._keep(key, json.loads(got.body))
            return answer(200, self.items[key])
        del self.items[key]
        return Reply(204)


class FakeIndex(Catalogue):
    """An index of Atom entries by `dc:identifier`: POST of a feed, GET search, DELETE query."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, Any] = {}
        self.errors = 0

    @property
    def url(self) -> str:
        return f"{self.base}/index"

    def do(self, got: Received) -> Reply:
        uid = parse_qs(urlsplit(got.target).query).get("uid", [""])[0]
        if got.method == "POST":
            return self._take(etree.fromstring(got.body))
        if got.method == "DELETE":
            return answer(200, {"deleted": int(self.entries.pop(uid, None) is not None)})
        feed = etree.Element(f"{ATOM}feed")
        feed.extend([self.entries[uid]] if uid in self.entries else [])
        return Reply(200, etree.tostring(feed), {"Content-Type": "application/atom+xml"})

    def _take(self, feed: Any) -> Reply:
        new = {e.findtext(f"{DC}identifier"): e for e in feed.iter(f"{ATOM}entry")}
        if self.errors:
            return answer(200, {"added": 0, "updated": 0, "errors": self.errors})
        self.entries |= new
        return answer(200, {"added": len(new), "updated": 0, "errors": 0})


def answer(status: int, document: Any, headers: dict[str, str] | None = None) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(document).encode(), headers or {})
