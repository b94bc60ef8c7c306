"""The main job through WPS, by a client that we did not write: OWSLib, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounting.check import findings
from accounting.usage.importer import import_message
from common.crypto import encrypt
from jobs.models import Job
from jobs.states import State
from jobs.usage_senders import sender_of
from jobs.worker import Worker
from people.models import User
from people.services import create_api_key
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
)
from tests.factories import CREDIT, World
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.schemas import valid

owslib_wps = pytest.importorskip("owslib.wps")
owslib_util = pytest.importorskip("owslib.util")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:owslib"),
]

TIFF = bytes(range(256)) * 8
INDEX = ProcessDescription(
    "index",
    "Vegetation index",
    "NDVI over a box.",
    "1.2.0",
    inputs=(
        InputDescription("threshold", LiteralDomain("double", default="0.4"), min_occurs=0),
        InputDescription("kind", LiteralDomain(allowed_values=("NDVI", "NDWI")), "Index"),
        InputDescription("area", BoundingBoxDomain(("EPSG:4326",)), "Area"),
        InputDescription("parcels", ComplexDomain((Format("application/geo+json"),)), min_occurs=0),
    ),
    outputs=(
        OutputDescription("mean", LiteralDomain("double"), "Mean"),
        OutputDescription("result", ComplexDomain((Format("image/tiff"),)), "Result"),
    ),
    store_supported=True,
    status_supported=True,
)


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        server.credentials = ("portal", "provider-secret")
        server.add(INDEX, lambda _: {"mean": "0.61", "result": TIFF})
        yield server


@pytest.fixture
def world(transactional_db: None, wps: FakeWps) -> World:
    secret = {"username": "portal", "secret": encrypt("provider-secret")}
    return World(url=wps.url, description=INDEX, provider_fields=secret)


@pytest.fixture
def worker(transactional_db: None, settings: Any) -> Iterator[None]:
    settings.POLL_SECONDS_FIRST = settings.POLL_SECONDS_MOST = 0.05
    running = Worker(threads=2)
    running.start()
    yield
    running.stop()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, wps: FakeWps) -> Iterator[list[Any]]:
    """Everything that the client got, searched at the end for what must never get out."""
    got: list[Any] = []
    original = owslib_util.requests.request

    def recording(*args: Any, **kwargs: Any) -> Any:
        got.append(original(*args, **kwargs))
        return got[-1]

    monkeypatch.setattr(owslib_util.requests, "request", recording)
    yield got
    assert got
    for answer in got:
        told = answer.content + repr(sorted(answer.headers.items())).encode()
        for secret in (f":{wps.port}".encode(), b"provider-secret", b"portal:p"):
            assert secret not in told
        if answer.headers["Content-Type"] == "text/xml":
            valid(answer.content)


Connect = Callable[..., Any]


@pytest.fixture
def connect(live_server: Any, worker: None, answers: list[Any]) -> Connect:
    def service(user: User, path: str = "/wps") -> Any:
        key = create_api_key(user=user, name="script", scopes=["read", "run"])[1]
        return owslib_wps.WebProcessingService(
            live_server.url + path, username=user.username, password=key, timeout=30
        )

    return service


def inputs(**more: Any) -> list[tuple[str, Any]]:
    box = owslib_wps.BoundingBoxDataInput([11.0, 45.0, 12.0, 46.0], crs="EPSG:4326")
    return [("kind", "NDVI"), ("area", box), *more.items()]


def wait(execution: Any) -> None:
    """As `monitorExecution` does, with a limit."""
    for _ in range(400):
        execution.checkStatus(sleepSecs=0.05)
        if execution.isComplete():
            return
    pytest.fail(f"still {execution.status}")


def test_list_describe_run_asynchronously_and_read_the_results(
    connect: Connect, world: World, wps: FakeWps, tmp_path: Any
) -> None:
    service = connect(world.researcher)
    identifier = f"{world.provider.slug}.index"
    assert service.identification.type == "WPS"
    assert [p.identifier for p in service.processes] == [identifier, "portal.echo"]
    described = service.describeprocess(identifier)
    assert described.processVersion == "1.2.0"
    assert [i.identifier for i in described.dataInputs] == ["threshold", "kind", "area", "parcels"]
    assert described.dataInputs[1].allowedValues == ["NDVI", "NDWI"]
    assert described.statusSupported
    assert described.storeSupported

    parcels = owslib_wps.ComplexDataInput(
        '{"type": "Point", "coordinates": [1, 2]}', mimeType="application/geo+json"
    )
    wps.polls = 2
    execution = service.execute(
        identifier,
        inputs(parcels=parcels),
        output=[("mean", False), ("result", True, "image/tiff")],
        mode=owslib_wps.ASYNC,
        lineage=True,
    )
    assert execution.status == "ProcessAccepted"
    wait(execution)
    assert execution.isSucceeded()
    assert [o.identifier for o in execution.processOutputs] == ["mean", "result"]
    assert execution.processOutputs[0].data == ["0.61"]
    execution.getOutput(str(tmp_path / "result.tif"), "result")
    assert (tmp_path / "result.tif").read_bytes() == TIFF

    job = Job.objects.get()
    assert (job.state, job.door, job.owner) == (State.COMPLETED, "wps", world.researcher)
    (sent,) = wps.executes
    assert sent.reference == str(job.pk)
    import_message(
        (
            "APEL-individual-job-message: v0.3\n"
            f"Site: {world.provider.usage_site}\nSubmitHost: wps\nLocalJobId: {job.pk}\n"
            "WallDuration: 30\nCpuDuration: 20\nProcessors: 1\n"
            "StartTime: 1767225600\nEndTime: 1767225630\n%%\n"
        ).encode(),
        source="test",
        signer="",
        sender=sender_of(world.provider),
    )
    world.account.refresh_from_db()
    assert (world.account.posted, world.account.held) == (8 * CREDIT, 0)
    assert findings() == []


def test_run_synchronously_at_the_providers_own_address(
    connect: Connect, world: World, wps: FakeWps
) -> None:
    service = connect(world.researcher, f"/wps/{world.provider.slug}")
    execution = service.execute("index", inputs(), output=[("mean", False)], mode=owslib_wps.SYNC)
    assert execution.isSucceeded()
    assert execution.processOutputs[0].data == ["0.61"]
    # Without outputs OWSLib leaves the form of the answer out: all of them, at the end of the run.
    execution = service.execute("index", inputs(), mode=owslib_wps.ASYNC)
    assert {o.identifier for o in execution.processOutputs} == {"mean", "result"}
    assert len(wps.executes) == 2


def test_an_application_offers_its_selection(connect: Connect, world: World, wps: FakeWps) -> None:
    """Runs there belong to it; the portal's own process is at the address of all."""
    service = connect(world.researcher, f"/apps/{world.app.slug}/wps")
    identifier = f"{world.provider.slug}.index"
    assert [p.identifier for p in service.processes] == [identifier]
    execution = service.execute(identifier, inputs(), output=[("mean", False)])
    wait(execution)
    assert execution.processOutputs[0].data == ["0.61"]
    assert f"/apps/{world.app.slug}/wps/jobs/" in execution.statusLocation
    assert Job.objects.get().application == world.app
    echo = connect(world.researcher).execute(
        "portal.echo", [("literal", "a;b=c@d")], output=[("literal", False)], mode=owslib_wps.SYNC
    )
    assert echo.processOutputs[0].data == ["a;b=c@d"]


def test_a_failed_run_tells_why(connect: Connect, world: World, wps: FakeWps) -> None:
    wps.failure = "No data in this box."
    execution = connect(world.researcher).execute(
        f"{world.provider.slug}.index", inputs(), output="mean", mode=owslib_wps.ASYNC
    )
    wait(execution)
    assert execution.status == "Exception"
    assert "No data in this box." in execution.errors[0].text
    world.account.refresh_from_db()
    assert world.account.available == 10 * CREDIT


def test_without_credit_the_client_is_told_and_the_provider_never_called(
    connect: Connect, world: World, wps: FakeWps
) -> None:
    world.set_price(11 * CREDIT)
    service = connect(world.researcher)
    for mode in (owslib_wps.SYNC, owslib_wps.ASYNC):
        with pytest.raises(owslib_util.ServiceException) as caught:
            service.execute(
                f"{world.provider.slug}.index", inputs(), output=[("mean", False)], mode=mode
            )
        for told in ("credit", "11", "10", "missing 1"):
            assert told in str(caught.value)
    time.sleep(0.5)  # the worker would have had time to send something
    assert wps.received == []
    assert not Job.objects.exists()
    assert findings() == []


def test_refusals_reach_the_user_of_the_client(connect: Connect, world: World) -> None:
    assert [p.identifier for p in connect(world.stranger).processes] == ["portal.echo"]
    service = connect(world.researcher)
    with pytest.raises(owslib_util.ServiceException, match="no process"):
        service.describeprocess("no.such")
    with pytest.raises(owslib_util.ServiceException, match='locator="kind"'):
        service.execute(
            f"{world.provider.slug}.index",
            [*inputs()[1:], ("kind", "EVI")],
            output=[("mean", False)],
            mode=owslib_wps.SYNC,
        )
    service.auth.password = "wrong"
    with pytest.raises(owslib_util.ServiceException, match="password is wrong"):
        service.getcapabilities()
