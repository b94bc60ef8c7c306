"""S/MIME messages: decrypted, verified, and the signer looked up among those allowed.

The work is done by the program openssl, with the message on its standard input: the libraries at
hand read such messages, but do not verify their signatures. Host certificates are often not meant
for signing mail, so any purpose will do; the chain to a trusted authority is always required.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _

from common.errors import ConfigurationError, InvalidInput

SECONDS = 20
_LAYERS = 3  # signed inside encrypted inside signed
_HEAD = 4096
_SMIME = re.compile(
    rb"^content-type:\s*(multipart/signed|application/(x-)?pkcs7-mime)\b", re.IGNORECASE | re.M
)
_SIGNED = re.compile(rb"smime-type=\"?signed-data", re.IGNORECASE)
_OPAQUE = re.compile(rb"^content-type:\s*application/(x-)?pkcs7-mime\b", re.IGNORECASE | re.M)
_ENTITY = re.compile(rb"(mime-version|content-[a-z-]+):", re.IGNORECASE)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)
_VERIFY_ERROR = re.compile(rb"verify error: ?([a-z ]+)", re.IGNORECASE)
# What OpenSSL calls the parts of a name, where it differs from RFC 4514.
_SHORT = {
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.STREET_ADDRESS: "street",
}
_LIKE_A_PART = re.compile(r"/[A-Za-z][A-Za-z0-9.]*=")


class Untrusted(InvalidInput):
    """The message is not signed as it must be; the text says how."""

    code = "untrusted"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose messages are believed. `required`: only those that are signed.

    `signers`: allowed names in OpenSSL's slash form; empty: whoever an authority vouches for.
    `authorities` and `key` (our own, to decrypt) are PEM.
    """

    required: bool = False
    signers: frozenset[str] = frozenset()
    authorities: str = ""
    key: str = ""

    def open(self, body: bytes, signer: str) -> tuple[bytes, str]:
        """The message itself, and who signed it.

        `signer` is whom the transport vouches for ("": nobody). Raises Untrusted, and
        ConfigurationError when openssl is not installed.
        """
        seen = {signer} - {""}
        for _layer in range(_LAYERS):
            if not is_smime(body):
                break
            body, found = self._unwrap(body)
            seen |= found
        if is_smime(body) or len(seen) > 1:
            raise Untrusted(_("The message is wrapped too often, or has several signers."))
        if not seen and (self.required or self.signers):
            raise Untrusted(_("The message is not signed."))
        signer = next(iter(seen), "")
        if self.signers and signer not in self.signers:
            raise Untrusted(_("%(signer)s is not an allowed signer.") % {"signer": signer})
        return body, signer

    def _unwrap(self, body: bytes) -> tuple[bytes, set[str]]:
        """One layer less; the signer, if the layer was a signature."""
        if _OPAQUE.search(_head(body)) and not _SIGNED.search(_head(body)):
            return _inner(self._decrypt(body)), set()
        content, certificate = self._verify(body)
        return _inner(content), {name_of(certificate)}

    def _verify(self, body: bytes) -> tuple[bytes, bytes]:
        if not self.authorities:
            raise Untrusted(_("No authorities are configured to verify signatures with."))
        with tempfile.TemporaryDirectory(prefix="tep-cms-") as folder:
            authorities, signer = Path(folder, "authorities"), Path(folder, "signer")
            authorities.write_text(self.authorities)
            done = _openssl(
                *("-verify", "-purpose", "any", "-CAfile", str(authorities)),
                *("-no-CApath", "-no-CAstore", "-signer", str(signer)),
                message=body,
            )
            if done.returncode != 0:
                found = _VERIFY_ERROR.search(done.stderr)
                why = found[1].decode() if found else _("it was changed, or is damaged")
                raise Untrusted(_("The signature does not hold: %(why)s.") % {"why": why})
            certificates = _CERTIFICATE.findall(signer.read_bytes())
        if len(certificates) != 1:
            raise Untrusted(_("The message must have exactly one signer."))
        return done.stdout, certificates[0]

    def _decrypt(self, body: bytes) -> bytes:
        if not self.key:
            raise Untrusted(_("The message is encrypted, and no key is configured."))
        with tempfile.TemporaryDirectory(prefix="tep-cms-") as folder:
            key = Path(folder, "key")
            key.touch(mode=0o600)
            key.write_text(self.key)
            done = _openssl("-decrypt", "-inkey", str(key), message=body)
        if done.returncode != 0:
            raise Untrusted(_("The message cannot be decrypted with the configured key."))
        return done.stdout


NO_TRUST = Trust()


def is_smime(body: bytes) -> bool:
    """Whether a message is signed or encrypted, by its headers."""
    return _SMIME.search(_head(body)) is not None


def name_of(certificate: bytes) -> str:
    """The subject of a PEM certificate as /C=XX/O=…/CN=…, bytes beyond ASCII as \\xHH.

    Raises Untrusted for a name that could be read as another one, or cannot be read.
    """
    try:
        subject = x509.load_pem_x509_certificate(certificate).subject
    except ValueError:  # openssl is not as strict
        raise Untrusted(_("The signer's certificate cannot be read.")) from None
    text = ""
    for attribute in subject:
        value = str(attribute.value)
        if _LIKE_A_PART.search(value):
            raise Untrusted(_("The signer's name is ambiguous."))
        raw = value.encode()
        shown = "".join(chr(b) if 0x20 <= b <= 0x7E else f"\\x{b:02X}" for b in raw)  # noqa: PLR2004 (printable ASCII)
        text += f"/{_SHORT.get(attribute.oid, attribute.rfc4514_attribute_name)}={shown}"
    return text


def authorities_in(text: str) -> int:
    """How many certificates the PEM text has. Raises InvalidInput when one cannot be read."""
    found = _CERTIFICATE.findall(text.encode())
    try:
        return len([x509.load_pem_x509_certificate(one) for one in found])
    except ValueError:
        raise InvalidInput(_("A certificate cannot be read."), locator="authorities") from None


def _openssl(*arguments: str, message: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("openssl")
    if program is None:
        raise ConfigurationError(
            _("Signed usage messages need the program openssl, which is not installed here.")
        )
    try:
        return subprocess.run(  # noqa: S603 (fixed arguments, the message is only input)
            [program, "cms", "-inform", "SMIME", *arguments],
            input=message,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Untrusted(_("Verifying the message took too long.")) from None


def _inner(content: bytes) -> bytes:
    """What was wrapped: the decoded body of a MIME entity, or the plain text as it is.

    Line ends as they were before the signature made them CRLF.
    """
    if is_smime(content):
        return content
    if _ENTITY.match(content):
        part = message_from_bytes(content)
        if part.is_multipart():
            raise Untrusted(_("The signed message has several parts."))
        content = bytes(part.get_payload(decode=True) or b"")
    return content.replace(b"\r\n", b"\n")


def _head(body: bytes) -> bytes:
    """The headers of a message."""
    text = body[:_HEAD].replace(b"\r\n", b"\n").lstrip(b"\n")
    return text.partition(b"\n\n")[0]
