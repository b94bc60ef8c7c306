"""A WPS provider as a process of its own that fails at random, and writes down what it did.

    python -m tests.fakes.faulty_wps --port 18710 --log /tmp/log --seed 1

Each line of the log is a JSON object, written before any answer is sent:
`{"what": "execute", "reference": …, "fault": …, "ran": true}` or `{"what": "lookup", …, "known":
true}`. Faults: refused (503, not run), error (500, not run), broken (run, 500),
before (hung up, not run), after (run,
hung up), hang (run, then silence), malformed (run, half a document); of status questions: error,
hung up, malformed, gone (404). One reference in twenty is gone for ever once it was asked for.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
import zlib
from pathlib import Path

from tests.fakes.http_server import Received, Reply
from tests.fakes.wps_server import FakeWps, refusal

EXECUTE = ("refused", "error", "broken", "before", "after", "hang", "malformed")
STATUS = ("error", "hang_up", "malformed", "gone")


class FaultyWps(FakeWps):
    """See the module's text."""

    def __init__(self, port: int, log: Path, seed: int, share: float) -> None:
        super().__init__()
        self.port = port
        self.polls = 2
        self._log = log.open("a", buffering=1)
        self._chance = random.Random(seed)
        self._share = share
        self._writing = threading.Lock()

    def work(self, got: Received) -> Reply:
        with self._writing:
            if got.kind == "Execute":
                return self._execute_badly(got)
            if got.kind == "status":
                return self._status_badly(got)
            answer = super().work(got)
            if got.kind == "lookup":
                reference = got.path.removeprefix("/lookup/")
                self._write(what="lookup", reference=reference, known=answer.status == 200)
            return answer

    def _execute_badly(self, got: Received) -> Reply:
        fault = self._fault(EXECUTE)
        ran = fault not in ("refused", "error", "before")
        self._write(what="execute", reference=got.reference, fault=fault, ran=ran)
        answer = super().work(got) if ran else Reply()
        if fault == "refused":
            return refusal("ServerBusy", "Later, please.", status=503)
        if fault in ("error", "broken"):
            return Reply(500, b"Traceback (most recent call last): ...")
        if fault in ("before", "after"):
            return Reply(hang_up=True)
        if fault == "hang":
            return Reply(hang_up=True, delay=3)
        if fault == "malformed" and isinstance(answer.body, bytes):
            return Reply(200, answer.body[: len(answer.body) // 2], answer.headers)
        return answer

    def _status_badly(self, got: Received) -> Reply:
        job = self.jobs.get(got.path.split("/")[-1].removesuffix(".xml"))
        if job is not None and zlib.crc32(job.reference.encode()) % 20 == 0:
            return Reply(404, b"gone")
        fault = self._fault(STATUS)
        if fault == "error":
            return Reply(500, b"oops")
        if fault == "hang_up":
            return Reply(hang_up=True)
        if fault == "gone":
            return Reply(404, b"gone")
        answer = super().work(got)
        if fault == "malformed" and isinstance(answer.body, bytes):
            return Reply(200, answer.body[: len(answer.body) // 2], answer.headers)
        return answer

    def _fault(self, kinds: tuple[str, ...]) -> str:
        return self._chance.choice(kinds) if self._chance.random() < self._share else ""

    def _write(self, **said: object) -> None:
        self._log.write(json.dumps(said) + "\n")


def main() -> None:
    """Serve until killed."""
    words = argparse.ArgumentParser()
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--log", type=Path, required=True)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--share", type=float, default=0.35)
    given = words.parse_args()
    with FaultyWps(given.port, given.log, given.seed, given.share):
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main()
