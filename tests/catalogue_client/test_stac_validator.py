"""stac-api-validator, an independent tester of STAC APIs, against a real server over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from catalogue_client.services import put_collection, put_item
from people.services import create_api_key
from tests.catalogue_client.world import People, scene

CLASSES = ("core", "collections", "features", "item-search", "filter", "transaction")
CLASSES += ("item-search#sort",)
SCHEMAS = "schemas.stacspec.org"
AREA = {"type": "Polygon", "coordinates": [[[-5, 39], [60, 39], [60, 42], [-5, 42], [-5, 39]]]}


@pytest.mark.django_db(transaction=True)
def test_an_independent_tester_finds_no_error(live_server: Any) -> None:
    pytest.importorskip("stac_api_validator")
    people = People()
    scenes = put_collection(document={"id": "scenes", "title": "S", "license": "CC-BY-4.0"})
    put_collection(document={"id": "own", "title": "O"}, owner=people.owner)
    for n in range(15):
        day = f"2021-04-{n + 1:02}T04:39:23Z"
        given = scene(f"s{n}", west=n * 3.0, datetime=day, **{"eo:cloud_cover": n * 5})
        put_item(collection=scenes, document=given)
    _, key = create_api_key(user=people.owner, name="tester", scopes=["read", "manage"])
    command = [sys.executable, "-m", "stac_api_validator", "--root-url", f"{live_server.url}/stac/"]
    command += ["--collection", "scenes", "--geometry", json.dumps(AREA)]
    command += ["--transaction-collection", "own", "--auth-bearer-token", key]
    for name in CLASSES:
        command += ["--conformance", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
    told = done.stdout + done.stderr
    _, heading, errors = told.partition("Errors:")
    assert heading, told[-4000:]
    # It fetches the schemas of documents from the web; ours are checked against local copies.
    found = [line for line in errors.splitlines() if "- [" in line and SCHEMAS not in line]
    assert found == []
