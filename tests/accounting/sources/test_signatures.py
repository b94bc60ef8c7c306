"""Signed messages: believed only from an authority's, listed, valid signers, and unchanged."""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest

from accounting.sources import signatures
from accounting.sources.signatures import Trust, Untrusted, authorities_in
from common.errors import ConfigurationError, InvalidInput
from tests.accounting.sources.authority import Authority, Identity

MESSAGE = (
    "APEL-individual-job-message: v0.3\nSite: Zürich = 1\n%%\n"  # = is what QP escapes
).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def host(authority: Authority) -> Identity:
    return authority.issue("host/a.example.org")


@pytest.fixture
def trust(authority: Authority, host: Identity) -> Trust:
    return Trust(True, frozenset({host.dn}), authority.pem)


def entity(encoding: str, body: bytes) -> bytes:
    head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return head.encode() + b"\r\n" + body


@pytest.mark.parametrize(
    ("inner", "options"),
    [
        (MESSAGE, ("-text",)),
        (MESSAGE, ("-nodetach",)),  # opaque, no headers inside
        (MESSAGE, ("-nodetach", "-text")),
        (entity("quoted-printable", quopri.encodestring(MESSAGE)), ("-nosmimecap",)),
        (entity("base64", base64.encodebytes(MESSAGE)), ("-nosmimecap",)),
        (entity("8bit", MESSAGE), ("-nosmimecap",)),
    ],
)
def test_whatever_is_inside_a_good_signature_comes_out(
    trust: Trust, host: Identity, inner: bytes, options: tuple[str, ...]
) -> None:
    assert trust.open(host.sign(inner, *options), "") == (MESSAGE, host.dn)


def test_encrypted_messages_are_decrypted_first(
    trust: Trust, authority: Authority, host: Identity
) -> None:
    own = authority.issue("portal.example.org")
    signed = own.encrypted(host.sign(MESSAGE))
    able = Trust(True, trust.signers, authority.pem, own.key.read_text())
    assert able.open(signed, "") == (MESSAGE, host.dn)
    assert able.open(host.sign(own.encrypted(MESSAGE), "-nosmimecap"), "") == (MESSAGE, host.dn)
    with pytest.raises(Untrusted, match="no key"):
        trust.open(signed, "")
    with pytest.raises(Untrusted, match="not signed"):
        able.open(own.encrypted(MESSAGE), "")
    other = Trust(True, trust.signers, authority.pem, host.key.read_text())
    with pytest.raises(Untrusted, match=r"decrypted|not signed"):  # a wrong key makes noise
        other.open(signed, "")


def test_what_must_not_be_believed(trust: Trust, authority: Authority, host: Identity) -> None:
    signed = host.sign(MESSAGE)
    foreign = Authority(authority.folder, "Foreign").issue("host/a.example.org")
    assert foreign.dn == host.dn
    cases = {
        "certificate": foreign.sign(MESSAGE),
        "has expired": authority.issue("old", start=-9, end=-1).sign(MESSAGE),
        "not yet valid": authority.issue("new", start=1, end=9).sign(MESSAGE),
        "changed": signed.replace(b"Site: Z", b"Site: z"),
        "damaged": signed[: len(signed) // 2],
        "not an allowed signer": authority.issue("b.example.org").sign(MESSAGE),
        "ambiguous": authority.issue("x/CN=host").sign(MESSAGE),
        "not signed": MESSAGE,
        "several": authority.issue("b.example.org").sign(host.sign(MESSAGE), "-nosmimecap"),
    }
    for reason, body in cases.items():
        with pytest.raises(Untrusted, match=reason):
            trust.open(body, "")


def test_a_certificate_that_cannot_be_read_stops_no_queue() -> None:
    damaged = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
    with pytest.raises(Untrusted, match="cannot be read"):
        signatures.name_of(damaged)


def test_text_before_and_after_the_signed_part_is_not_taken(trust: Trust, host: Identity) -> None:
    lines = host.sign(MESSAGE).split(b"\n")
    first = next(n for n, line in enumerate(lines) if line.startswith(b"------"))
    lines.insert(first, b"Site: SMUGGLED")
    body, _signer = trust.open(b"\n".join([*lines, b"Site: SMUGGLED"]), "")
    assert body == MESSAGE


def test_without_a_rule_plain_messages_pass_and_signed_ones_are_still_verified(
    authority: Authority, host: Identity
) -> None:
    assert Trust().open(MESSAGE, "") == (MESSAGE, "")
    assert Trust().open(MESSAGE, host.dn) == (MESSAGE, host.dn)
    with pytest.raises(Untrusted, match="No authorities"):
        Trust().open(host.sign(MESSAGE), "")
    assert Trust(authorities=authority.pem).open(host.sign(MESSAGE), "")[1] == host.dn
    with pytest.raises(Untrusted, match="changed"):
        Trust(authorities=authority.pem).open(host.sign(MESSAGE).replace(b"rich", b"RICH"), "")


def test_without_openssl_it_is_said_what_is_missing(
    trust: Trust, host: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = host.sign(MESSAGE)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigurationError, match="openssl"):
        trust.open(signed, "")


def test_openssl_that_does_not_end_is_given_up(
    trust: Trust, host: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    signed = host.sign(MESSAGE)
    slow = tmp_path / "openssl"
    slow.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(signatures, "SECONDS", 0.3)
    with pytest.raises(Untrusted, match="too long"):
        trust.open(signed, "")


def test_authorities_are_looked_at_before_they_are_stored(authority: Authority) -> None:
    assert authorities_in(authority.pem * 2) == 2
    assert authorities_in("nothing") == 0
    broken = authority.pem.replace("MII", "AAA", 1)
    with pytest.raises(InvalidInput):
        authorities_in(broken)
