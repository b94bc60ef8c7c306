"""What those on duty rely on: health, metrics, logs, headers, clear errors, safe settings."""

import io
import json
import logging
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from django.db import DatabaseError
from prometheus_client.parser import text_string_to_metric_families

from common.clock import now
from jobs import due
from jobs.models import Due, WorkerBeat
from people.services import create_api_key
from portal import health, logs
from tests.factories import World, make_user

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


# --- headers and request id ----------------------------------------------------------------


def test_every_answer_has_the_security_headers(client):
    for address in ("/health/live", "/accounts/login/", "/no/such/page"):
        headers = client.get(address).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/accounts/login/", "/", "/api/jobs/", "/stac/", "/wps"])
def test_a_cookie_that_no_database_can_look_up_is_no_session(client, path):
    answer = client.get(path, HTTP_COOKIE=r'sessionid="aaaaaaaaaa\000b"; csrftoken="\000"')
    assert answer.status_code == client.get(path).status_code < 500


def test_request_ids_come_from_the_proxy_only_where_there_is_one(client, settings):
    given = {"X-Request-ID": "proxy-1234567890"}
    first, second = (client.get("/health/live", headers=given)["X-Request-ID"] for _ in range(2))
    assert len({first, second, given["X-Request-ID"]}) == 3
    settings.BEHIND_PROXY = True
    assert client.get("/health/live", headers=given)["X-Request-ID"] == given["X-Request-ID"]
    for forged in ("x", "a b c d e f g", "id\r\nSet-Cookie: a=b", "é" * 10, "x" * 65):
        answer = client.get("/health/live", headers={"X-Request-ID": forged})
        assert answer["X-Request-ID"] != forged
        assert len(answer.headers) == len(client.get("/health/live").headers)


# --- logs ----------------------------------------------------------------------------------


@pytest.fixture
def lines():
    """The log lines of a test, as they are written."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    configured = structlog.get_config()
    stream = io.StringIO()
    logs.configure()
    logging.getLogger().handlers[0].setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().handlers, logging.getLogger().level = before
    # the very list of steps: loggers in use hold it, and capture_logs() changes it in place
    structlog.configure(**configured)


def test_one_json_line_per_request_with_its_ids(failing, lines):
    user = make_user()
    failing.force_login(user)
    job_id = "11111111-2222-3333-4444-555555555555"
    answer = failing.get(f"/fail/absent/{job_id}?token=hush")
    (line,) = [entry for entry in lines() if entry["event"] == "request"]
    assert line["request_id"] == answer["X-Request-ID"]
    assert line["job_id"] == job_id
    assert line["user"] == user.pk
    assert (line["status"], line["method"], line["level"]) == (404, "GET", "info")
    assert line["route"] == "fail/<what>/<uuid:job_id>"
    assert "hush" not in json.dumps(lines())


def test_faults_are_logged_with_their_traceback_and_the_request_id(failing, lines):
    answer = failing.get("/fail/broken?password=hush")
    (line,) = [entry for entry in lines() if "exception" in entry]
    assert "RuntimeError: internal reason" in line["exception"]
    assert line["request_id"] == answer["X-Request-ID"]
    assert "hush" not in json.dumps(lines())


def test_secrets_do_not_reach_the_log(lines):
    _, key = create_api_key(user=make_user(), name="k", scopes=["read"])
    secret = key.partition(".")[2]
    log = structlog.get_logger("test")
    try:
        raise ValueError(  # noqa: TRY301
            f"cannot call https://user:{secret}@host.example/wps?apikey={secret}"
        )
    except ValueError:
        log.exception(
            "failed", text=f"Bearer {secret}", password=secret, headers={"Cookie": secret}
        )
    log.info("key %s", key, nested=[{"api_token": secret}, f"see /reset?key={secret}"])
    logging.getLogger("other").warning("Not Found: %s", f"/x?key={secret}")
    text = json.dumps(lines())
    assert len(lines()) == 4  # the creation of the key too
    assert secret not in text
    assert "host.example/wps" in text
    assert key.partition(".")[0] in text


def test_whatever_is_logged_becomes_a_line(lines):
    structlog.get_logger("test").info("odd", text="\ud800", number=2**70, keys={1: now()})
    (line,) = lines()
    assert line["number"] == 2**70


# --- health --------------------------------------------------------------------------------


def test_live_asks_nothing_of_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/health/live").json() == {"status": "live"}


def test_ready_needs_a_worker_and_work_that_moves(client, monkeypatch):
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["worker"] != "ok"

    beat = WorkerBeat.objects.create(name="w", seen_at=now())
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "worker": "ok", "due_work": "ok"},
    }

    due.schedule(kind="sweep", subject="all", at=now() - timedelta(minutes=6))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["due_work"] != "ok") == (503, True)
    for quiet in ({"parked_at": now()}, {"parked_at": None, "lease_until": now() + timedelta(1)}):
        Due.objects.update(**quiet)
        assert client.get("/health/ready").status_code == 200

    beat.seen_at = now() - timedelta(seconds=61)
    beat.save()
    assert client.get("/health/ready").status_code == 503


def test_ready_says_when_the_database_or_its_tables_are_missing(client, monkeypatch):
    WorkerBeat.objects.create(name="w", seen_at=now())

    def broken():
        raise DatabaseError("password authentication failed for user portal at 10.1.2.3")

    monkeypatch.setitem(health.CHECKS, "database", broken)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "10.1.2.3" not in answer.content.decode()

    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(
        health.MigrationExecutor, "migration_plan", lambda *_: [("jobs", "0002_later")]
    )
    assert client.get("/health/ready").json()["checks"]["migrations"] != "ok"


# --- metrics -------------------------------------------------------------------------------


def figures(client, **headers):
    text = client.get("/metrics", headers=headers).content.decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_jobs_work_and_holds(client, settings):
    from jobs.lifecycle import submit

    settings.METRICS_ALLOW = ["127.0.0.0/8"]
    world = World(credits=10)
    before = figures(client)
    submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        door="rest",
    )
    WorkerBeat.objects.create(name="w", seen_at=now())
    after = figures(client)
    assert before["tep_jobs", "SUBMITTED"] == 0
    assert after["tep_jobs", "SUBMITTED"] == 1
    assert after["tep_due_rows", "send"] == 1
    assert (before["tep_holds",], after["tep_holds",]) == (0, 1)
    assert after["tep_held_credits",] == 2
    assert after["tep_workers",] == 1
    assert after["tep_ledger_findings",] == 0
    assert after["tep_provider_failing_seconds", world.provider.slug] == 0


def test_metrics_are_for_operators_and_named_networks(client, settings):
    operator = make_user(is_staff=True)
    _, key = create_api_key(user=operator, name="k", scopes=["read"])
    _, other = create_api_key(user=make_user(), name="k", scopes=["read"])
    _, usage_only = create_api_key(user=operator, name="k", scopes=["usage"])
    assert client.get("/metrics").status_code == 404
    for text, status in ((key, 200), (other, 404), (usage_only, 404)):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == status
    settings.METRICS_ALLOW = ["10.2.0.0/16", "2001:db8::/32"]
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="10.2.3.4").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="2001:db8::7").status_code == 200
    spoofed = client.get("/metrics", headers={"X-Forwarded-For": "10.2.3.4"})
    assert spoofed.status_code == 404


# --- settings and Celery -------------------------------------------------------------------


def manage(*arguments, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "portal.settings.production", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_settings_pass_the_deployment_check(tmp_path):
    secret = "".join(map(chr, range(33, 100)))
    arguments = ("check", "--deploy", "--fail-level", "WARNING")
    done = manage(
        *arguments, SECRET_KEY=secret, VAR_DIR=str(tmp_path), ALLOWED_HOSTS="portal.example.org"
    )
    assert done.returncode == 0, done.stderr
    missing = manage(*arguments, VAR_DIR=str(tmp_path))
    assert missing.returncode != 0
    assert "SECRET_KEY" in missing.stderr


def test_celery_knows_the_tasks_and_leaves_the_logs_alone():
    from portal.celery import app

    before = logging.getLogger().handlers[:]
    app.loader.import_default_modules()
    app.log.setup()
    assert {"jobs.run_due", "jobs.wake_all"} <= set(app.tasks)
    assert logging.getLogger().handlers == before
