"""ARGO Messaging Service over real HTTP: pulled, acknowledged after the commit, guarded."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from accounting.bills import job_ended
from accounting.check import findings
from accounting.models import JobBill, MessageState, UsageMessage, UsageSource
from accounting.sources import ams
from common.crypto import encrypt
from common.errors import AddressRefused, InvalidInput, ProviderNonsense, ProviderRefused
from tests.accounting.scene import Scene, usage
from tests.accounting.sources.killing import run_and_kill
from tests.accounting.sources.place import make_source, message, place_with, run
from tests.fakes.http_server import Received, Reply, ScriptedServer

TOKEN = "s3cr3t-token"


class Messaging(ScriptedServer):
    """A subscription `tep/usage`: what is not acknowledged is delivered again."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[dict[str, Any]] = []
        self._number = 0
        self._changing = threading.Lock()

    def publish(self, *bodies: bytes, **attributes: str) -> None:
        for body in bodies:
            self.publish_data(base64.b64encode(body).decode(), **attributes)

    def publish_data(self, data: str, **attributes: str) -> None:
        self._number += 1
        one = {"messageId": str(self._number), "attributes": attributes, "data": data}
        self.waiting.append(
            {"ackId": f"projects/tep/subscriptions/usage:{self._number}", "message": one}
        )

    def kind_of(self, method: str, target: str) -> str:
        return target.rpartition(":")[2]

    def work(self, got: Received) -> Reply:
        if got.headers.get("x-api-key") != TOKEN:
            return Reply(401, b'{"error": {"code": 401, "status": "UNAUTHORIZED"}}')
        asked = json.loads(got.body)
        with self._changing:
            if got.target == "/v1/projects/tep/subscriptions/usage:pull":
                assert isinstance(asked["maxMessages"], str)
                some = self.waiting[: int(asked["maxMessages"])]
                return Reply(200, json.dumps({"receivedMessages": some}).encode())
            if got.target == "/v1/projects/tep/subscriptions/usage:acknowledge":
                self.waiting = [w for w in self.waiting if w["ackId"] not in asked["ackIds"]]
                return Reply(200, b"{}")
        return Reply(404, b"{}")


@pytest.fixture
def service() -> Iterator[Messaging]:
    with Messaging() as started:
        yield started


def source_of(service: Messaging, **fields: Any) -> UsageSource:
    given = {"destination": "tep/usage", "secret": encrypt(TOKEN), **fields}
    return make_source("ams", service.base, **given)


@pytest.mark.django_db
def test_a_subscription_is_emptied_and_what_is_bad_is_kept(service: Messaging) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    service.publish(*(message(usage(bill.pk, cpu)) for cpu in range(50, 38, -1)), empaid="1")
    service.publish(b"nonsense")
    service.publish(b"", empaid="ping")
    service.publish_data("no base64!")
    service.publish_data("neither: é")
    report = run(source_of(service))
    assert (report.loaded, report.duplicates, report.rejected) == (12, 0, 3)
    assert service.waiting == []
    assert JobBill.objects.get(pk=bill.pk).charged == 39 * 100
    kept = UsageMessage.objects.filter(state=MessageState.REJECTED, source="ams")
    assert kept.count() == 3
    assert kept.filter(body__contains="no base64!").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_pull_and_acknowledgement(service: Messaging, moment: str) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    service.publish(message(usage(bill.pk, 10)))
    source = source_of(service)
    run_and_kill(moment)
    assert len(service.waiting) == 1
    assert JobBill.objects.get(pk=bill.pk).charged == (1_000 if moment == "after" else 0)
    report = run(source)
    assert (report.loaded, report.duplicates) == ((1, 0) if moment == "before" else (0, 1))
    assert service.waiting == []
    assert JobBill.objects.get(pk=bill.pk).charged == 1_000
    assert findings() == []


@pytest.mark.django_db
def test_a_lost_acknowledgement_takes_effect_once(service: Messaging) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    service.publish(message(usage(bill.pk, 10)))
    service.reply("acknowledge", Reply(408, b"{}"))
    source = source_of(service)
    with pytest.raises(ProviderRefused):
        run(source)
    source.refresh_from_db()
    assert source.failures == 1
    assert run(source).duplicates == 1
    source.refresh_from_db()
    assert (source.failures, source.last_error, service.waiting) == (0, "", [])
    assert JobBill.objects.get(pk=bill.pk).charged == 1_000


@pytest.mark.django_db
def test_a_service_that_only_asks_whether_we_are_there_keeps_no_worker(service: Messaging) -> None:
    ping = {"ackId": "1", "message": {"attributes": {"empaid": "ping"}, "data": ""}}
    answer = json.dumps({"receivedMessages": [ping] * ams.AT_ONCE}).encode()
    service.reply("pull", Reply(200, answer), times=None)
    assert run(source_of(service)).loaded == 0
    assert len(service.received) < 2 * ams.MOST_PINGS


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"receivedMessages": 1}',
        b'{"receivedMessages": [{"ackId": 1, "message": {"data": ""}}]}',
        b'{"receivedMessages": [{"ackId": "1", "message": {"data": null}}]}',
        b'{"receivedMessages": [{"ackId": "1", "message": {"data": "", "attributes": 7}}]}',
        b'{"a":' * 10_000,
    ],
)
def test_nonsense_is_said_and_nothing_breaks(service: Messaging, body: bytes) -> None:
    service.reply("pull", Reply(200, body))
    source = source_of(service)
    with pytest.raises(ProviderNonsense):
        run(source)
    source.refresh_from_db()
    assert source.last_error


@pytest.mark.django_db
def test_the_token_is_not_told_and_own_networks_are_not_called(service: Messaging) -> None:
    source = source_of(service, secret=encrypt("an old token"))
    with pytest.raises(ProviderRefused):
        run(source)
    source.refresh_from_db()
    assert "401" in source.last_error
    assert "token" not in source.last_error
    asked = len(service.received)
    with override_settings(OUTBOUND_ALLOW=[]), pytest.raises(AddressRefused):
        run(source)
    assert len(service.received) == asked


@pytest.mark.parametrize(
    ("fields", "locator"),
    [
        ({"address": "ftp://ams.example.org"}, "address"),
        ({"address": "https://user:pass@ams.example.org"}, "address"),
        ({"destination": "tep"}, "destination"),
        ({"destination": "tep/../x"}, "destination"),
    ],
)
def test_settings_that_cannot_be_right(fields: dict[str, str], locator: str) -> None:
    good = {"address": "https://ams.example.invalid", "destination": "tep/usage"}
    ams.check(place_with(good))
    with pytest.raises(InvalidInput) as refused:
        ams.check(place_with({**good, **fields}))
    assert refused.value.locator == locator
