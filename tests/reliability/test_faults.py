"""Any process killed at any step, with a provider that fails at random: what its own log says.

KILL_JOBS sets how many jobs run at once (12 by default; 200 takes some minutes).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.test_kill import FINAL, call
from tests.stack import ROOT, RunningStack, free_port, running_stack, wait_until

JOBS = int(os.environ.get("KILL_JOBS", "12"))
pytestmark = [pytest.mark.stack, pytest.mark.timeout(600 + 6 * JOBS)]

SET_UP = """
import json
from accounting.accounts import group_account
from accounting.models import Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from people.models import Group, User
from tests.factories import make_provider, make_service
from thematic_apps.models import ThematicApp
owner = User.objects.get(username={owner!r})
url = {url!r}
provider = make_provider(owner, url=url + "/wps", slug="faulty", name="Faulty",
    lookup_url=url + "/lookup/{{reference}}", max_running_jobs=20, retry_wait_seconds=1,
    retry_attempts=1000)
service = make_service(provider)
ThematicApp.objects.get(slug={app!r}).services.add(service)
publish_rates(actor=owner, provider_id=provider.pk,
    rates={{(service.pk, Unit.JOB): RateSpec(price=1000)}})
account = group_account(Group.objects.get(slug={group!r}))
print(json.dumps([service.pk, account.pk]))
"""

LEFT = """
import json
from accounting.models import JobBill
from jobs.models import Due, Job
jobs = Job.objects.filter(service__provider__slug="faulty")
bills = JobBill.objects.filter(job_id__in=jobs.values("pk"))
print(json.dumps({
    "jobs": [[str(j.pk), j.state, j.error] for j in jobs],
    "bills": {str(b.pk): b.state for b in bills},
    "parked": list(Due.objects.exclude(parked_at=None).values_list("kind", "last_error")),
    "open": list(Due.objects.filter(done_at=None, kind__in=("send", "poll", "cancel"))
                 .values_list("kind", flat=True)),
}))
"""


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    port, log = free_port(), tmp_path / "faulty.log"
    command = [sys.executable, "-m", "tests.fakes.faulty_wps"]
    process = subprocess.Popen([*command, "--port", str(port), "--log", str(log)], cwd=ROOT)
    yield f"http://127.0.0.1:{port}", log
    process.kill()
    process.wait()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    settings = {
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "LOST_SECONDS": "5",
        "USAGE_WAIT_SECONDS": "1",
        "DUE_LEASE_SECONDS": "15",
        "POLL_SECONDS_MOST": "3",
    }
    with running_stack(tmp_path / "stack", **settings) as running:
        yield running


def shell(stack: RunningStack, code: str) -> Any:
    done = stack.manage("shell", "--verbosity", "0", "-c", code)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def all_ended(stack: RunningStack) -> bool:
    answer = call(stack, "/api/jobs/?phase=running&limit=1")
    return int(answer["count"]) == 0


def twice(log: list[dict[str, Any]]) -> list[str]:
    """References that arrived again although neither a refusal nor a look-up had allowed it."""
    may_arrive: dict[str, bool] = defaultdict(lambda: True)
    wrong = []
    for line in log:
        reference = line["reference"]
        if line["what"] == "lookup":
            may_arrive[reference] = not line["known"]
        elif not may_arrive[reference]:
            wrong.append(reference)
        else:
            may_arrive[reference] = line["fault"] == "refused"
    return wrong


def run_and_kill(stack: RunningStack, service: int, account: int) -> list[str]:
    """Submit all jobs while web and workers are killed; some are dismissed."""
    moments = random.Random(7)

    def submit(number: int) -> str:
        body = {"service": service, "account": account, "inputs": {"message": f"m{number}"}}
        return str(call(stack, "/api/jobs/", body, key=f"faults-{number}")["id"])

    with ThreadPoolExecutor(8) as pool:
        submitted = pool.map(submit, range(JOBS))
        for kill in range(max(6, JOBS // 8)):
            time.sleep(moments.uniform(0.5, 2.5))
            stack.kill("web" if kill % 4 == 3 else "worker")
        jobs = list(submitted)
    for job in moments.sample(jobs, max(2, JOBS // 10)):
        call(stack, f"/api/jobs/{job}/dismiss/", {}, key=f"dismiss-{job}")
    stack.kill("worker")
    return jobs


def settled(stack: RunningStack) -> Any:
    """What is left in the database, once no bill is open."""
    left = shell(stack, LEFT)
    return None if set(left["bills"].values()) & {"OPEN", "AWAITING_USAGE"} else left


def test_nothing_is_lost_or_sent_twice_and_no_credit_is_stuck(
    stack: RunningStack, faulty: tuple[str, Path]
) -> None:
    url, log = faulty
    demo = stack.demo
    owner = demo["users"]["provider"]["username"]
    code = SET_UP.format(owner=owner, app=demo["app"], group=demo["group"], url=url)
    jobs = run_and_kill(stack, *shell(stack, code))
    wait_until(lambda: all_ended(stack), seconds=240 + 4 * JOBS, what="the end of all jobs")

    arrived = [json.loads(line) for line in log.read_text().splitlines()]
    runs = Counter(line["reference"] for line in arrived if line.get("ran"))
    assert set(runs.values()) == {1}, "a job was run more than once"
    assert twice(arrived) == []
    faults = Counter(line["fault"] for line in arrived if line.get("fault"))
    assert sum(faults.values()) > JOBS // 8, "the provider hardly failed"

    left = wait_until(lambda: settled(stack), seconds=150, what="the settlement of all bills")
    states = {job: state for job, state, _error in left["jobs"]}
    assert len(set(jobs)) == JOBS
    assert set(states) == set(jobs)
    for job, state, error in left["jobs"]:
        told = (job, state, error, runs[job])
        assert state in FINAL, told
        assert state != "COMPLETED" or runs[job] == 1, told
        # Refused means that nothing ran, and nobody is left without a word.
        assert state != "SUBMIT_REJECTED" or not runs[job], told
        assert state != "SUBMIT_FAILED", told
        assert error or state in ("COMPLETED", "CANCELLED"), told
    assert (left["parked"], left["open"]) == ([], [])
    stack.check_ledger()
    print(Counter(states.values()), faults)  # noqa: T201 (shown with -s)
