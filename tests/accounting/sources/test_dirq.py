"""Directory queues as real producers write them: taken once, whatever dies in between."""

from __future__ import annotations

import os
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dirq.queue import Queue
from dirq.QueueSimple import QueueSimple
from django.core.management import CommandError, call_command
from django.db import OperationalError

from accounting.bills import job_ended
from accounting.check import findings
from accounting.models import JobBill, UsageMessage, UsageRecord
from accounting.sources import dirq, intake
from accounting.sources.dirq import ingest_queue
from accounting.usage.apel import write
from accounting.usage.records import Sender
from common.errors import ConfigurationError
from tests.accounting.scene import PROVIDER, Scene, usage
from tests.accounting.sources.killing import run_and_kill
from tests.accounting.sources.place import make_source, run
from tests.factories import make_provider, make_user

SIGNER = "/C=XX/O=Institute/CN=host.example.org"
SSM_SCHEMA = {"body": "string", "signer": "string", "empaid": "string?"}
REJECT_SCHEMA = {"body": "string", "signer": "string?", "empaid": "string?", "error": "string"}


@pytest.fixture
def incoming(tmp_path: Path) -> Queue:
    return Queue(str(tmp_path / "incoming"), schema=SSM_SCHEMA)


@pytest.fixture
def bill(db: None) -> JobBill:
    """A finished job whose usage is waited for."""
    bill = Scene().job()
    return job_ended(bill.pk, successful=True)


def message(bill: JobBill, cpu: int = 10) -> str:
    return write([usage(bill.pk, cpu)]).decode()


def add(queue: Queue, body: str) -> Path:
    name = queue.add({"body": body, "signer": SIGNER, "empaid": "1"})
    return Path(queue.path) / name


def charged(bill: JobBill) -> int:
    return JobBill.objects.get(pk=bill.pk).charged


def age_locks(queue: Path, seconds: int = 3600) -> None:
    """As if the dead reader's lock were that old."""
    then = time.time() - seconds
    for element in queue.glob("????????/*"):
        os.utime(element, (then, then))


def test_messages_are_taken_in_order_and_removed(incoming: Queue, bill: JobBill) -> None:
    for cpu in (50, 30, 10):
        add(incoming, message(bill, cpu))
    add(incoming, message(bill, 50))  # delivered twice
    report = ingest_queue(Path(incoming.path), sender=Sender(PROVIDER))
    assert (report.loaded, report.duplicates, report.rejected, report.records) == (3, 1, 0, 3)
    assert incoming.count() == 0
    assert charged(bill) == 1_000
    assert set(UsageMessage.objects.values_list("source", "signer", "provider_id")) == {
        ("dirq", SIGNER, PROVIDER)
    }


def test_the_layout_with_a_file_per_message_is_read_too(tmp_path: Path, bill: JobBill) -> None:
    queue = QueueSimple(str(tmp_path / "outgoing"))
    queue.add(message(bill).encode())
    assert ingest_queue(tmp_path / "outgoing", sender=Sender(PROVIDER)).loaded == 1
    assert queue.count() == 0
    assert charged(bill) == 1_000


def test_what_cannot_be_taken_goes_to_reject_with_every_reason(
    incoming: Queue, bill: JobBill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounting.usage.importer.MOST_BYTES", 1000)
    monkeypatch.setattr(dirq, "MOST_BYTES", 1000)
    bad = message(bill).replace("CpuDuration: 10", "CpuDuration: ten\nno pair")
    add(incoming, bad)
    add(incoming, "x" * 2000)
    (add(incoming, "x") / "body").unlink()
    not_text = add(incoming, "x") / "body"
    not_text.write_bytes(b"\xff\xfe")
    linked = add(incoming, "x") / "body"
    linked.unlink()
    linked.symlink_to("/etc/hostname")
    (add(incoming, "APEL-other-message: v0.1\n") / "a strange file").touch()
    add(incoming, message(bill))
    report = ingest_queue(Path(incoming.path), sender=Sender(PROVIDER))
    assert (report.loaded, report.rejected) == (1, 6)
    assert (incoming.first(), charged(bill)) == ("", 1_000)

    reject = Queue(str(Path(incoming.path).parent / "reject"), schema=REJECT_SCHEMA)
    rejected = []
    for name in reject:
        assert reject.lock(name)
        folder = Path(reject.path) / name
        rejected.append(((folder / "body").read_bytes(), (folder / "error").read_text()))
        assert (folder / "signer").read_text() == SIGNER
    bodies, errors = zip(*rejected, strict=True)
    assert bodies[0].decode() == bad
    assert errors[0].splitlines() == [
        "line 6, CpuDuration: must be a whole number from 0 to 9000000000000000, not 'ten'",
        'line 7: is not of the form "key: value"',
    ]
    assert [bool(e) for e in errors] == [True] * 6
    assert "UTF-8" in errors[3]
    assert "APEL-other-message" in errors[5]
    assert Path("/etc/hostname").read_bytes() not in bodies


def test_links_in_a_queue_lead_nowhere(tmp_path: Path, incoming: Queue, bill: JobBill) -> None:
    others = Queue(str(tmp_path / "others"), schema=SSM_SCHEMA)
    theirs = add(others, message(bill))
    own = add(incoming, message(bill))
    add(incoming, message(bill))
    (own.parent.parent / "ffffffff").symlink_to(theirs.parent)  # a folder of another's queue
    (own.parent / "ffffffffffffff").symlink_to(theirs)  # an element of it
    for name in ("body", "signer"):
        (own / name).unlink()
        (own / name).mkdir()  # no reason to stop either
    report = ingest_queue(Path(incoming.path), sender=Sender(PROVIDER))
    assert (report.loaded, report.rejected) == (1, 1)
    assert (theirs / "body").exists()
    assert others.count() == 1


def test_what_does_not_belong_into_a_queue_does_not_stop_it(incoming: Queue, bill: JobBill) -> None:
    folder = add(incoming, message(bill)).parent
    (folder / "00000000000000").symlink_to("/etc/hostname")
    (folder / "00000000000001").write_text("a file among folders")
    (folder / "note").write_text("read me")
    (folder / "notes").mkdir()
    report = ingest_queue(Path(incoming.path), sender=Sender(PROVIDER))
    assert (report.loaded, report.rejected, charged(bill)) == (1, 0, 1_000)
    assert len(list(folder.iterdir())) == 4  # the odd ones, for somebody to look at


def test_elements_of_another_reader_are_left_until_it_is_dead(
    incoming: Queue, bill: JobBill
) -> None:
    add(incoming, message(bill))
    assert incoming.lock(incoming.first())
    assert ingest_queue(Path(incoming.path), sender=Sender(PROVIDER)).loaded == 0
    age_locks(Path(incoming.path))
    assert ingest_queue(Path(incoming.path), sender=Sender(PROVIDER)).loaded == 1
    assert charged(bill) == 1_000


def test_what_a_producer_is_writing_is_not_disturbed(incoming: Queue, bill: JobBill) -> None:
    half = Path(incoming.path) / "temporary" / "0123456789abcd"
    half.mkdir()
    (half / "body").write_text("half")
    os.utime(half, (1, 1))
    add(incoming, message(bill))
    assert ingest_queue(Path(incoming.path), sender=Sender(PROVIDER)).loaded == 1
    assert (half / "body").read_text() == "half"


def test_a_failing_database_leaves_the_element_for_later(
    incoming: Queue, bill: JobBill, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(incoming, message(bill))
    with monkeypatch.context() as broken:
        broken.setattr(intake, "import_message", lambda *a, **k: _raise(OperationalError("gone")))
        with pytest.raises(OperationalError):
            ingest_queue(Path(incoming.path), sender=Sender(PROVIDER))
    assert ingest_queue(Path(incoming.path), sender=Sender(PROVIDER)).loaded == 1
    assert charged(bill) == 1_000


def _raise(error: Exception) -> None:
    raise error


def test_a_missing_folder_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        ingest_queue(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_the_command_takes_a_registered_queue_as_its_providers(incoming: Queue, db: None) -> None:
    provider = make_provider(make_user(), usage_queue=incoming.path)
    scene = Scene()
    bill = job_ended(scene.job(provider_id=provider.pk).pk, successful=True)
    foreign = job_ended(scene.job().pk, successful=True)
    add(incoming, write([usage(bill.pk, 10), usage(foreign.pk, 10, Site="OTHER")]).decode())
    out = StringIO()
    call_command("ingest_usage", incoming.path, stdout=out)
    assert out.getvalue().startswith("1 messages taken in with 2 records, 0 known already, 0 rej")
    assert UsageRecord.objects.get(local_job_id=str(bill.pk)).state == "FREE"  # it has no prices
    assert UsageRecord.objects.get(local_job_id=str(foreign.pk)).state == "HELD_BACK"
    add(incoming, "nonsense")
    with pytest.raises(CommandError, match="reject"):
        call_command("ingest_usage", incoming.path, stdout=out)


# --- as a source of its own --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("layout", ["folders", "files"])
def test_killed_between_get_and_remove_charges_once(
    tmp_path: Path, moment: str, layout: str
) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    source = make_source("dirq", str(tmp_path / "queue"))
    queue: Any
    if layout == "folders":
        queue = Queue(source.address, schema=SSM_SCHEMA)
        add(queue, message(bill))
    else:
        queue = QueueSimple(source.address)
        queue.add(message(bill))
    run_and_kill(moment)
    assert queue.count() == 1
    assert charged(bill) == (1_000 if moment == "after" else 0)

    assert (run(source).loaded, queue.count()) == (0, 1)  # still locked by the dead
    age_locks(tmp_path / "queue")
    report = run(source)
    assert (report.loaded, report.duplicates) == ((1, 0) if moment == "before" else (0, 1))
    assert queue.count() == 0
    assert charged(bill) == 1_000
    assert findings() == []


def test_a_folder_that_is_not_there_yet_is_no_error(tmp_path: Path, db: None) -> None:
    source = make_source("dirq", str(tmp_path / "later"))
    assert run(source).loaded == 0
    source.refresh_from_db()
    assert (source.last_error, source.last_message_at) == ("", None)
    assert source.last_run_at


def test_only_listed_signers_are_believed(incoming: Queue, bill: JobBill) -> None:
    add(incoming, message(bill))
    source = make_source("dirq", incoming.path, signers=["/C=XX/CN=another"])
    assert run(source).rejected == 1
    reject = Queue(str(Path(incoming.path).parent / "reject"), schema=REJECT_SCHEMA)
    assert SIGNER in (Path(reject.path) / reject.first() / "error").read_text()
    add(incoming, message(bill))
    source.signers = [SIGNER]
    source.save()
    assert run(source).loaded == 1
    assert charged(bill) == 1_000
