"""The arguments of an OAI-PMH request, and the tokens in which a list goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalogue_client.change_list import Wanted
from common.crypto import decrypt, encrypt
from common.errors import ConfigurationError, PortalError
from common.xml import text_ok

MOST_ARGUMENTS = 50
# Per verb: what it must have, what it may have.
VERBS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({"resumptionToken"})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset()),
    "ListIdentifiers": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"})),
    "ListRecords": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"})),
}
_LISTS = ("ListIdentifiers", "ListRecords")
_FORMS = (
    (re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), "%Y-%m-%d", timedelta(days=1)),
    (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII),
        "%Y-%m-%dT%H:%M:%SZ",
        timedelta(seconds=1),
    ),
)
# What these may look like; the schema knows no other.
_NAME = r"[A-Za-z0-9\-_.!~*'()]+"
_WORDS = {
    "metadataPrefix": re.compile(_NAME),
    "set": re.compile(rf"{_NAME}(:{_NAME})*"),
}
_TOKEN = "oai"  # noqa: S105 (what the sealed text is for)


class OaiError(PortalError):
    """An error of the protocol; its code is one of the standard's."""

    status = 200

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: behind the change of that number, `given` entries later."""

    verb: str
    prefix: str
    since: str = ""
    until: str = ""
    collection: str = ""
    after: int = 0
    given: int = 0
    size: int = 0

    def token(self) -> str:
        """As a text that says the same for ever, to nobody but the portal.

        Sealed and not only signed: the number tells how much has changed that others may not see.
        """
        values = [getattr(self, name) for name in self.__slots__]
        return encrypt(json.dumps([_TOKEN, *values]))

    def wanted(self) -> Wanted:
        """What the list is of. Raises OaiError for dates that do not go together."""
        since = _date(self.since, "from") if self.since else None
        until = _date(self.until, "until") if self.until else None
        if since and until:
            if since[1] != until[1]:
                raise OaiError("badArgument", _("“from” and “until” differ in granularity."))
            if since[0] > until[0]:
                raise OaiError("badArgument", _("“from” is after “until”."))
        before = None
        if until:
            moment, step = until
            # The last second that there is has none after it.
            before = moment + step if moment < datetime.max.replace(tzinfo=UTC) - step else None
        return Wanted(since[0] if since else None, before, self.collection)


def arguments(request: HttpRequest) -> dict[str, str]:
    """The arguments by name, each once. Raises OaiError."""
    query = request.META.get("QUERY_STRING", "")
    if request.method == "POST":
        query = request.body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=MOST_ARGUMENTS
        )
    except ValueError:  # not UTF-8, or too many
        raise OaiError("badArgument", _("The arguments cannot be read.")) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            code = "badVerb" if name == "verb" else "badArgument"
            raise OaiError(code, _("An argument is given twice."))
        if not text_ok(name + value):
            raise OaiError("badArgument", _("There are control characters in an argument."))
        found[name] = value
    return found


def checked(given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The verb and its arguments, which are those that it must and may have. Raises OaiError."""
    verb = given.get("verb", "")
    if verb not in VERBS:
        raise OaiError("badVerb", _("The verb is missing or unknown."))
    rest = {name: value for name, value in given.items() if name != "verb"}
    needed, allowed = VERBS[verb]
    if verb in _LISTS and "resumptionToken" in rest:
        needed, allowed = frozenset({"resumptionToken"}), frozenset()
    if missing := needed - rest.keys():
        facts = {"names": ", ".join(sorted(missing))}
        raise OaiError("badArgument", _("Missing: %(names)s.") % facts)
    if rest.keys() - needed - allowed:
        raise OaiError("badArgument", _("There are arguments that do not belong here."))
    _check_forms(rest)
    return verb, rest


def _check_forms(given: Mapping[str, str]) -> None:
    for name, form in _WORDS.items():
        if name in given and not form.fullmatch(given[name]):
            facts = {"name": name}
            raise OaiError("badArgument", _("“%(name)s” is no such name.") % facts)
    for name in ("from", "until"):
        if name in given:
            _date(given[name], name)


def position(verb: str, given: Mapping[str, str]) -> Position:
    """Where the list begins or goes on. Raises OaiError for a token that is none."""
    if "resumptionToken" not in given:
        return Position(
            verb,
            given["metadataPrefix"],
            given.get("from", ""),
            given.get("until", ""),
            given.get("set", ""),
        )
    try:
        purpose, *values = json.loads(decrypt(given["resumptionToken"]))
        found = Position(*values)
    except (ConfigurationError, ValueError, TypeError):
        purpose, found = "", Position("", "")
    if purpose != _TOKEN or found.verb != verb:
        raise OaiError("badResumptionToken", _("This is no token of this list."))
    return found


def _date(text: str, name: str) -> tuple[datetime, timedelta]:
    """The moment, and how long it lasts. Raises OaiError."""
    for form, layout, step in _FORMS:
        if form.fullmatch(text):
            try:
                return datetime.strptime(text, layout).replace(tzinfo=UTC), step
            except ValueError:
                break
    facts = {"name": name}
    raise OaiError(
        "badArgument",
        _("“%(name)s” is no date such as 2026-03-02 or 2026-03-02T10:15:00Z.") % facts,
    )
