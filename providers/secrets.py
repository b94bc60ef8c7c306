"""What the portal says secretly to a provider: written, never read back; shown by name only."""

from __future__ import annotations

from common import secret_headers
from providers.models import Provider


def header_names(provider: Provider) -> list[str]:
    """The names of the secret headers; none when they cannot be read with the present key."""
    return secret_headers.names(provider.secret_headers)


def set_headers(provider: Provider, value: object) -> None:
    """Take name → value; None or "" takes the header away, those not named stay as they are.

    Raises InvalidInput. The error never repeats a value.
    """
    own = provider.reference_header.lower()
    identity = provider.identity_header_prefix.lower()

    def taken(name: str) -> bool:
        lower = name.lower()
        return lower == own or bool(identity and lower.startswith(identity))

    provider.secret_headers = secret_headers.merged(provider.secret_headers, value, taken=taken)
