"""Usage of a provider in every state: charged, unknown, held back, in quarantine, refused."""

from __future__ import annotations

from unittest import mock

from accounting.accounts import user_account
from accounting.models import UsageMessage, UsageSource
from accounting.usage.importer import import_message
from accounting.usage.names import add_name
from jobs.usage_senders import sender_of
from tests.pages.people import unreported
from tests.pages.stage import Stage

MACHINE = (
    "VMUUID: vm-1\nSiteName: SITE-A\nLocalUserId: ada\nStatus: started\nStartTime: 1768000000\n"
    "RecordCreateTime: 1768000500\nWallDuration: 10\nCpuDuration: 10\n"
)


def fill_console(stage: Stage, word: str, why: str) -> tuple[list[str], UsageSource]:
    """One message of each state and the source that fails; the provider keeps good records."""
    lost = unreported(stage)
    _send(stage, "individual-job", *(_job(f"unknown-{n}", word) for n in range(28)))
    _send(stage, "individual-job", _job("x", word), _job(lost.pk, word, -1), _job(word, word, "?"))
    _send(stage, "cloud", MACHINE, version="0.4")
    _send(stage, "sync", *(_count(month) for month in range(1, 7)), version="0.1")
    with mock.patch.object(stage.provider, "usage_keep_good", False):
        _send(stage, "individual-job", *(_job(n, word, -1) for n in range(30)))
    import_message(b"nonsense", source="rest", sender=sender_of(stage.provider))
    of_provider = {"actor": stage.operator, "provider_id": stage.provider.pk}
    add_name(kind="user", name="ada", account=user_account(stage.researcher), **of_provider)
    add_name(kind="group", name=f"/{word.lower()}/maps", account=stage.account, **of_provider)
    UsageSource.objects.create(kind="dirq", address=f"/spool/{word}", name="Folder", enabled=False)
    source = UsageSource.objects.create(
        provider_id=stage.provider.pk,
        name=f"Queue of {stage.provider.name}"[:100],
        kind="stomp",
        address="broker.example.org:61613",
        destination=f"/queue/{word}",
        failures=7,
        last_error=f"The broker refused the connection. {why}",
    )
    of_each = [
        UsageMessage.objects.filter(state=state).latest("records_count")
        for state in ("LOADED", "PARTLY", "REJECTED")
    ]
    return [message.pk for message in of_each], source


def _job(name: object, word: str, seconds: object = 30) -> str:
    return (
        f"Site: SITE-{word}\nSubmitHost: wps.{word.lower()}.example.org\nLocalJobId: {name}\n"
        f"WallDuration: {seconds}\nCpuDuration: 20\nProcessors: 1\n"
        "StartTime: 1767225600\nEndTime: 1767225630\n"
    )


def _count(month: int) -> str:
    return f"Site: A\nSubmitHost: a.example.org\nNumberOfJobs: 7\nMonth: {month}\nYear: 2026\n"


def _send(stage: Stage, form: str, *records: str, version: str = "0.3") -> None:
    body = f"APEL-{form}-message: v{version}\n" + "%%\n".join(records)
    import_message(body.encode(), source="rest", sender=sender_of(stage.provider))
