"""Whatever is sent, the answer is one of the protocol's: never a 500, never a leak."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.models import Job
from tests.factories import World
from tests.wps_proxy.ogcapi.conftest import Api

texts = st.text(max_size=12) | st.sampled_from(
    ["", "\x00", "\ud800", "fast", "image/tiff", "text/xml", "base64", "../..", "http://[::1]/"]
)
numbers = st.integers() | st.floats() | st.sampled_from([1e308, 10**40, -0.0])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from(
    ["value", "href", "bbox", "crs", "type", "mediaType", "encoding", "schema", "format", "uom"]
)
inputs = st.dictionaries(
    st.sampled_from(["depth", "mode", "area", "parcels", "note", "quotation"]) | texts,
    values
    | st.dictionaries(members, values | st.lists(numbers, min_size=4, max_size=4), max_size=3),
    max_size=4,
)
outputs = st.dictionaries(
    st.sampled_from(["mean", "change", "zones"]) | texts,
    st.fixed_dictionaries({}, optional={"transmissionMode": texts, "format": values}) | values,
    max_size=3,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "inputs": inputs | values,
        "outputs": outputs | values,
        "response": st.sampled_from(["raw", "document"]) | values,
        "subscriber": st.dictionaries(
            st.sampled_from(["successUri", "failedUri", "inProgressUri"]), texts, max_size=2
        )
        | values,
        "mode": values,
    },
)
no_database_between = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KNOWN = {200, 201, 204, 400, 402, 404, 409, 413, 502}


@pytest.fixture
def free(api: Api, world: World) -> Api:
    """A client whose runs cost nothing: no refusal for want of credit hides another."""
    world.set_price(0)
    return api


@given(body=bodies)
@no_database_between
def test_any_body_has_an_answer(free: Api, body: dict[str, Any]) -> None:
    response = free.post(json.dumps(body), query="?quotation=true")
    assert response.status_code in KNOWN
    later = free.client.post(
        f"/ogcapi/processes/{quote(free.identifier)}/execution",
        json.dumps(body),
        content_type="application/json",
        headers={**free.headers, "Prefer": "respond-async"},
    )
    assert later.status_code in KNOWN
    if later.status_code == 201:  # what was taken can be told back
        job = Job.objects.get(pk=later.json()["jobID"])
        assert job.input_values
        job.request()


@given(
    body=st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@no_database_between
def test_any_bytes_have_an_answer(free: Api, body: bytes) -> None:
    assert free.post(body).status_code in KNOWN


def test_deep_and_long_bodies_are_refused(free: Api) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert free.post('{"inputs": {"parcels": ' + deep + "}}").status_code == 400
    assert free.post('{"inputs": {"depth": ' + "9" * 10_000 + "}}").status_code == 400
    many = {"note": ["x"] * 2000, "mode": "fast"}
    assert free.run(many).status_code == 400
    assert free.post(b" " * (11 * 2**20)).status_code == 413
    for odd in ('{"inputs": {"depth": NaN}}', '{"inputs": {"depth": Infinity}}', "nul"):
        assert free.post(odd).status_code == 400


names = st.sampled_from(
    [
        *("limit", "offset", "after", "type", "processID", "status", "datetime"),
        *("minDuration", "maxDuration", "f", "account"),
    ]
)


@given(query=st.lists(st.tuples(names, st.text(max_size=25)), max_size=4))
@no_database_between
def test_any_parameters_have_an_answer(free: Api, query: list[tuple[str, str]]) -> None:
    text = urlencode(query, errors="surrogatepass")
    for path in ("jobs", "processes"):
        response = free.client.get(f"/ogcapi/{path}?{text}", headers=free.headers)
        assert response.status_code in (200, 400)


@given(path=st.text(max_size=20))
@no_database_between
def test_any_address_has_an_answer(free: Api, path: str) -> None:
    encoded = quote(path, safe="", errors="surrogatepass")
    for address in (f"processes/{encoded}", f"jobs/{encoded}", f"jobs/{encoded}/results", encoded):
        response = free.client.get(f"/ogcapi/{address}", headers=free.headers)
        assert response.status_code in (200, 400, 404), address


@given(prefer=st.text(max_size=40))
@no_database_between
def test_any_preference_has_an_answer(free: Api, prefer: str) -> None:
    told = prefer.encode("latin-1", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
    response = free.client.post(
        f"/ogcapi/processes/{quote(free.identifier)}/execution?quotation=true",
        json.dumps({"inputs": {"mode": "fast"}}),
        content_type="application/json",
        headers={**free.headers, "Prefer": told},
    )
    assert response.status_code == 200
