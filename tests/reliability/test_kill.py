"""kill -9 of any part at any point: after it, every job ends, is sent once and charged once."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stack import RunningStack, running_stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
FINAL = ("COMPLETED", "FAILED", "CANCELLED", "SUBMIT_FAILED", "SUBMIT_REJECTED")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("kill"), DUE_LEASE_SECONDS="20") as running:
        yield running


def call(
    stack: RunningStack, path: str, body: Any = None, key: str = "", user: str = "researcher"
) -> Any:
    """A REST call that is repeated, with the same idempotency key, while the web is away."""
    headers = {"Authorization": f"Bearer {stack.key(user)}"}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
    for _ in range(120):
        request = urllib.request.Request(stack.base + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.25)
    raise AssertionError("the web stayed away")


def account_of(stack: RunningStack, kind: str) -> int:
    accounts = call(stack, "/api/accounts/")["results"]
    return int(next(a["id"] for a in accounts if a["kind"] == kind))


def submit(stack: RunningStack, number: int, *, kind: str = "GROUP") -> str:
    services = call(stack, "/api/services/?limit=100")["results"]
    service = next(s["id"] for s in services if s["identifier"] == "demo.hello")
    description = call(stack, f"/api/services/{service}/")["description"]
    name = description["inputs"][0]["identifier"]
    account = account_of(stack, kind)
    body = {"service": service, "account": account, "inputs": {name: f"n{number}"}}
    job = call(stack, "/api/jobs/", body, key=f"kill-{number}")
    return str(job["id"])


def state(stack: RunningStack, job: str) -> str:
    return str(call(stack, f"/api/jobs/{job}/")["state"])


def all_charged(stack: RunningStack, jobs: list[str]) -> bool:
    return all(call(stack, f"/api/jobs/{job}/cost/")["bill"]["state"] == "CHARGED" for job in jobs)


def runs_by_reference(stack: RunningStack) -> Counter[str]:
    """Runs at the provider by the portal's job identifier, from the provider's own books.

    A request that it refused was not run; then the portal may send it again.
    """
    runs = (stack.folder / "provider" / "references" / "jobs").iterdir()
    return Counter(run.read_text() for run in runs)


@pytest.mark.parametrize("victim", ["worker", "web", "provider"])
def test_killed_at_random_moments_every_job_ends_and_is_charged_once(
    stack: RunningStack, victim: str
) -> None:
    moments = random.Random(victim)
    offset = {"worker": 100, "web": 200, "provider": 300}[victim]
    jobs = []
    for number in range(6):
        jobs.append(submit(stack, offset + number))
        time.sleep(moments.uniform(0, 0.6))
        stack.kill(victim)
    wait_until(
        lambda: all(state(stack, job) in FINAL for job in jobs),
        seconds=180,
        what="the end of all jobs",
    )
    assert Counter(state(stack, job) for job in jobs) == {"COMPLETED": 6} or victim == "provider"
    done = [job for job in jobs if state(stack, job) == "COMPLETED"]
    wait_until(lambda: all_charged(stack, done), seconds=90, what="all charges")
    sent = runs_by_reference(stack)
    assert all(sent[job] == 1 for job in done)
    for job in done:
        kinds = [t["kind"] for t in call(stack, f"/api/jobs/{job}/cost/")["transfers"]]
        assert sorted(kinds) == ["CHARGE", "HOLD"]
    stack.check_ledger()


def test_of_many_submits_for_the_last_credits_exactly_one_runs(stack: RunningStack) -> None:
    """`hello` costs 0.1; the researcher's own account has 0.15 and eight requests come at once."""
    grant = {"member": "researcher", "amount": "0.15", "reason": "for one run"}
    grants = f"/api/groups/{stack.demo['group']}/grants/"
    call(stack, grants, grant, key="race", user="group-admin")

    def attempt(number: int) -> str:
        try:
            return submit(stack, 900 + number, kind="USER")
        except urllib.error.HTTPError as error:
            return f"{error.code}"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(attempt, range(8)))
    ran = [answer for answer in answers if answer != "402"]
    assert len(ran) == 1, answers
    wait_until(lambda: state(stack, ran[0]) == "COMPLETED", what="the one job")
    stack.check_ledger()


def test_a_provider_that_is_stopped_for_a_while_makes_jobs_wait_and_then_finish(
    stack: RunningStack,
) -> None:
    (provider, *_) = stack.children("provider")
    os.kill(provider, signal.SIGSTOP)  # it accepts connections and says nothing
    try:
        job = submit(stack, 800)
        time.sleep(3)
        assert state(stack, job) == "SUBMITTING"
    finally:
        os.kill(provider, signal.SIGCONT)
    wait_until(lambda: state(stack, job) == "COMPLETED", what="the end of the job")
    wait_until(lambda: all_charged(stack, [job]), what="the charge")
    assert runs_by_reference(stack)[job] == 1
    stack.check_ledger()
