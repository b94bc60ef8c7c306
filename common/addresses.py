"""Web addresses as people have them at hand."""

from __future__ import annotations

from urllib.parse import unquote, urldefrag, urlsplit, urlunsplit

from django.utils.translation import gettext as _

from common.errors import InvalidInput


def split_credentials(url: str) -> tuple[str, str, str]:
    """The URL without `user:password@`, the user, the password; ValueError when it is no URL."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return url, "", ""
    bare = parts.netloc.rpartition("@")[2]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return urlunsplit(parts._replace(netloc=bare)), user, password


def typed_address(written: str, username: str = "", password: str = "") -> tuple[str, str, str]:
    """What somebody typed as a URL without credentials and fragment, with https:// if it names no
    scheme, and the user and password: those that are given, else those in it.

    Raises InvalidInput (locator `url`).
    """
    url = written.strip()
    if "://" not in url:
        url = f"https://{url}"
    try:
        bare, user, secret = split_credentials(urldefrag(url).url)
    except ValueError:
        raise InvalidInput(_("This is not a web address."), locator="url") from None
    return (bare, username, password) if username else (bare, user, secret)
