"""Secrets at rest, such as the credentials of providers."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import ConfigurationError


def encrypt(text: str) -> str:
    """The text as a token that only this installation can open."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text again. Raises ConfigurationError when it was encrypted with another key."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ConfigurationError(
            _("A stored secret cannot be read with the present key: enter it again.")
        ) from None


def _fernet() -> Fernet:
    """Keyed by FIELD_ENCRYPTION_KEY, or by SECRET_KEY where the operator gave no separate one."""
    secret = settings.FIELD_ENCRYPTION_KEY or settings.SECRET_KEY
    key = hashlib.blake2b(secret.encode()[:4096], digest_size=32, person=b"tep-at-rest")
    return Fernet(base64.urlsafe_b64encode(key.digest()))
