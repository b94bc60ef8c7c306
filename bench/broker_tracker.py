"""One worker that follows BENCH_JOBS (10000) running jobs on 50 providers, each asked for every
minute, for BENCH_TRACK_SECONDS (40): questions a second next to what is needed and to how fast the
provider answers anyone, how late the latest is, CPU for a question, memory at first and at last.

Then BENCH_WAITING (100000) rows wait while no worker runs: CPU and time of a submission before and
after, and of a worker's claim.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import psycopg

from bench._broker_stage import Stage, libpq, say, stage

JOBS = int(os.environ.get("BENCH_JOBS", "10000"))
SECONDS = float(os.environ.get("BENCH_TRACK_SECONDS", "40"))
WAITING = int(os.environ.get("BENCH_WAITING", "100000"))
PROVIDERS = 50
INTERVAL = 60.0
SUBMISSIONS = 100
BODY = (
    b'<wps:Execute service="WPS" version="1.0.0" xmlns:wps="http://www.opengis.net/wps/1.0.0"'
    b' xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Identifier>bench.process-async'
    b"</ows:Identifier><wps:DataInputs><wps:Input><ows:Identifier>message</ows:Identifier><wps:Data>"
    b"<wps:LiteralData>hello</wps:LiteralData></wps:Data></wps:Input></wps:DataInputs>"
    b'<wps:ResponseForm><wps:ResponseDocument storeExecuteResponse="true" status="true">'
    b"<wps:Output><ows:Identifier>result</ows:Identifier></wps:Output></wps:ResponseDocument>"
    b"</wps:ResponseForm></wps:Execute>"
)
LATE = (
    "SELECT COALESCE(EXTRACT(EPOCH FROM now() - MIN(due_at)), 0) FROM jobs_due"
    " WHERE kind = 'poll' AND done_at IS NULL AND lease_until IS NULL"
)


def main() -> None:
    try:
        with stage() as on:
            on.start_provider()
            on.seed()
            _submit(on)
            _track(on)
    except psycopg.OperationalError as error:
        say(f"PostgreSQL does not answer: {str(error).strip()}")


def _track(on: Stage) -> None:
    on.python("bench._broker_jobs", "running", str(JOBS), str(PROVIDERS), str(on.provider))
    direct = on.load(on.provider, on.request(on.provider, "/status/x"), clients=16, requests=2000)
    on.start_worker()
    time.sleep(8)  # started, and through with what became due meanwhile
    on.get(on.provider, "/asked")
    cpu, memory, begin = on.cpu("worker"), on.memory("worker"), time.monotonic()
    time.sleep(SECONDS)
    questions = int(on.get(on.provider, "/asked")[1].split()[0])
    spent = time.monotonic() - begin
    cpu, grown = on.cpu("worker") - cpu, (on.memory("worker") - memory) / 2**20
    with psycopg.connect(libpq(on.database)) as own:
        row = own.execute(LATE).fetchone()
    on.stop("worker")
    late = max(0.0, float(row[0])) if row else 0.0
    rate, needed = questions / spent, JOBS / INTERVAL
    say(
        f"{JOBS} jobs on {PROVIDERS} providers, one worker: {rate:.0f} questions/s,"
        f" ratio to the {needed:.0f} needed {rate / needed:.2f}; the latest {late:.1f} s late;"
        f" {cpu / max(questions, 1) * 1000:.2f} ms of CPU each; {grown:+.1f} MB"
        f" | provider itself {direct.rate:.0f}/s, ratio {direct.rate / max(rate, 0.01):.1f}"
    )


def _submit(on: Stage) -> None:
    on.start_web()
    request = on.request(on.web, "/wps", body=BODY)
    on.load(on.web, request, clients=1, requests=20)  # what is only slow once
    few = _submissions(on, request)
    on.python("bench._broker_jobs", "waiting", str(WAITING))
    many = _submissions(on, request)
    ratios = [b / a for a, b in zip(few, many, strict=True)]
    say(
        f"a submission: {few[0]:.1f} ms, CPU {few[1]:.1f} ms, database {few[2]:.1f} ms; with"
        f" {WAITING} rows waiting {many[0]:.1f}, {many[1]:.1f}, {many[2]:.1f} ms;"
        f" ratios {', '.join(f'{one:.2f}' for one in ratios)}"
    )
    with psycopg.connect(libpq(on.database), autocommit=True) as own:
        own.execute("DELETE FROM jobs_due WHERE subject LIKE 'waiting-%'")
    on.stop("web")


def _submissions(on: Stage, request: Path) -> tuple[float, float, float]:
    """Milliseconds of a submission: the median, CPU of the web, CPU of the database."""
    rounds = []
    for _ in range(3):
        web, database = on.cpu("web"), on.database_cpu()
        load = on.load(on.web, request, clients=1, requests=SUBMISSIONS)
        if load.statuses != f"200:{SUBMISSIONS}":
            raise SystemExit(load.statuses)
        spent = (on.cpu("web") - web, on.database_cpu() - database)
        rounds.append((load.median, *(one / SUBMISSIONS * 1000 for one in spent)))
    first, second, third = (median(column) for column in zip(*rounds, strict=True))
    return first, second, max(third, 0.01)


if __name__ == "__main__":
    main()
