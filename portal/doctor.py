"""What an installation still lacks: each finding says what is the matter and what to do.

For `manage.py doctor` and the operator's page *Set-up*. Answers name settings, never their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core import checks
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.http.request import validate_host
from django.utils.translation import gettext as _
from kombu.connection import Connection

from people.models import User
from portal import health
from portal.first_steps import first_steps

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5
LOCAL_CACHE = "django.core.cache.backends.locmem.LocMemCache"
NO_REAL_MAIL = ("console", "dummy", "locmem", "filebased")
PROBE = "doctor/probe"


class Verdict(StrEnum):
    GOOD = "good"
    WARN = "warn"  # works, but not as it should for others than its operator
    BAD = "bad"  # something that users need does not work


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `text` says what was found, `advice` what to do (or "")."""

    subject: str
    verdict: Verdict
    text: str
    advice: str = ""


def settings_findings() -> Iterator[Finding]:
    """What the settings say by themselves; nothing is called."""
    yield from (_address(), _database_kind(), _cache(), _mail_kind(), _encryption(), _outbound())
    told = checks.run_checks(include_deployment_checks=True)
    serious = [one for one in told if one.level >= checks.WARNING and not one.is_silenced()]
    for message in serious:
        verdict = Verdict.BAD if message.level >= checks.ERROR else Verdict.WARN
        yield Finding(
            _("Django's checks"), verdict, f"{message.id}: {message.msg}", message.hint or ""
        )
    if not serious:
        yield Finding(_("Django's checks"), Verdict.GOOD, _("Nothing to say."))


def state_findings() -> Iterator[Finding]:
    """What the database tells: whether work is done, and who is there."""
    names = {
        "database": _("Database"),
        "migrations": _("Migrations"),
        "worker": _("Worker"),
        "due_work": _("Due work"),
    }
    advice = {
        "database": _("Look at DATABASE_URL and at the server's log."),
        "migrations": _("Run: manage.py migrate"),
        "worker": _("Start one: manage.py worker, or Celery's where CELERY_BROKER_URL is set."),
        "due_work": _("Start more workers, or look at the operator's desk for what fails."),
    }
    for name, text in health.outcomes().items():
        good = text == health.OK
        shown = _("In order.") if good else text
        yield Finding(
            names[name], Verdict.GOOD if good else Verdict.BAD, shown, "" if good else advice[name]
        )
    try:
        yield _operators()
    except DatabaseError:
        log.exception("doctor.state_unknown")


def step_findings() -> Iterator[Finding]:
    """The first steps as findings, with the address where each is done."""
    for step in first_steps():
        if step.done:
            yield Finding(step.title, Verdict.GOOD, _("Done."))
        else:
            yield Finding(step.title, Verdict.WARN, step.why, settings.BASE_URL + step.address)


def connection_findings() -> Iterator[Finding]:
    """What answers when it is called: mail server, broker, storage of results. Takes seconds."""
    yield _tried(_("Mail server"), _reach_mail, _("Look at EMAIL_URL."))
    if settings.CELERY_BROKER_URL:
        yield _tried(_("Message broker"), _reach_broker, _("Look at CELERY_BROKER_URL."))
    yield _tried(
        _("Storage of results"), _reach_storage, _("Look at VAR_DIR or RESULTS_STORAGE_BUCKET.")
    )


def _tried(subject: str, reach: Callable[[], None], advice: str) -> Finding:
    try:
        reach()
    except Exception as error:  # noqa: BLE001 (whatever a client library raises)
        log.warning("doctor.unreachable", subject=reach.__name__, error=repr(error))
        kind = type(error).__name__
        text = _("It did not work (%(kind)s); the log has the reason.") % {"kind": kind}
        return Finding(subject, Verdict.BAD, text, advice)
    return Finding(subject, Verdict.GOOD, _("Answers."))


def _reach_mail() -> None:
    server = get_connection(timeout=CONNECT_SECONDS)
    server.open()
    server.close()


def _reach_broker() -> None:
    with Connection(settings.CELERY_BROKER_URL, connect_timeout=CONNECT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)


def _reach_storage() -> None:
    kept = storages["results"]
    name = kept.save(PROBE, ContentFile(b"probe"))
    try:
        with kept.open(name) as file:
            if file.read() != b"probe":
                raise OSError("another content than was written")
    finally:
        kept.delete(name)


def _address() -> Finding:
    subject = _("Own address")
    parts = urlsplit(settings.BASE_URL)
    if not parts.hostname:
        text = _("BASE_URL is empty: links in mails and in published records lead nowhere.")
        return Finding(subject, Verdict.BAD, text, _("Set BASE_URL, e.g. https://tep.example.org"))
    if not validate_host(parts.hostname, settings.ALLOWED_HOSTS):
        text = _("The host of BASE_URL is not among ALLOWED_HOSTS: its requests are refused.")
        return Finding(subject, Verdict.BAD, text, _("Add it to ALLOWED_HOSTS."))
    if parts.scheme != "https":
        text = _("Plain HTTP: passwords and keys can be read on their way.")
        return Finding(subject, Verdict.WARN, text, _("Put a proxy with TLS in front."))
    return Finding(subject, Verdict.GOOD, settings.BASE_URL)


def _database_kind() -> Finding:
    if connection.vendor == "postgresql":
        return Finding(_("Kind of database"), Verdict.GOOD, "PostgreSQL")
    text = _("SQLite: good for one machine and a few people; one process writes at a time.")
    return Finding(_("Kind of database"), Verdict.WARN, text, _("Set DATABASE_URL to PostgreSQL."))


def _cache() -> Finding:
    if settings.CACHES["default"]["BACKEND"] != LOCAL_CACHE:
        return Finding(_("Shared counts"), Verdict.GOOD, _("All web processes share one cache."))
    text = _("Each web process counts sign-in attempts and requests by itself.")
    return Finding(_("Shared counts"), Verdict.WARN, text, _("Set CACHE_URL to a Redis server."))


def _mail_kind() -> Finding:
    backend = settings.EMAIL_BACKEND.split(".")[-2]
    if backend in NO_REAL_MAIL:
        text = _("Mails are written nowhere that people read.")
        return Finding(_("Mail"), Verdict.WARN, text, _("Set EMAIL_URL, e.g. smtp+tls://…"))
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        text = _("Mails come from an address at localhost: most servers refuse them.")
        return Finding(_("Mail"), Verdict.WARN, text, _("Set DEFAULT_FROM_EMAIL."))
    return Finding(_("Mail"), Verdict.GOOD, settings.DEFAULT_FROM_EMAIL)


def _encryption() -> Finding:
    if settings.FIELD_ENCRYPTION_KEY:
        return Finding(_("Stored secrets"), Verdict.GOOD, _("They have a key of their own."))
    text = _("They are encrypted with SECRET_KEY: who changes it loses them.")
    advice = _("Set FIELD_ENCRYPTION_KEY before the first secret is stored.")
    return Finding(_("Stored secrets"), Verdict.WARN, text, advice)


def _outbound() -> Finding:
    subject = _("Calls to private networks")
    if not settings.OUTBOUND_ALLOW:
        return Finding(subject, Verdict.GOOD, _("Only public addresses are called."))
    networks = [one for one in settings.OUTBOUND_ALLOW if "/" in one]
    if networks:
        text = _("Whole networks are open to providers that anybody may register.")
        return Finding(subject, Verdict.WARN, text, _("Name hosts with ports in OUTBOUND_ALLOW."))
    return Finding(subject, Verdict.GOOD, _("Only single hosts and ports are open."))


def _operators() -> Finding:
    count = User.objects.filter(is_staff=True, is_active=True).count()
    if count == 0:
        text = _("Nobody can approve providers or issue credit.")
        return Finding(_("Operators"), Verdict.BAD, text, _("Run: manage.py createsuperuser"))
    if count == 1:
        text = _("One: refunds and corrections above the limit need a second one.")
        return Finding(_("Operators"), Verdict.WARN, text, _("Make another user staff in /admin/."))
    return Finding(_("Operators"), Verdict.GOOD, str(count))
