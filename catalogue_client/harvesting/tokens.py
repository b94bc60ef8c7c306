"""The token with which a centre sends its records to one source: shown once, kept as a hash.

Its text is `harvest-<source>.<secret>`. The secret has 256 random bits, so one SHA-256 is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from django.db.models import Q

from catalogue_client.models import HarvestSource, HarvestState
from common.clock import now
from common.errors import Conflict

_TEXT = re.compile(r"harvest-([0-9]{1,18})\.([A-Za-z0-9_-]{43})")
_USE_NOTED_EVERY = timedelta(minutes=1)


def renew(source: HarvestSource) -> str:
    """A new token, which ends the one before; its text is known only now. Raises Conflict."""
    if source.state == HarvestState.LEAVING:
        raise Conflict("This source is being taken away.")
    secret = secrets.token_urlsafe(32)
    source.token_hash, source.token_at, source.token_used_at = _hash(secret), now(), None
    source.save(update_fields=("token_hash", "token_at", "token_used_at"))
    return f"harvest-{source.pk}.{secret}"


def revoke(source: HarvestSource) -> None:
    """No token opens the source any more."""
    source.token_hash, source.token_at, source.token_used_at = "", None, None
    source.save(update_fields=("token_hash", "token_at", "token_used_at"))


def source_of(text: str) -> HarvestSource | None:
    """The source that a token opens; None when it opens none."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    found = HarvestSource.objects.select_related("collection", "owner").filter(pk=match[1]).first()
    expected = found.token_hash if found else ""
    if not hmac.compare_digest(_hash(match[2]), expected) or found is None:
        return None
    _note_use(found)
    return found


def _note_use(source: HarvestSource) -> None:
    """At most once a minute: a busy centre must not write on every request."""
    moment = now()
    stale = Q(token_used_at=None) | Q(token_used_at__lte=moment - _USE_NOTED_EVERY)
    HarvestSource.objects.filter(stale, pk=source.pk).update(token_used_at=moment)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
