"""The main job from a script: OWSLib against the running stack, to the exact charge."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any

import pytest
from owslib.util import ServiceException
from owslib.wps import ASYNC, SYNC, BoundingBoxDataInput, WebProcessingService, WPSExecution

from tests.stack import RunningStack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def api(stack: RunningStack, path: str, user: str = "researcher") -> Any:
    request = urllib.request.Request(
        stack.base + path, headers={"Authorization": f"Bearer {stack.key(user)}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def client(stack: RunningStack, user: str = "researcher") -> WebProcessingService:
    return WebProcessingService(f"{stack.base}/wps", username=user, password=stack.key(user))


def run(execution: WPSExecution) -> WPSExecution:
    def ended() -> bool:
        if not execution.isComplete():
            execution.checkStatus(sleepSecs=0)
        return bool(execution.isComplete())

    wait_until(ended, seconds=120, what="the end of the job")
    return execution


def job_of(execution: WPSExecution) -> str:
    return str(execution.statusLocation).split("/jobs/")[1].split("/")[0]


def group_account(stack: RunningStack) -> dict[str, Any]:
    (account,) = [a for a in api(stack, "/api/accounts/")["results"] if a["kind"] == "GROUP"]
    return dict(account)


def test_the_main_job(stack: RunningStack) -> None:
    wps = client(stack)
    names = {process.identifier for process in wps.processes}
    assert {"demo.ndvi", "demo.change", "demo.hello", "demo.fail"} <= names
    ndvi = wps.describeprocess("demo.ndvi")
    kinds = {item.identifier: item for item in ndvi.dataInputs}
    (area,) = [i for i in kinds.values() if i.dataType == "BoundingBoxData"]
    before = Decimal(group_account(stack)["balance"])
    west, south, east, north = scene_box(stack)
    # OWSLib's own spelling of the reference system: longitude first.
    box = BoundingBoxDataInput([west, south, east, north])
    outputs = [("result", True), ("quicklook", True), ("mean", False)]
    execution = run(wps.execute("demo.ndvi", [(area.identifier, box)], mode=ASYNC, output=outputs))
    assert execution.isSucceded(), [e.text for e in execution.errors]
    assert execution.serviceInstance.startswith(stack.base)
    references = {o.identifier: o.reference for o in execution.processOutputs if o.reference}
    assert references
    assert all(href.startswith(stack.base) for href in references.values())
    job = job_of(execution)
    cost = wait_until(lambda: charged(stack, job), what="the usage record")
    used = record_price(cost)
    charge = Decimal(cost["bill"]["charged"])
    assert charge == min(used, Decimal(cost["quote"]["total"]))
    assert charge > 0
    assert Decimal(group_account(stack)["balance"]) == before - charge
    assert Decimal(group_account(stack)["held"]) == 0
    stack.check_ledger()


def scene_box(stack: RunningStack) -> tuple[float, float, float, float]:
    """The middle of the application's area."""
    west, south, east, north = api(stack, f"/api/applications/{stack.demo['app']}/")["bbox"]
    width, height = (east - west) / 8, (north - south) / 8
    middle = ((west + east) / 2, (south + north) / 2)
    return (middle[0] - width, middle[1] - height, middle[0] + width, middle[1] + height)


def charged(stack: RunningStack, job: str) -> dict[str, Any] | None:
    cost = api(stack, f"/api/jobs/{job}/cost/")
    return dict(cost) if cost["bill"]["state"] == "CHARGED" else None


def record_price(cost: dict[str, Any]) -> Decimal:
    """0.5 a job and 36 an hour of CPU, each line rounded up to a micro-credit: by hand."""
    (record,) = cost["records"]
    cpu = Decimal(record["cpu_seconds"]) * 36 / 3600
    return Decimal("0.5") + cpu


def test_synchronous(stack: RunningStack) -> None:
    wps = client(stack)
    (name,) = [i.identifier for i in wps.describeprocess("demo.hello").dataInputs]
    execution = wps.execute("demo.hello", [(name, "Ada")], mode=SYNC, output=[])
    assert execution.isSucceded(), [e.text for e in execution.errors]
    assert "Ada" in execution.processOutputs[0].data[0]


def test_failure_has_the_providers_words_and_costs_nothing(stack: RunningStack) -> None:
    wps = client(stack)
    execution = run(wps.execute("demo.fail", [], mode=ASYNC, output=[]))
    assert not execution.isSucceded()
    assert execution.errors[0].text.strip()
    wait_until(
        lambda: api(stack, f"/api/jobs/{job_of(execution)}/cost/")["bill"]["state"] == "RELEASED",
        what="the release",
    )


def test_without_credit_the_provider_is_never_called(stack: RunningStack) -> None:
    """The provider's own owner may use its services, but has no credit."""
    received = stack.folder / "provider"
    before = executes(received)
    wps = client(stack, "provider")
    (name,) = [i.identifier for i in wps.describeprocess("demo.hello").dataInputs]
    with pytest.raises(ServiceException) as caught:
        wps.execute("demo.hello", [(name, "Ada")], mode=SYNC, output=[])
    assert "credit" in str(caught.value).lower()
    assert executes(received) == before


def executes(folder: Any) -> int:
    """How many Execute requests the provider has received, by its own log."""
    log = folder / "requests.log"
    return log.read_text().count("Execute") if log.exists() else 0


def test_others_see_nothing(stack: RunningStack) -> None:
    wps = client(stack)
    (name,) = [i.identifier for i in wps.describeprocess("demo.hello").dataInputs]
    execution = run(wps.execute("demo.hello", [(name, "Ada")], mode=ASYNC, output=[]))
    for user, status in (("provider", 404), ("researcher", 200), ("group-admin", 200)):
        request = urllib.request.Request(
            execution.statusLocation, headers={"Authorization": f"Bearer {stack.key(user)}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                got = answer.status
        except urllib.error.HTTPError as error:
            got = error.code
        assert got == status, user
