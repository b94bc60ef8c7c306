"""Pages of other origins read the catalogue in a real browser, as STAC Browser does.

TEP_STAC_BROWSER is the folder of a built STAC Browser (`npm pack @radiantearth/stac-browser`, then
`vue-cli-service build --historyMode=hash --allowExternalAccess`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from catalogue_client.services import publish, put_collection
from people.models import User
from people.services import create_api_key
from tests.catalogue_client.test_stac_api import fill
from tests.catalogue_client.world import People, record

pytestmark = pytest.mark.django_db(transaction=True)
BUILT = os.environ.get("TEP_STAC_BROWSER", "")

# What a catalogue viewer asks for, with what a page of another origin needs a preflight for.
CALLS = """
async ([stac, key]) => {
    const found = {};
    const ask = async (name, path, options = {}) => {
        try {
            const answer = await fetch(stac + path, options);
            const body = await answer.text();
            found[name] = [answer.status, answer.headers.get("ETag") !== null,
                           answer.headers.get("Location") !== null, body.length > 0];
            return [answer.headers.get("ETag"), body];
        } catch (error) { found[name] = String(error); return ["", ""]; }
    };
    const json = {"Content-Type": "application/json"};
    const signed = {"Authorization": `Bearer ${key}`};
    await ask("landing", "");
    await ask("conformance", "conformance");
    await ask("collections", "collections");
    await ask("queryables", "collections/scenes/queryables");
    await ask("items", "collections/scenes/items?limit=5");
    const [tag] = await ask("item", "collections/scenes/items/s3");
    await ask("unchanged", "collections/scenes/items/s3", {headers: {"If-None-Match": tag}});
    await ask("search", "search", {method: "POST", headers: json, body: '{"limit": 2}'});
    await ask("mistake", "search", {method: "POST", headers: json, body: '{"limit": -2}'});
    await ask("absent", "collections/scenes/items/none");
    await ask("stranger", "collections/results/items/" + PRIVATE);
    await ask("with key", "collections/results/items/" + PRIVATE, {headers: signed});
    await ask("with cookies", "", {credentials: "include"});
    const [, text] = await ask("whole", "collections/own/items/made",
                               {headers: signed});
    const item = {type: "Feature", stac_version: "1.1.0", id: "made",
        geometry: {type: "Point", coordinates: [1, 2]}, bbox: [1, 2, 1, 2],
        properties: {datetime: "2026-01-01T00:00:00Z"}, links: [], assets: {}};
    await ask("create", "collections/own/items",
              {method: "POST", headers: {...json, ...signed}, body: JSON.stringify(item)});
    const [made] = await ask("created", "collections/own/items/made", {headers: signed});
    await ask("patch", "collections/own/items/made", {method: "PATCH",
        headers: {...json, ...signed, "If-Match": made}, body: '{"properties": {"gsd": 3}}'});
    await ask("delete", "collections/own/items/made", {method: "DELETE", headers: signed});
    return found;
}
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of another origin: a built STAC Browser, or an empty page."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Elsewhere</title>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

    handler = partial(Quiet, directory=BUILT or str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def session_of(user: User, base: str) -> dict[str, Any]:
    client = Client()
    client.force_login(user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}


def test_a_page_of_another_origin_reads_and_writes_with_a_key_alone(
    live_server: Any, elsewhere: str, page: Page
) -> None:
    people = People()
    fill(12)
    put_collection(document={"id": "own", "title": "Own"}, owner=people.owner)
    private = publish(record=record(people.owner))
    _, key = create_api_key(user=people.owner, name="viewer", scopes=["read", "manage"])
    page.context.add_cookies([session_of(people.owner, live_server.url)])
    page.goto(f"{elsewhere}/")
    calls = CALLS.replace("PRIVATE", f'"{private.identifier}"')
    found = page.evaluate(calls, [f"{live_server.url}/stac/", key])
    statuses = {n: answer[0] if isinstance(answer, list) else answer for n, answer in found.items()}
    refused = statuses.pop("with cookies")
    assert "Failed to fetch" in refused  # another site never acts as the visitor
    assert statuses == {
        **dict.fromkeys(("landing", "conformance", "collections", "queryables", "items"), 200),
        **dict.fromkeys(("item", "search", "with key", "created"), 200),
        "unchanged": 304, "mistake": 400, "absent": 404, "stranger": 404, "whole": 404,
        "create": 201, "patch": 204, "delete": 204,
    }  # fmt: skip
    tagged = {name for name, answer in found.items() if isinstance(answer, list) and answer[1]}
    assert {"item", "unchanged", "created"} <= tagged  # ETag can be read
    assert found["create"][2]  # Location too


@pytest.mark.skipif(not BUILT, reason="TEP_STAC_BROWSER names no build")
def test_stac_browser(live_server: Any, elsewhere: str, page: Page) -> None:
    fill(12)
    failed: list[str] = []
    stac = f"{live_server.url}/stac/"
    page.on("requestfailed", lambda one: failed.append(f"{one.url}: {one.failure}"))
    page.on("response", lambda one: failed.append(one.url)
            if one.url.startswith(stac) and one.status >= 400 else None)  # fmt: skip
    page.on("console", lambda said: failed.append(said.text) if "CORS" in said.text else None)
    page.goto(f"{elsewhere}/#/external/{stac.replace('://', ':/')}")
    page.get_by_role("link", name="Scenes").first.click()
    expect(page.get_by_role("heading", name="Scenes").first).to_be_visible()
    page.get_by_role("link", name="s11").first.click()
    expect(page.get_by_role("heading", name="s11").first).to_be_visible()
    expect(page.get_by_role("tab", name="red")).to_be_visible()
    assert f"{stac.partition('://')[2]}collections/scenes/items/s11" in page.url
    page.goto(f"{elsewhere}/#/search/external/{stac.replace('://', ':/')}")
    page.get_by_role("tab", name="Items").click()
    page.get_by_role("button", name="Submit").filter(visible=True).click()
    expect(page.get_by_text("s11").first).to_be_visible()
    assert [text for text in failed if text.startswith(stac) or "CORS" in text] == []
