"""Lists and descriptions of 500 processes (BENCH_PROCESSES), kept, at the doors of WPS and OGC API.

One client, the portal as in production on PostgreSQL, next to the provider itself, which answers
from ready-made bytes (of WPS 1.0.0 whatever the portal speaks). CPU of the web's processes and of
the database's for each request, of whole answers and of those to a client that has the document
already. Then BENCH_DOCUMENTS requests (20000): CPU and memory of the first thousand and the last.
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg

from bench._broker_stage import PROCESSES, Stage, say, stage

REQUESTS = 500
THOUSAND = 1000
LONG = int(os.environ.get("BENCH_DOCUMENTS", "20000"))
AIM_MS = 2.0
LISTED = "/wps?service=WPS&request=GetCapabilities"
DESCRIBED = "/wps?service=WPS&version=1.0.0&request=DescribeProcess&identifier=ALL"
# What is asked of the portal, the same of the provider, how often a process is named at least.
ASKED = {
    "GetCapabilities 1.0": (LISTED, LISTED, PROCESSES),
    "DescribeProcess 1.0": (DESCRIBED, DESCRIBED, PROCESSES),
    "GetCapabilities 2.0": (LISTED.replace("/wps", "/wps/2.0"), LISTED, PROCESSES),
    "DescribeProcess 2.0": (
        "/wps/2.0?service=WPS&version=2.0.0&request=DescribeProcess&identifier=ALL",
        DESCRIBED,
        PROCESSES,
    ),
    "OGC API processes": ("/ogcapi/processes?limit=1000&f=json", LISTED, PROCESSES),
    "OGC API process": ("/ogcapi/processes/bench.process-async?f=json", DESCRIBED, 1),
}


def main() -> None:
    try:
        with stage() as on:
            on.start_provider()
            on.seed()
            on.start_web()
            for name, (path, same, named) in ASKED.items():
                _compare(on, name, path, same, named)
            _long(on)
    except psycopg.OperationalError as error:
        say(f"PostgreSQL does not answer: {str(error).strip()}")


def _compare(on: Stage, name: str, path: str, same: str, named: int) -> None:
    etag, body = on.get(on.web, path)
    listed = body.count(b">The process process-") + body.count(b'"The process process-')
    if listed < named:
        raise SystemExit(f"only {listed} processes are listed at {path}")
    whole = on.request(on.web, path)
    known = on.request(on.web, path, f"If-None-Match: {etag}")
    direct = on.request(on.provider, same)
    there = on.load(on.provider, direct, clients=1, requests=REQUESTS)
    for form, request in (("whole", whole), ("304", known)):
        _round(on, request, 50)  # every process and thread has it now
        cpu, database, rate, median = _round(on, request, REQUESTS)
        size = len(body) // 1000 if form == "whole" else 0
        say(
            f"{name:19} {form:5} {size:4} kB: CPU {cpu:.2f} ms, ratio to {AIM_MS:g} ms:"
            f" {cpu / AIM_MS:.2f}; database {database:.2f} ms; {rate:.0f}/s, median {median:.2f} ms"
            f" | provider itself {there.rate:.0f}/s, {there.median:.2f} ms,"
            f" ratio {there.rate / rate:.1f}"
        )


def _round(on: Stage, request: Path, number: int) -> tuple[float, float, float, float]:
    """Milliseconds of CPU for one request: web, database; requests per second; median."""
    web, database = on.cpu("web"), on.database_cpu()
    load = on.load(on.web, request, clients=1, requests=number)
    if "200" not in load.statuses and "304" not in load.statuses:
        raise SystemExit(load.statuses)
    web, database = on.cpu("web") - web, on.database_cpu() - database
    return web / number * 1000, database / number * 1000, load.rate, load.median


def _long(on: Stage) -> None:
    request = on.request(on.web, LISTED)
    early, *_ = _round(on, request, THOUSAND)
    memory = on.memory("web")
    _round(on, request, LONG - 2 * THOUSAND)
    late, *_ = _round(on, request, THOUSAND)
    grown = (on.memory("web") - memory) / 2**20
    say(
        f"{LONG} requests: CPU {early:.2f} ms in the first thousand, {late:.2f} ms in the last,"
        f" ratio {late / early:.2f}; {grown:+.1f} MB"
    )


if __name__ == "__main__":
    main()
