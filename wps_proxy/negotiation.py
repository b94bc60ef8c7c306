"""What every request names besides its subject: service, version, language (06-121r3 §7)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from common.errors import InvalidInput, PortalError

SERVICE = "WPS"
LANGUAGES = ("en",)  # the first is the default
MOST_DIGITS = 18  # of an updateSequence's number


def check_service(service: str | None) -> None:
    """Raises InvalidInput unless this is the service that is asked for."""
    if not service:
        raise InvalidInput(_("The service is not named."), locator="service", missing=True)
    if service.upper() != SERVICE:
        raise InvalidInput(_("Only the service WPS is here."), locator="service")


def check_version(version: str | None, spoken: Sequence[str]) -> None:
    """Every request but GetCapabilities names the version it is written in."""
    if not version:
        raise InvalidInput(_("The version is not named."), locator="version", missing=True)
    if version not in spoken:
        raise InvalidInput(_only(spoken), locator="version")


def negotiate(accepted: Sequence[str], spoken: Sequence[str]) -> None:
    """The first version of the client's list that is spoken here; no list accepts any (06-121r3
    §7.3.2). Raises InvalidInput."""
    if accepted and not set(accepted) & set(spoken):
        raise InvalidInput(_only(spoken), ows_code="VersionNegotiationFailed")


def language_of(asked: str | None, locator: str = "language") -> str:
    """The language to answer in: the default, or the supported one that was asked for.

    A regional variant gets its language (RFC 4647 look-up). Raises InvalidInput for others.
    """
    return first_language([asked] if asked else [], locator)


def first_language(asked: Sequence[str], locator: str) -> str:
    """The first language of the client's list that is supported; `*` accepts any."""
    if not asked:
        return LANGUAGES[0]
    for one in asked:
        bare = one.strip().lower().split("-")[0]
        for supported in LANGUAGES:
            if bare in (supported, "*"):
                return supported
    raise InvalidInput(
        _("The languages here are: %(languages)s.") % {"languages": ", ".join(LANGUAGES)},
        locator=locator,
    )


def no_such_operation(name: str) -> PortalError:
    """The refusal of any other request."""
    return PortalError(
        _("There is no such operation here."), ows_code="OperationNotSupported", locator=name[:100]
    )


def boolean(value: str | None, locator: str) -> bool:
    """An xs:boolean; absent is false."""
    known = {"": False, "true": True, "1": True, "false": False, "0": False}
    try:
        return known[(value or "").strip().lower()]
    except KeyError:
        raise InvalidInput(_("This must be true or false."), locator=locator) from None


def check_sequence(asked: str, present: str) -> bool:
    """Whether the client has the present document (06-121r3 §7.3.4).

    Both are `<number>.<digest>`; the number never decreases. Raises InvalidInput for one that
    cannot be older.
    """
    number, _dot, _digest = asked.partition(".")
    ours = int(present.partition(".")[0])
    readable = number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS
    if not readable or int(number) > ours:
        raise InvalidInput(
            _("There never was a document with this updateSequence."),
            ows_code="InvalidUpdateSequence",
        )
    return asked == present


def _only(spoken: Sequence[str]) -> str:
    return _("Only version %(version)s is spoken here.") % {"version": spoken[0]}
