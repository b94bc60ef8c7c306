"""The same job with Celery over Redis and RabbitMQ; a broker that forgets loses nothing."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.reliability.test_kill import all_charged, runs_by_reference, state, submit
from tests.stack import running_stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.broker, pytest.mark.timeout(300)]
BROKERS = {
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "rabbitmq": os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}


def require(url: str) -> None:
    """Skip where nothing answers; under TEP_CI that is a failure."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except OSError as error:
        if os.environ.get("TEP_CI"):
            raise
        pytest.skip(f"no broker at {parts.hostname}:{parts.port}: {error}")


@pytest.mark.parametrize("name", BROKERS)
def test_jobs_run_over_a_broker_and_survive_the_workers_death(name: str, tmp_path: Path) -> None:
    require(BROKERS[name])
    queue = f"tep-test-{uuid.uuid4().hex}"
    with running_stack(tmp_path, CELERY_BROKER_URL=BROKERS[name], CELERY_QUEUE=queue) as stack:
        jobs = [submit(stack, number) for number in range(3)]
        stack.kill("celery")
        wait_until(
            lambda: all(state(stack, job) == "COMPLETED" for job in jobs),
            seconds=120,
            what="the end of the jobs",
        )
        wait_until(lambda: all_charged(stack, jobs), seconds=60, what="the charges")
        sent = runs_by_reference(stack)
        assert [sent[job] for job in jobs] == [1, 1, 1]
        assert "celery" in (stack.folder / "log" / "worker.log").read_text().lower()
        stack.check_ledger()
