"""Execute with everything: authentication, quote, hold, dispatch, record, settling, answer.

The portal as in production on PostgreSQL, in front of a provider that answers at once (CPU for one
run), then of one that needs 200 ms, with 32 clients (BENCH_CLIENTS) that wait for their results:
runs a second next to the provider without a portal. Every run reaches the provider once.
"""

from __future__ import annotations

import os

import psycopg

from bench._broker_stage import Stage, say, stage

RUNS = int(os.environ.get("BENCH_RUNS", "600"))
CLIENTS = int(os.environ.get("BENCH_CLIENTS", "32"))
SECONDS = 0.2
AIM_MS, AIM_RATE = 8.0, 100
BODY = (
    '<wps:Execute service="WPS" version="1.0.0" xmlns:wps="http://www.opengis.net/wps/1.0.0"'
    ' xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Identifier>{identifier}</ows:Identifier>'
    "<wps:DataInputs><wps:Input><ows:Identifier>message</ows:Identifier><wps:Data>"
    "<wps:LiteralData>hello</wps:LiteralData></wps:Data></wps:Input></wps:DataInputs>"
    "<wps:ResponseForm><wps:ResponseDocument><wps:Output><ows:Identifier>result</ows:Identifier>"
    "</wps:Output></wps:ResponseDocument></wps:ResponseForm></wps:Execute>"
)


def main() -> None:
    try:
        for seconds, measure in ((0.0, _cost), (SECONDS, _together)):
            with stage() as on:
                on.start_provider(seconds=seconds)
                on.seed()
                on.start_web()
                measure(on)
    except psycopg.OperationalError as error:
        say(f"PostgreSQL does not answer: {str(error).strip()}")


def _cost(on: Stage) -> None:
    portal = on.request(on.web, "/wps", body=_body("bench.process-001"))
    direct = on.request(on.provider, "/wps", body=_body("process-001"))
    on.load(on.web, portal, clients=1, requests=100)  # what is only slow once
    web, database = on.cpu("web"), on.database_cpu()
    ours = on.load(on.web, portal, clients=1, requests=RUNS // 2)
    web, database = on.cpu("web") - web, on.database_cpu() - database
    _all_succeeded(ours.statuses, RUNS // 2)
    there = on.load(on.provider, direct, clients=1, requests=RUNS // 2)
    each = web / (RUNS // 2) * 1000
    say(
        f"one run: CPU {each:.1f} ms, ratio to {AIM_MS:g} ms: {each / AIM_MS:.2f}; database"
        f" {max(database, 0) / (RUNS // 2) * 1000:.1f} ms; median {ours.median:.1f} ms"
        f" | provider itself {there.median:.2f} ms, ratio {ours.median / there.median:.0f}"
    )


def _together(on: Stage) -> None:
    portal = on.request(on.web, "/wps", body=_body("bench.process-001"))
    direct = on.request(on.provider, "/wps", body=_body("process-001"))
    on.load(on.web, portal, clients=CLIENTS, requests=4 * CLIENTS)
    came, _ = _counted(on)
    web = on.cpu("web")
    ours = on.load(on.web, portal, clients=CLIENTS, requests=RUNS)
    web = on.cpu("web") - web
    _all_succeeded(ours.statuses, RUNS)
    now, references = _counted(on)
    if now - came != RUNS or references != now:
        raise SystemExit(f"{RUNS} runs, {now - came} at the provider, {references} references")
    there = on.load(on.provider, direct, clients=CLIENTS, requests=RUNS)
    say(
        f"{CLIENTS} clients, a provider that needs {SECONDS * 1000:.0f} ms: {ours.rate:.0f} runs/s,"
        f" ratio to {AIM_RATE}: {ours.rate / AIM_RATE:.2f}; median {ours.median:.0f} ms, 95 %"
        f" {ours.late:.0f} ms; CPU {web / RUNS * 1000:.1f} ms each; each once at the provider"
        f" | provider itself {there.rate:.0f}/s, ratio {ours.rate / there.rate:.2f}"
    )


def _body(identifier: str) -> bytes:
    return BODY.format(identifier=identifier).encode()


def _counted(on: Stage) -> tuple[int, int]:
    runs, references = on.get(on.provider, "/count")[1].split()
    return int(runs), int(references)


def _all_succeeded(statuses: str, number: int) -> None:
    if statuses != f"200:{number}":
        raise SystemExit(f"answers by status: {statuses}")


if __name__ == "__main__":
    main()
