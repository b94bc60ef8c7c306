"""What people do about usage that did not go through: once, whoever does it, and by name."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from accounting.accounts import name_of
from accounting.bills import job_dispatched, job_ended
from accounting.check import findings
from accounting.models import (
    JobBill,
    QuarantinedRecord,
    UsageBill,
    UsageMessage,
    UsageRecord,
)
from accounting.usage import desk
from accounting.usage.apel import write
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from common.errors import Conflict, InvalidInput, NotFound
from people.models import User
from providers.models import Provider
from tests.accounting.scene import PROVIDER, Scene, send, usage
from tests.accounting.test_usage_jobless import LONG_AGO, RATES, known_as
from tests.factories import make_provider, make_user

pytestmark = pytest.mark.django_db
KEEPS_GOOD = Sender(PROVIDER, keep_good=True)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    with monkeypatch.context() as past:
        past.setattr("common.clock.timezone.now", lambda: LONG_AGO)
        return Scene(rates=RATES)


@pytest.fixture
def operator(db: None) -> User:
    return make_user(is_staff=True)


@pytest.fixture
def provider(db: None) -> Provider:
    """The provider of the scene; what is agreed with it is for each test to say."""
    return make_provider(make_user(), pk=PROVIDER)


@pytest.fixture(autouse=True)
def sound_books(db: None) -> Iterator[None]:
    yield
    assert findings() == []


def ended(scene: Scene) -> JobBill:
    return job_ended(scene.job().pk, successful=True)


def record() -> UsageRecord:
    return UsageRecord.objects.get(superseded_by=None)


# --- quarantine ------------------------------------------------------------------------------


def bad(bill: JobBill) -> dict[str, object]:
    return usage(bill.pk, 10, step=1) | {"EndTime": "soon"}


def test_good_records_are_loaded_and_bad_ones_wait(scene: Scene) -> None:
    bill = ended(scene)
    body = write([usage(bill.pk, 10), bad(bill)])
    assert import_message(body, source="rest", sender=Sender(PROVIDER)).state == "REJECTED"
    assert scene.balances()[0] == 0
    # The option changed, and the message came again.
    report = import_message(body, source="rest", sender=KEEPS_GOOD)
    assert (report.state, report.records, report.quarantined) == ("PARTLY", 1, 1)
    assert [e["field"] for e in report.errors] == ["EndTime"]
    again = import_message(body, source="rest", sender=KEEPS_GOOD)
    assert (again.duplicate, again.quarantined) == (True, 1)
    row = QuarantinedRecord.objects.get()
    assert (row.provider_id, row.state, "EndTime: soon" in row.text) == (PROVIDER, "WAITING", True)
    assert scene.balances()[0] == 1_000


def test_a_corrected_record_is_loaded_once(scene: Scene, operator: User) -> None:
    bill = ended(scene)
    send(usage(bill.pk, 10), bad(bill), sender=KEEPS_GOOD)
    row = QuarantinedRecord.objects.get()
    for wrong in ("", "nonsense", row.text, row.text + "\n%%\n" + row.text.replace("soon", "5")):
        with pytest.raises(InvalidInput):
            desk.load_quarantined(row, wrong, actor=operator)
    corrected = row.text.replace("soon", "1767231009")
    for _ in range(2):
        done = desk.load_quarantined(row, corrected, actor=operator)
        assert (done.state, done.decided_by) == ("LOADED", name_of(operator))
    assert scene.balances()[0] == 2_000
    assert UsageMessage.objects.get().records_count == 2
    with pytest.raises(Conflict):
        desk.drop_quarantined(row, actor=operator)


def test_a_dropped_record_stays_dropped(scene: Scene, operator: User) -> None:
    bill = ended(scene)
    send(bad(bill), sender=KEEPS_GOOD)
    row = QuarantinedRecord.objects.get()
    for _ in range(2):
        assert desk.drop_quarantined(row, actor=operator).state == "DROPPED"
    with pytest.raises(Conflict):
        desk.load_quarantined(row, row.text.replace("soon", "1767231009"), actor=operator)
    assert scene.balances()[0] == 0


def test_a_corrected_json_record_is_read_as_in_its_envelope(scene: Scene, operator: User) -> None:
    one = '{"SiteName": "S", "FQAN": "x", "CloudType": "t", "IPVersion": 4, "IPCount": "%s",'
    one += ' "MeasurementTime": 1767231000, "GlobalUserName": "ada"}'
    body = '{"Type": "APEL Public IP message", "Version": "0.2", "UsageRecords": [' + one + "]}"
    import_message((body % "many").encode(), source="rest", sender=KEEPS_GOOD)
    row = QuarantinedRecord.objects.get()
    desk.load_quarantined(row, one % "3", actor=operator)
    assert record().type == "public-ip"


# --- rejected messages -----------------------------------------------------------------------


def test_a_rejected_message_is_taken_by_the_rules_of_now(
    scene: Scene, operator: User, provider: Provider
) -> None:
    bill = ended(scene)
    send(usage(bill.pk, 10), bad(bill))
    message = UsageMessage.objects.get()
    with pytest.raises(InvalidInput):
        desk.retry_message(message, actor=operator)
    provider.usage_keep_good = True
    provider.save()
    assert desk.retry_message(message, actor=operator).state == "PARTLY"
    assert desk.retry_message(message, actor=operator).duplicate
    assert UsageMessage.objects.get().retried_by == name_of(operator)
    assert scene.balances()[0] == 1_000


def test_a_message_that_is_not_here_whole_cannot_be_retried(operator: User) -> None:
    import_message(b"\xff\xfe", source="rest", sender=Sender())
    with pytest.raises(Conflict):
        desk.retry_message(UsageMessage.objects.get(), actor=operator)


# --- records ---------------------------------------------------------------------------------


def test_a_record_is_given_to_a_job_once(scene: Scene, operator: User) -> None:
    bill, other = ended(scene), ended(scene)
    send(usage("mistyped", 10))
    for _ in range(2):
        done = desk.assign_to_job(record(), bill.pk, actor=operator)
        assert (done.state, done.decided_by) == ("CHARGED", name_of(operator))
    assert scene.balances() == (1_000, 6_000, 1_000)
    with pytest.raises(Conflict):
        desk.assign_to_job(record(), other.pk, actor=operator)
    with pytest.raises(NotFound):
        desk.assign_to_job(record(), uuid.uuid4(), actor=operator)
    # A revision stays with it.
    send(usage("mistyped", 20))
    assert scene.balances() == (2_000, 6_000, 2_000)


def test_what_is_free_stays_so_with_a_job(scene: Scene, operator: User) -> None:
    bill = ended(scene)
    import_message(
        b'{"id": "t", "account": {"platform": "tep", "username": "ada", "ref": "mistyped"},'
        b' "quantity": [{"id": "CPU_MILLISECONDS", "value": 9000}], "status": "TEST"}',
        source="rest",
        sender=Sender(PROVIDER),
    )
    done = desk.assign_to_job(record(), bill.pk, actor=operator)
    assert (done.bill_id, done.state) == (bill.pk, "FREE")
    assert scene.balances() == (0, 6_000, 0)


def test_a_record_is_not_given_to_another_providers_job(scene: Scene, operator: User) -> None:
    bill = ended(scene)
    send(usage("x", 10), provider_id=PROVIDER + 1)
    with pytest.raises(Conflict):
        desk.assign_to_job(record(), bill.pk, actor=operator)
    assert scene.balances()[0] == 0


def test_what_was_charged_to_names_is_given_back_when_a_job_gets_it(
    scene: Scene, operator: User
) -> None:
    bill = ended(scene)
    known_as(scene.account, "group", "tep.urban")
    send(usage("x", 20, VO="tep.urban"), sender=Sender(PROVIDER, without_jobs=True))
    assert scene.balances() == (2_000, 6_000, 2_000)
    desk.assign_to_job(record(), bill.pk, actor=operator)
    assert scene.balances() == (2_000, 0, 2_000)
    assert UsageBill.objects.get().charged == 0


def test_what_was_held_back_is_released_once(scene: Scene, operator: User) -> None:
    for _ in range(2):
        job_dispatched(scene.job().pk, "twice")
    send(usage("twice", 10, VO="tep.urban"))
    assert record().state == "HELD_BACK"
    with pytest.raises(Conflict):  # nobody is known by that name
        desk.release_held_back(record(), actor=operator)
    assert record().state == "HELD_BACK"
    known_as(scene.account, "group", "tep.urban")
    for _ in range(2):
        done = desk.release_held_back(record(), actor=operator)
        assert (done.state, done.decided_by) == ("CHARGED", name_of(operator))
    assert scene.balances()[0] == 1_000


def test_rematching_finds_jobs_and_names_that_are_known_by_now(
    scene: Scene, provider: Provider
) -> None:
    bill = ended(scene)
    send(usage("remote-7", 10), usage("y", 20, step=1, VO="tep.urban"))
    JobBill.objects.filter(pk=bill.pk).update(provider_job_id="remote-7")
    assert desk.rematch([PROVIDER + 1]) == 0
    assert desk.rematch() == 1
    assert scene.balances() == (1_000, 0, 1_000)
    known_as(scene.account, "group", "tep.urban")
    assert desk.rematch() == 0  # it was not agreed
    provider.usage_without_jobs = True
    provider.save()
    assert (desk.rematch([PROVIDER]), desk.rematch()) == (1, 0)
    assert scene.balances() == (3_000, 0, 3_000)
