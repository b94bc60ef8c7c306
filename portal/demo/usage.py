"""The provider's usage records: one APEL individual-job message per job, into SSM's queue."""

from __future__ import annotations

import math
import platform
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

from dirq.queue import Queue

SITE = "TEP-DEMO"
SIGNER = "/C=AT/O=TEP demo/CN=demo-provider"
SCHEMA = {"body": "string", "signer": "string", "empaid": "string?"}
BENCHMARK = ("HEPscore23", "10.0")  # type and score of a core of this machine, as declared


@dataclass
class Meter:
    """Measures a job from when it is made; CPU of the thread, or of a process of the job's own."""

    own_process: bool
    started: float = field(default_factory=time.time)
    _wall: float = field(default_factory=time.monotonic)
    _cpu: float = 0.0

    def __post_init__(self) -> None:
        self._cpu = self._cpu_now()

    def _cpu_now(self) -> float:
        return time.process_time() if self.own_process else time.thread_time()

    def wall_seconds(self) -> int:
        """Whole seconds, rounded up, at least one: what lasted a moment was a run too."""
        return max(1, math.ceil(time.monotonic() - self._wall))

    def cpu_seconds(self) -> int:
        return max(1, math.ceil(self._cpu_now() - self._cpu))


def message(meter: Meter, *, job: str, process: str, host: str) -> str:
    """The text of the message (v0.3) for a job that ends now."""
    start = int(meter.started)
    wall = meter.wall_seconds()
    fields = {
        "Site": SITE,
        "SubmitHost": f"{host}/{process}"[:255],
        "MachineName": platform.node()[:255] or "localhost",
        "Queue": process[:100],
        "LocalJobId": job,
        "GlobalUserName": "withheld",
        "WallDuration": wall,
        "CpuDuration": meter.cpu_seconds(),
        "Processors": 1,
        "NodeCount": 1,
        "StartTime": start,
        "EndTime": start + wall,
        "InfrastructureDescription": "TEP-PyWPS-fork",
        "InfrastructureType": "grid",
        "MemoryReal": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "ServiceLevelType": BENCHMARK[0],
        "ServiceLevel": BENCHMARK[1],
    }
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\n".join(["APEL-individual-job-message: v0.3", *lines, "%%", ""])


def send(queue: Path, text: str, *, job: str) -> None:
    """Put a message into the queue, as an SSM receiver would."""
    Queue(str(queue), schema=SCHEMA).add({"body": text, "signer": SIGNER, "empaid": f"ID:{job}"})
