"""One certificate and no other: what a provider's origin must show before anything is sent."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from common.errors import AddressRefused, CertificateRefused, ProviderUnreachable
from common.http import Limits, certificate_of, fetch, stream
from tests.common.servers import Talk, always, serve


class Identity:
    """A key with a self-signed certificate, and a server's TLS with both."""

    def __init__(self, folder: Path, *, days: int = 1) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "centre")])
        begin = datetime.now(UTC) + timedelta(days=min(days, 0) - 1)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=2))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        self.fingerprint = hashlib.sha256(der).hexdigest()
        path = folder / f"{self.fingerprint}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(path)


@pytest.fixture
def one(tmp_path: Path) -> Identity:
    return Identity(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Identity:
    return Identity(tmp_path)


def test_the_present_certificate_can_be_read(one: Identity) -> None:
    with serve(always(), tls=one.tls) as server:
        assert certificate_of(server.url) == one.fingerprint
        assert server.requests == []


def test_reading_a_certificate_is_guarded(one: Identity, settings: Settings) -> None:
    with serve(always()) as plain, serve(always(), tls=one.tls) as server:
        with pytest.raises(AddressRefused):
            certificate_of(plain.url)
        with pytest.raises(ProviderUnreachable):
            certificate_of(plain.url.replace("http:", "https:"))
        settings.OUTBOUND_ALLOW = []
        with pytest.raises(AddressRefused):
            certificate_of(server.url)
        with pytest.raises(AddressRefused):
            certificate_of("https://169.254.169.254/")


def test_a_server_that_never_shakes_hands_is_given_up(one: Identity) -> None:
    def silent(talk: Talk) -> None:
        talk.server.closing.wait(10)

    quick = Limits(connect=0.3, read=0.3, total=0.5)
    with serve(silent) as server, pytest.raises(ProviderUnreachable):
        certificate_of(server.url.replace("http:", "https:"), limits=quick)
    with serve(silent) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(ProviderUnreachable):
            fetch("GET", url, certificate=one.fingerprint, limits=quick)


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_the_one_that_was_fixed_is_accepted(one: Identity, spelling: type[str]) -> None:
    with serve(always(), tls=one.tls) as server:
        pin = spelling(one.fingerprint)
        assert fetch("GET", server.url, certificate=pin).body == b"ok"
        assert fetch("POST", server.url, body=b"x", certificate=pin).body == b"ok"
        with stream("GET", server.url, certificate=pin) as answer:
            assert b"".join(answer.iter_bytes()) == b"ok"


def test_also_after_its_time(tmp_path: Path) -> None:
    old = Identity(tmp_path, days=-5)
    with serve(always(), tls=old.tls) as server:
        assert fetch("GET", server.url, certificate=old.fingerprint).body == b"ok"


def test_another_one_gets_nothing(one: Identity, other: Identity) -> None:
    with serve(always(), tls=other.tls) as server:
        for method in ("GET", "POST"):
            with pytest.raises(CertificateRefused) as caught:
                fetch(method, server.url, auth=("ada", "s3cret"), certificate=one.fingerprint)
            # An error that says: certainly nothing arrived, the same request may be sent again.
            assert isinstance(caught.value, ProviderUnreachable)
            assert "127.0.0.1" not in caught.value.detail
        assert server.requests == []


def test_without_tls_there_is_none(one: Identity) -> None:
    with serve(always()) as server:
        with pytest.raises(CertificateRefused):
            fetch("POST", server.url, body=b"x", certificate=one.fingerprint)
        assert server.requests == []


def test_a_connection_is_not_shared_with_who_accepts_less(one: Identity, other: Identity) -> None:
    with serve(always(), tls=one.tls) as server:
        fetch("GET", server.url, certificate=one.fingerprint)
        fetch("GET", server.url, certificate=one.fingerprint)
        assert server.connections == 1
        with pytest.raises(ProviderUnreachable):
            fetch("GET", server.url)
        with pytest.raises(CertificateRefused):
            fetch("GET", server.url, certificate=other.fingerprint)
        assert len(server.requests) == 2


def test_it_is_the_origins_alone(one: Identity) -> None:
    """Where a redirect leads, the usual rules hold: here nobody vouches for the certificate."""
    with serve(always(), tls=one.tls) as elsewhere:
        moved = always(b"", "302 Found", Location=elsewhere.url)
        with serve(moved, tls=one.tls) as server:
            with pytest.raises(ProviderUnreachable) as caught:
                fetch("GET", server.url, certificate=one.fingerprint)
            assert not isinstance(caught.value, CertificateRefused)
            assert len(server.requests) == 1
        assert elsewhere.requests == []
