"""STOMP from a real RabbitMQ: drained, acknowledged after the commit, refused in plain words."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import stomp
from django.test import override_settings

from accounting.bills import job_ended
from accounting.check import findings
from accounting.models import JobBill, MessageState, UsageMessage, UsageSource
from accounting.sources import stomp_queue
from accounting.sources.runner import pause
from common.crypto import encrypt
from common.errors import AddressRefused, InvalidInput, ProviderRefused, ProviderUnreachable
from tests.accounting.scene import PROVIDER, Scene, usage
from tests.accounting.sources.authority import Authority
from tests.accounting.sources.killing import run_and_kill
from tests.accounting.sources.place import make_source, message, place_with, run

BROKER = os.environ.get("TEST_STOMP_BROKER", "127.0.0.1:61613")
HOST, PORT = BROKER.rsplit(":", 1)
pytestmark = pytest.mark.broker


class Producer:
    """A queue that the broker forgets by itself, and how to fill it."""

    def __init__(self) -> None:
        name = f"tep-test-{uuid.uuid4().hex}"
        self.destination = f"/amq/queue/{name}"  # one that is there
        self._queue = f"/queue/{name}"
        self._connection = stomp.StompConnection12([(HOST, int(PORT))], vhost="/")
        self._connection.connect("guest", "guest", wait=True)

    def send(self, *bodies: bytes, **headers: str) -> None:
        for body in bodies:
            self._connection.send(self._queue, body, headers={"x-expires": "600000", **headers})

    def close(self) -> None:
        self._connection.disconnect(receipt="bye")


@pytest.fixture
def producer() -> Iterator[Producer]:
    try:
        socket.create_connection((HOST, int(PORT)), timeout=2).close()
    except OSError as error:
        if os.environ.get("TEP_CI"):
            raise
        pytest.skip(f"no STOMP broker at {BROKER}: {error}")
    made = Producer()
    yield made
    made.close()


def source_of(producer: Producer, **fields: object) -> UsageSource:
    given = {"username": "guest", "secret": encrypt("guest"), **fields}
    return make_source("stomp", BROKER, destination=producer.destination, **given)


@pytest.mark.django_db
def test_a_queue_is_drained_and_what_is_bad_is_kept(producer: Producer) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    producer.send(*(message(usage(bill.pk, cpu)) for cpu in (50, 30, 10)))
    producer.send(b"Sonderzeichen: \xc3\xbc", b"\xff\x00\xfe", b"x" * (6 * 2**20))
    producer.send(b"", **{"empa-id": "ping"})
    producer.send(message(usage(bill.pk, 50)))  # delivered twice
    source = source_of(producer)
    report = run(source)
    assert (report.loaded, report.duplicates, report.rejected) == (3, 1, 3)
    assert JobBill.objects.get(pk=bill.pk).charged == 1_000
    kept = UsageMessage.objects.filter(state=MessageState.REJECTED, provider_id=PROVIDER)
    assert sorted(kept.values_list("errors__0__reason", flat=True))
    assert {m.source for m in kept} == {"stomp"}
    assert kept.count() == 3
    report = run(source)
    assert (report.loaded, report.duplicates, report.rejected) == (0, 0, 0)
    source.refresh_from_db()
    assert source.last_message_at
    assert source.last_run_at
    assert (source.last_error, source.failures) == ("", 0)


@pytest.mark.django_db
def test_pings_alone_keep_no_worker(producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stomp_queue, "MOST_PINGS", 3)
    bill = job_ended(Scene().job().pk, successful=True)
    producer.send(b"", b"", b"", **{"empa-id": "ping"})
    producer.send(message(usage(bill.pk, 10)))
    source = source_of(producer)
    assert [run(source).loaded, run(source).loaded] == [0, 1]


def test_a_broker_that_sends_without_end_does_not_fill_the_memory() -> None:
    body = b"x" * 100_000
    frame = b"MESSAGE\nsubscription:usage\nmessage-id:1\nack:1\ndestination:/q\n"
    frame += b"content-length:100000\n\n" + body + b"\0"
    sent = 0

    def flood(listener: socket.socket) -> None:
        nonlocal sent
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"CONNECTED\nversion:1.2\n\n\0")
            while sent < 1_000:
                connection.sendall(frame)
                sent += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=flood, args=(listener,), daemon=True).start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with contextlib.closing(
            stomp_queue.deliveries(place_with({"address": address, "destination": "/q"}))
        ) as found:
            assert next(found).body == body
            time.sleep(2)
            assert sent < 3 * stomp_queue.MOST_WAITING + 200  # and what the kernel keeps


@pytest.mark.django_db
def test_only_signed_messages_of_listed_hosts(producer: Producer, tmp_path: Path) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    authority = Authority(tmp_path)
    host, other = authority.issue("a.example.org"), authority.issue("b.example.org")
    own = authority.issue("portal.example.org")
    body = message(usage(bill.pk, 50))
    producer.send(body, other.sign(body), own.encrypted(host.sign(body)))
    source = source_of(
        producer,
        signed=True,
        signers=[host.dn],
        authorities=authority.pem,
        decryption_key=encrypt(own.key.read_text()),
    )
    report = run(source)
    assert (report.loaded, report.rejected) == (1, 2)
    taken = UsageMessage.objects.get(state=MessageState.LOADED)
    assert (taken.signer, taken.body) == (host.dn, body.decode())
    reasons = UsageMessage.objects.filter(state=MessageState.REJECTED).order_by("received_at")
    assert [
        "not signed" in reasons[0].errors[0]["reason"],
        other.dn in reasons[1].errors[0]["reason"],
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_delivery_and_acknowledgement(producer: Producer, moment: str) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    producer.send(message(usage(bill.pk, 10)))
    source = source_of(producer)
    run_and_kill(moment)
    assert JobBill.objects.get(pk=bill.pk).charged == (1_000 if moment == "after" else 0)
    report = run(source)
    assert (report.loaded, report.duplicates) == ((1, 0) if moment == "before" else (0, 1))
    report = run(source)
    assert (report.loaded, report.duplicates) == (0, 0)
    assert JobBill.objects.get(pk=bill.pk).charged == 1_000
    assert findings() == []


@pytest.mark.django_db
def test_what_the_broker_refuses_is_written_down_and_waits_longer(producer: Producer) -> None:
    source = source_of(producer, secret=encrypt("wrong"))
    for failures in (1, 2, 3):
        with pytest.raises((ProviderRefused, ProviderUnreachable)):
            run(source)
        source.refresh_from_db()
        assert source.failures == failures
        assert source.last_error
        assert "wrong" not in source.last_error
    waits = []
    for failures in (0, 1, 3, 100):
        source.failures = failures
        waits.append(pause(source).total_seconds())
    assert waits[0] == 60
    assert 90 < waits[1] <= 120
    assert 380 < waits[2] <= 480
    assert waits[3] <= 3600


@pytest.mark.django_db
def test_a_broker_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stomp_queue, "CONNECTED_WITHIN", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        source = make_source("stomp", f"127.0.0.1:{mute.getsockname()[1]}", destination="/queue/q")
        with pytest.raises(ProviderUnreachable, match="answer"):
            run(source)
    with pytest.raises(ProviderUnreachable):  # and now nobody is there
        run(source)


@pytest.mark.django_db
def test_a_broker_in_the_portals_own_network_is_not_called() -> None:
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as inside:
        port = inside.getsockname()[1]
        thread = threading.Thread(target=lambda: connections.append(inside.accept()), daemon=True)
        thread.start()
        source = make_source("stomp", f"localhost:{port}", destination="/queue/q")
        with override_settings(OUTBOUND_ALLOW=[]), pytest.raises(AddressRefused):
            run(source)
        thread.join(0.3)
        assert connections == []


@pytest.fixture
def over_tls(producer: Producer, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and authority of a door to the broker that speaks TLS."""
    del producer  # only where there is a broker
    authority = Authority(tmp_path)
    identity = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_let_in, args=(door, context), daemon=True).start()
        yield f"localhost:{door.getsockname()[1]}", authority.pem


def _let_in(door: socket.socket, context: ssl.SSLContext) -> None:
    """Pass on what comes in over TLS, both ways."""
    with contextlib.suppress(OSError):  # the door is closed at the end
        while True:
            came, _address = door.accept()
            try:
                inside = context.wrap_socket(came, server_side=True)
            except OSError:
                continue  # whoever came does not believe us
            broker = socket.create_connection((HOST, int(PORT)))
            for pair in ((inside, broker), (broker, inside)):
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


@pytest.mark.django_db
def test_over_tls_only_a_broker_that_proves_its_name(
    producer: Producer, over_tls: tuple[str, str]
) -> None:
    bill = job_ended(Scene().job().pk, successful=True)
    producer.send(message(usage(bill.pk, 10)))
    address, authority = over_tls
    source = source_of(producer, options={"tls": True})
    source.address = address
    source.save()
    with pytest.raises(ProviderUnreachable):  # no authority of the system's vouches for it
        run(source)
    source.options = {"tls": True, "tls_authorities": authority}
    source.address = address.replace("localhost", "127.0.0.1")
    source.save()
    with pytest.raises(ProviderUnreachable):  # another name than the certificate's
        run(source)
    source.address = address
    source.save()
    assert run(source).loaded == 1
    assert JobBill.objects.get(pk=bill.pk).charged == 1_000


@pytest.mark.parametrize(
    ("fields", "locator"),
    [
        ({"address": "broker.example.org"}, "address"),
        ({"address": "http://broker.example.org:61613"}, "address"),
        ({"address": "broker.example.org:70000"}, "address"),
        ({"destination": ""}, "destination"),
        ({"destination": "/queue/a\nb:c"}, "destination"),
        ({"options": {"tls": "yes"}}, "options"),
        ({"options": {"password": "x"}}, "options"),
    ],
)
def test_settings_that_cannot_be_right(fields: dict[str, object], locator: str) -> None:
    good = {"address": "broker.example.org:61613", "destination": "/queue/q", "options": {}}
    stomp_queue.check(place_with(good))
    with pytest.raises(InvalidInput) as refused:
        stomp_queue.check(place_with({**good, **fields}))
    assert refused.value.locator == locator
