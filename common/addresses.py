"""Web addresses as people have them at hand."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit


def split_credentials(url: str) -> tuple[str, str, str]:
    """The URL without `user:password@`, the user, the password; ValueError when it is no URL."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return url, "", ""
    bare = parts.netloc.rpartition("@")[2]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return urlunsplit(parts._replace(netloc=bare)), user, password
