"""Real servers as sources, each in a process of its own: what is installed of them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from catalogue_client.harvesting import steering
from catalogue_client.models import CatalogueSource
from catalogue_client.sources import services
from catalogue_client.sources.ports import Condition, Query
from catalogue_client.sources.searching import record_in
from common.errors import ProviderError
from people.models import User
from tests.catalogue_client.harvesting.conftest import counts, harvest
from tests.catalogue_client.harvesting.conftest import register as register_harvest
from tests.catalogue_client.servers import (
    BIN,
    PGSTAC,
    needs_pgstac,
    pgstac_collections,
    pycsw,
    running,
    until_answered,
)
from tests.catalogue_client.sources.test_contract import walk
from tests.fakes.catalogues import SCENES, FakeCatalogue
from tests.providers.test_pygeoapi import CONFIG, SERVE
from tests.stack import free_port


def register(owner: User, url: str, log: Path) -> CatalogueSource:
    """As soon as the server answers."""
    found = until_answered(lambda: services.register(owner=owner, url=url), log, ProviderError)
    assert isinstance(found, CatalogueSource)
    return found


@pytest.fixture(autouse=True)
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "keep_pace", lambda _user: None)


def prove(owner: User, source: CatalogueSource, word: str, collection: str) -> None:
    every, _answers = walk(owner, source, Query(limit=7))
    assert sorted(one.id for one in every) == [one.id for one in SCENES]
    boxed, _answers = walk(owner, source, Query(bbox=(3.2, 39, 6.1, 41), limit=2))
    assert sorted(one.id for one in boxed) == [f"scene-{n:02d}" for n in (3, 4, 5, 6)]
    worded, _answers = walk(owner, source, Query(text=word, limit=50))
    assert {one.id for one in worded} == {s.id for s in SCENES if word in s.title}
    record = record_in(owner, source, collection, "scene-04")
    assert record.bbox == SCENES[3].box


def test_pygeoapi_records(owner: User, tmp_path: Path) -> None:
    pytest.importorskip("pygeoapi")
    server, port = FakeCatalogue(), free_port()
    rows = {str(one.number): {**server._record(one), "links": []} for one in SCENES}
    (tmp_path / "records.json").write_text(json.dumps({"_default": rows}))
    resource = f"""
  scenes:
    type: collection
    title: Scenes
    description: d
    keywords: [a]
    extents: {{spatial: {{bbox: [-180, -90, 180, 90]}}}}
    providers:
      - {{type: record, name: TinyDBCatalogue, data: {tmp_path}/records.json, id_field: externalId,
         time_field: created, title_field: title}}
"""
    for row in rows.values():
        row["properties"]["externalId"] = row["id"]
        row["properties"]["_metadata-anytext"] = row["properties"]["title"]
        row["properties"]["type"] = "dataset"
        row["properties"]["created"] = row["time"]["interval"][0]
    (tmp_path / "records.json").write_text(json.dumps({"_default": rows}))
    config = tmp_path / "config.yml"
    config.write_text(CONFIG.format(port=port, folder=tmp_path) + resource)
    files = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(tmp_path / "openapi.json")}
    with running([sys.executable, "-c", SERVE, str(port)], tmp_path, **files):
        source = register(owner, f"http://127.0.0.1:{port}/", tmp_path / "log")
        assert source.kind == "ogc-records"
        prove(owner, source, "red", "scenes")
        harvested = register_harvest(owner, f"http://127.0.0.1:{port}/")
        assert counts(harvest(harvested)) == (30, 30, 0, 0, 0, 0)
        steering.want_run(source=harvested, full=True)
        assert counts(harvest(harvested)) == (30, 0, 0, 30, 0, 0)


def test_rustac(owner: User, tmp_path: Path) -> None:
    command = shutil.which("rustac", path=str(BIN))
    if command is None:
        pytest.skip("rustac is not installed")
    port, server = free_port(), FakeCatalogue()
    items = [{**server.item(one), "links": []} for one in SCENES]
    (tmp_path / "items.json").write_text(json.dumps({"type": "FeatureCollection",
                                                     "features": items}))  # fmt: skip
    serve = [command, "serve", "--addr", f"127.0.0.1:{port}", "--create-collections", "items.json"]
    with running(serve, tmp_path):
        source = register(owner, f"http://127.0.0.1:{port}/", tmp_path / "log")
        assert source.kind == "stac-api"
        prove(owner, source, "red", "even")


@pytest.mark.parametrize(
    ("door", "kind", "collection"),
    [
        ("", "opensearch", ""),
        ("?service=CSW&version=2.0.2&request=GetCapabilities", "csw", "even"),
        ("?mode=opensearch&service=CSW&version=3.0.0&request=GetCapabilities", "opensearch", ""),
    ],
)
def test_pycsw(owner: User, tmp_path: Path, door: str, kind: str, collection: str) -> None:
    """It has several doors at one address; its template for Atom is escaped twice."""
    with FakeCatalogue() as written:
        records = {one.id: written.csw_record(one, with_names=True) for one in SCENES}
    with pycsw(tmp_path, records) as url:
        source = register(owner, url + door, tmp_path / "log")
        assert source.kind == kind
        prove(owner, source, "red", collection)


@needs_pgstac
def test_pgstac(owner: User, tmp_path: Path) -> None:
    with FakeCatalogue() as written:
        items = [{**written.item(one), "links": [], "assets": {}} for one in SCENES]
    names = ("even", "odd")
    pgstac_collections({n: [i for i in items if i["collection"] == n] for n in names})
    source = register(owner, PGSTAC, tmp_path / "log")
    assert source.kind == "stac-api"
    assert {"filters", "sort", "ids", "time"} <= set(source.abilities)
    prove(owner, source, "red", "even")
    clear, _answers = walk(owner, source, Query(filters=(Condition("eo:cloud_cover", "<=", 9),)))
    assert {one.id for one in clear} == {"scene-01", "scene-02", "scene-03"}
