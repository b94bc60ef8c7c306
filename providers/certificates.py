"""A provider's pinned certificate: seen or given, looked at by a person, then activated.

While one is pinned no other is accepted, whoever signed it; a server with a certificate of its own
making can be used so.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Conflict, InvalidInput
from common.http import certificate_of
from providers.access import require_manager
from providers.changes import note_change
from providers.models import Provider
from providers.pace import keep_pace

if TYPE_CHECKING:
    from people.models import User

MOST_TEXT = 20_000
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[^-]{1,16000}-----END CERTIFICATE-----")


def grouped(fingerprint: str) -> str:
    """SHA-256 as people compare it: pairs of capitals with colons."""
    pairs = (fingerprint[n : n + 2] for n in range(0, len(fingerprint), 2))
    return ":".join(pairs).upper()


def see(*, actor: User, provider: Provider) -> Provider:
    """Take the certificate that the server shows at present as the pending one.

    Calls the network: not inside a transaction. Raises Forbidden, RateLimited, ProviderError.
    """
    require_manager(actor, provider)
    keep_pace(actor, "look")
    return _put(actor, provider, certificate_of(provider.url), "certificate seen")


def give(*, actor: User, provider: Provider, text: str) -> Provider:
    """Take a certificate (PEM) or its SHA-256 (hexadecimal, with colons or without) as the pending
    one. Raises Forbidden, InvalidInput on `certificate`."""
    require_manager(actor, provider)
    return _put(actor, provider, _fingerprint(text), "certificate given")


@transaction.atomic
def activate(*, actor: User, provider: Provider, fingerprint: str) -> Provider:
    """Accept the pending certificate, and no other, from now on.

    `fingerprint` is what the person looked at. Raises Forbidden, and Conflict when that is not, or
    no longer, the pending one.
    """
    provider = _locked(actor, provider)
    if not provider.pending_certificate:
        raise Conflict(_("No certificate waits to be activated."))
    if fingerprint.replace(":", "").lower() != provider.pending_certificate:
        raise Conflict(_("Another certificate waits now. Compare its fingerprint again."))
    provider.pinned_certificate, provider.pending_certificate = provider.pending_certificate, ""
    return _saved(actor, provider, "certificate activated", provider.pinned_certificate)


@transaction.atomic
def discard(*, actor: User, provider: Provider) -> Provider:
    """Forget the pending certificate; the pinned one stays. Raises Forbidden."""
    provider = _locked(actor, provider)
    was, provider.pending_certificate = provider.pending_certificate, ""
    return _saved(actor, provider, "certificate discarded", was) if was else provider


@transaction.atomic
def unpin(*, actor: User, provider: Provider) -> Provider:
    """Accept every valid certificate again. Raises Forbidden."""
    provider = _locked(actor, provider)
    was, provider.pinned_certificate = provider.pinned_certificate, ""
    return _saved(actor, provider, "certificate removed", was) if was else provider


@transaction.atomic
def _put(actor: User, provider: Provider, fingerprint: str, what: str) -> Provider:
    asked = provider.url
    provider = _locked(actor, provider)
    if provider.url != asked:
        raise Conflict(_("The provider's address has changed meanwhile."))
    if fingerprint == provider.pinned_certificate:
        raise Conflict(_("This certificate is the one that is accepted already."))
    if not provider.url.startswith("https:"):
        raise Conflict(_("Only an address with https:// has a certificate."))
    provider.pending_certificate = fingerprint
    return _saved(actor, provider, what, fingerprint)


def _saved(actor: User, provider: Provider, what: str, fingerprint: str) -> Provider:
    provider.save(update_fields=("pinned_certificate", "pending_certificate"))
    note_change(provider, actor, what, grouped(fingerprint))
    return provider


def _locked(actor: User, provider: Provider) -> Provider:
    require_manager(actor, provider)
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    provider.refresh_from_db()
    return provider


def _fingerprint(text: str) -> str:
    plain = re.sub(r"[\s:]", "", text[:MOST_TEXT]).lower()
    if re.fullmatch(r"[0-9a-f]{64}", plain):
        return plain
    found = _PEM.search(text[:MOST_TEXT])
    try:
        der = ssl.PEM_cert_to_DER_cert(found.group()) if found else b""
    except ValueError:
        der = b""
    if not der:
        raise InvalidInput(
            _("This is neither a certificate (PEM) nor a SHA-256 fingerprint."),
            locator="certificate",
        )
    return hashlib.sha256(der).hexdigest()
