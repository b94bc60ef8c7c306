"""manage.py doctor and the page Set-up, as an operator meets them."""

import io
import socket

import pytest
from django.core.management import call_command

from common.clock import now
from jobs.models import WorkerBeat
from tests.factories import World, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def sound(settings):
    """Settings and a database of which nothing bad is to be said."""
    settings.SILENCED_SYSTEM_CHECKS = ["async.E001"]  # tests with a browser set its variable
    settings.BASE_URL = "https://tep.example.org"
    settings.ALLOWED_HOSTS = ["tep.example.org", "testserver"]
    settings.OUTBOUND_ALLOW = []
    make_user("root", is_staff=True)
    WorkerBeat.objects.create(name="one", seen_at=now())


def doctor(*arguments: str) -> tuple[int, list[str]]:
    """The exit code, and the lines."""
    told, code = io.StringIO(), 0
    try:
        call_command("doctor", *arguments, stdout=told)
    except SystemExit as end:
        code = int(str(end.code))
    return code, told.getvalue().splitlines()


def line(lines: list[str], subject: str) -> str:
    return next(text for text in lines if f"  {subject}: " in text)


def test_a_sound_installation_ends_with_0_and_strictly_with_1(sound):
    code, lines = doctor()
    assert (code, [text for text in lines if text.startswith("BAD")]) == (0, [])
    assert line(lines, "Storage of results").startswith("ok")
    assert line(lines, "A provider is approved").startswith("warn")
    assert doctor("--strict")[0] == 1


def test_steps_are_done_when_somebody_can_run_something(sound):
    World(credits=10)
    lines = doctor("--offline")[1]
    for step in ("A provider is approved", "A service is switched on", "Credit is issued"):
        assert line(lines, step).startswith("ok"), step
    assert not [text for text in lines if "Mail server" in text]


@pytest.mark.parametrize(
    ("name", "value", "subject", "verdict"),
    [
        ("BASE_URL", "", "Own address", "BAD"),
        ("BASE_URL", "https://other.example.org", "Own address", "BAD"),
        ("BASE_URL", "http://tep.example.org", "Own address", "warn"),
        ("OUTBOUND_ALLOW", ["10.0.0.0/8"], "Calls to private networks", "warn"),
        ("OUTBOUND_ALLOW", ["127.0.0.1:8001"], "Calls to private networks", "ok"),
        ("FIELD_ENCRYPTION_KEY", "another", "Stored secrets", "ok"),
        ("DEFAULT_FROM_EMAIL", "portal@localhost", "Mail", "warn"),
    ],
)
def test_each_setting_is_judged(sound, settings, name, value, subject, verdict):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    setattr(settings, name, value)
    code, lines = doctor("--offline")
    assert line(lines, subject).startswith(verdict)
    assert code == (verdict == "BAD")


def test_what_does_not_answer_is_said_without_where_it_is(sound, settings, client):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.CELERY_BROKER_URL = f"amqp://guest:secret-word@127.0.0.1:{port}//"
        code, lines = doctor()
        client.force_login(make_user("operator", is_staff=True))
        page = client.post("/operator/setup/").content.decode()
    assert code == 1
    assert line(lines, "Mail server").startswith("BAD")
    assert line(lines, "Message broker").startswith("BAD")
    assert "Message broker" in page
    for text in (page, "\n".join(lines)):
        assert str(port) not in text
        assert "secret-word" not in text


def test_the_page_calls_nobody_unless_asked(sound, settings, client):
    settings.EMAIL_BACKEND = "tests.portal.no_such.Backend"
    client.force_login(make_user("operator", is_staff=True))
    page = client.get("/operator/setup/").content.decode()
    assert "were not called" in page
    assert "First steps" in page
    asked = client.post("/operator/setup/").content.decode()
    assert "It did not work" in asked
