"""A certificate authority of the tests, and messages signed and encrypted as SSM does it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path
    dn: str

    def sign(self, message: bytes, *options: str) -> bytes:
        """`openssl smime -sign -text` of the message; other options than -text may be given."""
        how = options or ("-text",)
        return openssl(
            "-sign", *how, "-signer", self.certificate, "-inkey", self.key, given=message
        )

    def encrypted(self, message: bytes) -> bytes:
        """The message for this identity alone."""
        return openssl("-encrypt", "-aes128", self.certificate, given=message)


@dataclass
class Authority:
    """Issues certificates of hosts, which are not meant for signing mail."""

    folder: Path
    name: str = "Test Authority"

    def __post_init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        start, end = days(-10), days(10)
        builder = self._builder(self._subject, self._key, start, end)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        certificate = builder.sign(self._key, hashes.SHA256())
        self.pem = certificate.public_bytes(PEM).decode()

    def issue(self, host: str, *, start: int = -5, end: int = 5) -> Identity:
        """A host certificate, valid from and until so many days from now."""
        key = rsa.generate_private_key(65537, 2048)
        parts = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Institut für Erde"),
            x509.NameAttribute(NameOID.COMMON_NAME, host),
        ]
        builder = self._builder(x509.Name(parts), key, days(start), days(end))
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, critical=False)
        if host == "localhost":
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        base = self.folder / f"{self.name} {host.replace('/', ' ')}"
        files = base.with_suffix(".pem"), base.with_suffix(".key")
        files[0].write_bytes(certificate.public_bytes(PEM))
        files[1].write_bytes(
            key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return Identity(*files, f"/C=XX/O=Institut f\\xC3\\xBCr Erde/CN={host}")

    def _builder(
        self, subject: x509.Name, key: rsa.RSAPrivateKey, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )


def days(number: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)


def openssl(*arguments: object, given: bytes) -> bytes:
    command = ["openssl", "smime", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout
