"""eodag, which knows of STAC only what its users write into its configuration, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalogue_client.services import publish
from people.services import create_api_key
from tests.catalogue_client.test_stac_api import fill
from tests.catalogue_client.world import People, record


@pytest.mark.django_db(transaction=True)
def test_eodag_finds_items_and_signed_in_those_of_its_user(
    live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eodag = pytest.importorskip("eodag")
    monkeypatch.setenv("EODAG_CFG_DIR", str(tmp_path))
    monkeypatch.setenv("EODAG_EXT_COLLECTIONS_CFG_URI", "")  # else it asks the web for a list
    people = People()
    fill(12)
    private = publish(record=record(people.owner))
    _, key = create_api_key(user=people.owner, name="eodag", scopes=["read"])
    address = f"{live_server.url}/stac/search"
    dag = eodag.EODataAccessGateway()
    dag.add_provider("open", address)
    box = {"lonmin": 9, "latmin": 39, "lonmax": 21, "latmax": 42}

    def found(provider: str, **asked: Any) -> set[str]:
        results = dag.search(provider=provider, raise_errors=True, **asked)
        return {product.properties["id"] for product in results}

    assert found("open", collection="scenes", limit=50) == {f"s{n}" for n in range(12)}
    assert found("open", collection="scenes", geom=box, start="2025-01-01", end="2025-02-01") == {
        "s1", "s2",
    }  # fmt: skip
    every = dag.search_all(provider="open", collection="scenes", limit=5)
    assert sorted(p.properties["id"] for p in every) == sorted(f"s{n}" for n in range(12))
    [one] = dag.search(provider="open", collection="scenes", id="s3", raise_errors=True)
    assert one.assets["red.tif"]["href"] == f"{live_server.url}/static/demo/red.tif"
    assert one.geometry.bounds == (30.0, 40.0, 31.0, 41.0)
    assert found("open", collection="results") == set()

    dag = eodag.EODataAccessGateway()  # another one: it keeps in mind who has which collection
    dag.add_provider(
        "own",
        address,
        search={"need_auth": True},
        search_auth={
            "type": "HTTPHeaderAuth",
            "matching_url": live_server.url,
            "headers": {"Authorization": "Bearer {apikey}"},
            "credentials": {"apikey": key},
        },
    )
    assert found("own", collection="results") == {private.identifier}
