"""The main job through OGC API – Processes over real HTTP: read by OWSLib's client, run on a real
WPS 1.0.0 provider; and a process of an OGC API provider run from WPS."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from owslib.ogcapi.processes import Processes
from owslib.wps import ASYNC, ComplexDataInput, WebProcessingService

from accounting.check import findings
from common.crypto import encrypt
from jobs.models import Job
from jobs.worker import Worker
from people.models import User
from people.services import create_api_key
from providers import own
from providers.ports import Endpoint
from providers.registry import driver_of
from tests.demo.conftest import Provider, provider, scene  # noqa: F401 (fixtures)
from tests.factories import World, make_app, make_provider, make_service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

POINTS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Point", "coordinates": [7.1, 46.2]},
        }
    ],
}


@pytest.fixture
def worker(transactional_db: None, settings: Any) -> Iterator[None]:
    settings.POLL_SECONDS_FIRST = settings.POLL_SECONDS_MOST = 0.1
    own.ensure()
    running = Worker(threads=2)
    running.start()
    yield
    running.stop()


class Script:
    """What a script would do, with urllib."""

    def __init__(self, base: str, user: User) -> None:
        self.base = base
        self.key = create_api_key(user=user, name="script", scopes=["read", "run"])[1]

    def ask(self, address: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        """Status, headers, body."""
        request = urllib.request.Request(
            address if address.startswith("http") else f"{self.base}/ogcapi/{address}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def followed(self, address: str) -> Any:
        """The status at the end of a job."""
        for _ in range(400):
            status = json.loads(self.ask(address)[2])
            if status["status"] not in ("accepted", "running"):
                return status
            time.sleep(0.1)
        pytest.fail(f"still {status}")


@pytest.fixture
def world(worker: None, provider: Provider) -> World:  # noqa: F811 (a fixture)
    """The demo's PyWPS provider with some of its processes as it describes them itself."""
    url = f"{provider.base}/wps"
    names = ("hello", "buffer", "fail", "echo")
    found = driver_of("wps-1.0").describe(Endpoint(url), names).found
    world = World(url=url, description=found["hello"])
    services = tuple(make_service(world.provider, found[one]) for one in names[1:])
    make_app(world.operator, services, group=world.group)
    world.set_price(0)
    return world


def test_a_wps_provider_is_read_and_run_as_an_api(live_server: Any, world: World) -> None:
    """wps-proxy §1: any pair is translated. Described by PyWPS in XML, read by OWSLib in JSON."""
    script = Script(live_server.url, world.researcher)
    slug = world.provider.slug
    client = Processes(
        f"{live_server.url}/ogcapi/", headers={"Authorization": f"Bearer {script.key}"}
    )
    try:
        assert client.conformance()["conformsTo"]
        assert client.api()["openapi"].startswith("3.0")
        listed = {one["id"] for one in client.processes()}
        assert {f"{slug}.hello", f"{slug}.buffer", "portal.echo"} <= listed
        described = client.process(f"{slug}.buffer")
        schema = described["inputs"]["distance"]["schema"]
        assert schema["type"] == "number"
        done = client.execute(f"{slug}.hello", {"name": "Ada"}, response="document")
        assert "Ada" in done["greeting"]
    finally:
        client.headers.pop("Authorization")  # OWSLib shares them between all its clients

    inputs = {"features": {"value": POINTS, "mediaType": "application/geo+json"}, "distance": 100}
    status, headers, _ = script.ask(
        f"processes/{slug}.buffer/execution",
        {"inputs": inputs, "response": "document"},
        Prefer="respond-async",
    )
    assert (status, headers["Preference-Applied"]) == (201, "respond-async")
    ended = script.followed(headers["Location"])
    assert (ended["status"], ended["progress"]) == ("successful", 100)
    results = json.loads(script.ask(f"{headers['Location']}/results")[2])
    assert results["count"] == 1
    assert results["result"]["value"]["type"] == "FeatureCollection"
    raw = {"inputs": inputs, "outputs": {"result": {}}}
    status, headers, body = script.ask(f"processes/{slug}.buffer/execution", raw)
    assert (status, headers["Content-Type"]) == (200, "application/geo+json")
    assert json.loads(body) == results["result"]["value"]
    assert findings() == []


def test_a_run_that_fails_there_tells_why_here(
    live_server: Any,
    world: World,
    provider: Provider,  # noqa: F811 (a fixture)
) -> None:
    script = Script(live_server.url, world.researcher)
    body = {"inputs": {"message": "No clear sky."}}
    status, headers, told = script.ask(f"processes/{world.provider.slug}.fail/execution", body)
    assert status == 502
    problem = json.loads(told)
    assert "No clear sky." in problem["detail"]
    assert headers["Content-Type"] == "application/problem+json"
    assert str(provider.port).encode() not in told


def test_a_process_of_an_api_runs_from_wps(live_server: Any, world: World) -> None:
    """The same the other way: an OGC API – Processes provider (the portal's own door) behind /wps,
    driven by OWSLib's WPS client."""
    key = create_api_key(user=world.operator, name="provider", scopes=["read", "run"])[1]
    url = f"{live_server.url}/ogcapi/"
    driver = driver_of("ogcapi-processes")
    endpoint = Endpoint(url, world.operator.username, key)
    assert "portal.echo" in [one.identifier for one in driver.capabilities(endpoint).processes]
    described = driver.describe(endpoint, ["portal.echo"]).found["portal.echo"]
    remote = make_provider(
        world.provider_owner,
        url=url,
        protocol="ogcapi-processes",
        username=world.operator.username,
        secret=encrypt(key),
    )
    make_app(world.operator, (make_service(remote, described),), group=world.group)

    script = Script(live_server.url, world.researcher)
    wps = WebProcessingService(
        f"{live_server.url}/wps", username=world.researcher.username, password=script.key
    )
    identifier = f"{remote.slug}.portal.echo"
    assert identifier in [one.identifier for one in wps.processes]
    assert [one.identifier for one in wps.describeprocess(identifier).processOutputs] == [
        *("literal", "complex", "bbox")
    ]
    document = ComplexDataInput('{"a": [1, "<&>"]}', mimeType="application/json")
    run = wps.execute(
        identifier,
        [("literal", "hello"), ("complex", document)],
        output=[("literal", False), ("complex", False)],
        mode=ASYNC,
    )
    for _ in range(300):
        run.checkStatus(sleepSecs=0.1)
        if run.isComplete():
            break
    assert run.isSucceeded(), run.errors
    found = {one.identifier: one.data for one in run.processOutputs}
    assert found["literal"] == ["hello"]
    assert json.loads(found["complex"][0]) == {"a": [1, "<&>"]}
    through = {job.door for job in Job.objects.all()}
    assert through == {"wps", "ogcapi"}  # one job here, and one of the operator at the far side
