"""Who calls: API keys, HTTP Basic, and the browser's session, for every door.

The text of a key is `<prefix>.<secret>`. The prefix finds the row; the secret has 256 random bits,
so one SHA-256 is enough to keep it (nothing can be guessed that a slow hash would protect).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.utils import has_verified_email
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest

from common.clock import now
from common.errors import NotAuthenticated, RateLimited
from common.prepared import Prepared
from people.models import ApiKey, Scope, User

PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
KEY_TEXT = re.compile(r"(tep[a-z0-9]{10})\.([A-Za-z0-9_-]{43})")
USE_NOTED_EVERY = timedelta(minutes=1)
CHALLENGE = NotAuthenticated.challenge
ALL_SCOPES = frozenset(Scope.values)


# Asked with every request of a program.
_KEY = Prepared(lambda prefix: ApiKey.objects.select_related("user").filter(prefix=prefix), str)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, and by which key; without a key by session or password."""

    user: User
    key: ApiKey | None = None
    scopes: frozenset[str] = ALL_SCOPES

    def allows(self, scope: str) -> bool:
        """Whether these credentials may be used for that."""
        return scope in self.scopes


def new_key_text() -> tuple[str, str, str]:
    """A fresh key: its whole text, its prefix, and the hash to keep of its secret."""
    prefix = "tep" + "".join(secrets.choice(PREFIX_LETTERS) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    return f"{prefix}.{secret}", prefix, _hash(secret)


def authenticate(key_text: str) -> tuple[User, ApiKey] | None:
    """The key of that text and its user; None when it is unknown, expired, revoked, or the user's
    account is not active."""
    match = KEY_TEXT.fullmatch(key_text)
    if match is None:
        return None
    key = _KEY.one(match[1])
    expected = key.secret_hash if key else ""
    if not hmac.compare_digest(_hash(match[2]), expected) or key is None:
        return None
    if key.revoked_at or (key.expires_at and key.expires_at <= now()) or not key.user.is_active:
        return None
    _note_use(key)
    return key.user, key


def user_of_request(request: HttpRequest) -> Caller | None:
    """Who sent the request; None when it carries no credentials.

    `Authorization` comes before the session: Bearer with an API key, or Basic with the user name
    (or e-mail address) and an API key or the password. Raises NotAuthenticated when such
    credentials are wrong, RateLimited after too many wrong passwords.
    """
    caller = caller_of_header(request)
    if caller is not None:
        return caller
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        return None
    if _from_another_site(request):
        return Caller(user, scopes=frozenset({Scope.READ.value}))
    return Caller(user)


def caller_of_header(request: HttpRequest) -> Caller | None:
    """Who the `Authorization` header names; None without one. Raises as `user_of_request`."""
    scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return _caller_of_key(credentials.strip())
    if scheme.lower() == "basic":
        return _caller_of_basic(request, credentials.strip())
    raise NotAuthenticated("Only the Bearer and Basic schemes are understood.")


def _caller_of_key(text: str) -> Caller:
    found = authenticate(text)
    if found is None:
        raise NotAuthenticated("The API key is not valid.")
    user, key = found
    return Caller(user, key, frozenset(key.scopes))


def _caller_of_basic(request: HttpRequest, credentials: str) -> Caller:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        raise NotAuthenticated("The Basic credentials cannot be read.") from None
    if "\x00" in text:  # nobody's, and PostgreSQL fails on it
        raise NotAuthenticated("The user name or password is wrong.")
    name, _, password = text.partition(":")
    if KEY_TEXT.fullmatch(password):
        caller = _caller_of_key(password)
        names = {caller.user.username.lower(), caller.user.email.lower(), ""}
        if name.lower() not in names:
            raise NotAuthenticated("The API key is of another user.")
        return caller
    return Caller(_user_of_password(request, name, password))


def _user_of_password(request: HttpRequest, name: str, password: str) -> User:
    """The same door as the sign-in page: counted attempts, confirmed address, no second factor."""
    adapter = get_adapter(request)
    counted = copy(request)
    counted.method = "POST"  # a GET would not count as an attempt
    try:
        user = adapter.authenticate(counted, username=name, password=password)
    except ValidationError:
        raise RateLimited("Too many wrong passwords. Try again later.") from None
    if not isinstance(user, User) or not user.is_active:
        raise NotAuthenticated("The user name or password is wrong.")
    if is_mfa_enabled(user):
        raise NotAuthenticated("This account has a second factor: use an API key as password.")
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" and not has_verified_email(user):
        raise NotAuthenticated("Confirm your e-mail address first.")
    return user


def _from_another_site(request: HttpRequest) -> bool:
    """Whether a browser says that another site made it send this request.

    The doors take no CSRF token, since their clients are programs; a foreign page must still not
    spend the credit of whoever is signed in.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return bool(origin) and urlsplit(origin or "").netloc != request.get_host()


def _note_use(key: ApiKey) -> None:
    """Remember the use, at most once a minute: a busy key must not write on every request."""
    moment = now()
    stale = moment - USE_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at <= stale:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=stale)
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=moment)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
