"""The address /oai: one door for all verbs of OAI-PMH 2.0."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from catalogue_client.access import visible_collections
from catalogue_client.change_list import Entry, changes, count, earliest, entry_for
from catalogue_client.changes import settled
from catalogue_client.doors import base_of, door, unchanged_list
from catalogue_client.metadata.dublin_core import OAI_DC, OAI_DC_SCHEMA, oai_dc
from catalogue_client.metadata.facts import Facts, facts_of, namespace, place_of, record_id
from catalogue_client.metadata.iso19139 import GMD, SCHEMA, md_metadata
from catalogue_client.metadata.markup import seconds, tag
from catalogue_client.oai.arguments import OaiError, Position, arguments, checked, position
from common.clock import now
from common.errors import PortalError
from people.models import User

PAGE = 100
MOST_COUNTED = 10_000  # the size of a longer list is not told
TEXT_XML = "text/xml; charset=utf-8"
OAI = "http://www.openarchives.org/OAI/2.0/"
# Prefix: schema, namespace, writer.
FORMATS: dict[str, tuple[str, str, Callable[[Facts], str]]] = {
    "oai_dc": (OAI_DC_SCHEMA, OAI_DC, oai_dc),
    "iso19139": (SCHEMA, GMD, md_metadata),
}
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<OAI-PMH xmlns="{OAI}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xsi:schemaLocation="{OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">'
)
_URI = re.compile(r"[A-Za-z0-9\-_.!~*'();/?:@&=+$,]+")
# What the schema accepts as an address of mail: the host has a dot.
_MAIL = re.compile(r"[^\s<>@]+@[^\s<>@.]+(\.[^\s<>@.]+)+")


def _refused(request: HttpRequest, error: PortalError) -> HttpResponse:
    """Errors that are not of the protocol keep their HTTP status."""
    code = error.code if isinstance(error, OaiError) else "badArgument"
    body = tag("error", error.detail, code=code)
    return _document(request, {}, body, now(), status=error.status)


@door("GET", "POST", refusal=_refused)
def oai(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """The answer to one request; errors of the protocol are answers as well (HTTP 200)."""
    given = arguments(request)
    verb, rest = checked(given)
    return unchanged_list(request, user, lambda: _answer(request, user, verb, rest))


def _answer(
    request: HttpRequest, user: User | None, verb: str, given: Mapping[str, str]
) -> HttpResponse:
    # Before anything is read: the harvester will ask for what changes after this moment.
    moment = settled() if verb in ("ListRecords", "ListIdentifiers") else now()
    # The answer stays valid: what is no URI cannot be repeated in it.
    told = {k: v for k, v in given.items() if k != "identifier" or _URI.fullmatch(v)}
    attributes = {"verb": verb, **told}
    try:
        body = _VERBS[verb](request, user, verb, given)
    except OaiError as error:
        if error.code == "badArgument":
            attributes = {}
        body = tag("error", error.detail, code=error.code)
    else:
        body = f"<{verb}>{body}</{verb}>"
    return _document(request, attributes, body, moment)


def _document(
    request: HttpRequest,
    attributes: Mapping[str, str],
    body: str,
    moment: datetime,
    *,
    status: int = 200,
) -> HttpResponse:
    date = tag("responseDate", seconds(moment))
    asked = tag("request", _address(request), **attributes)
    text = f"{_HEAD}{date}{asked}{body}</OAI-PMH>"
    return HttpResponse(text, content_type=TEXT_XML, status=status)


def _address(request: HttpRequest) -> str:
    return f"{base_of(request)}/oai"


# --- verbs ---------------------------------------------------------------------------------


def _identify(request: HttpRequest, user: User | None, verb: str, given: Mapping[str, str]) -> str:
    del verb, given
    return "".join(
        (
            tag("repositoryName", "TEP Portal"),
            tag("baseURL", _address(request)),
            tag("protocolVersion", "2.0"),
            tag("adminEmail", _admin()),
            tag("earliestDatestamp", seconds(earliest(user) or now())),
            tag("deletedRecord", "persistent"),
            tag("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        )
    )


def _list_metadata_formats(
    request: HttpRequest, user: User | None, verb: str, given: Mapping[str, str]
) -> str:
    del request, verb
    if "identifier" in given:
        _entry(user, given["identifier"])
    return "".join(
        f"<metadataFormat>{tag('metadataPrefix', prefix)}{tag('schema', schema)}"
        f"{tag('metadataNamespace', name)}</metadataFormat>"
        for prefix, (schema, name, _writer) in FORMATS.items()
    )


def _list_sets(request: HttpRequest, user: User | None, verb: str, given: Mapping[str, str]) -> str:
    del request, verb
    if "resumptionToken" in given:
        raise OaiError("badResumptionToken", _("The list of sets is never cut in pieces."))
    sets = [
        f"<set>{tag('setSpec', c.identifier)}{tag('setName', c.title)}</set>"
        for c in visible_collections(user)
    ]
    if not sets:
        raise OaiError("noSetHierarchy", _("There are no collections yet."))
    return "".join(sets)


def _get_record(
    request: HttpRequest, user: User | None, verb: str, given: Mapping[str, str]
) -> str:
    del verb
    entry = _entry(user, given["identifier"])
    return _record(entry, _writer_of(given["metadataPrefix"]), base_of(request))


def _list(request: HttpRequest, user: User | None, verb: str, given: Mapping[str, str]) -> str:
    here = position(verb, given)
    writer = _writer_of(here.prefix)
    wanted = here.wanted()
    headers_only = verb == "ListIdentifiers"
    found = changes(user, wanted, after=here.after, limit=PAGE + 1, headers_only=headers_only)
    if not found and not here.after:
        raise OaiError("noRecordsMatch", _("Nothing fits."))
    page, base = found[:PAGE], base_of(request)
    entries = [_header(e) if headers_only else _record(e, writer, base) for e in page]
    return "".join(entries) + _resumption(user, here, page, more=len(found) > PAGE)


def _resumption(user: User | None, here: Position, page: list[Entry], *, more: bool) -> str:
    if not more and not here.after:
        return ""
    size = here.size if here.after else count(user, here.wanted(), most=MOST_COUNTED)
    given = here.given + len(page)
    following = ""
    if more:
        following = replace(here, after=page[-1].number, given=given, size=size).token()
    # What changed while the list was read comes once more at its end.
    told = f' completeListSize="{max(size, given + more)}"' if size else ""
    return f'<resumptionToken{told} cursor="{here.given}">{following}</resumptionToken>'


_VERBS = {
    "Identify": _identify,
    "ListMetadataFormats": _list_metadata_formats,
    "ListSets": _list_sets,
    "GetRecord": _get_record,
    "ListIdentifiers": _list,
    "ListRecords": _list,
}


# --- records -------------------------------------------------------------------------------


def _entry(user: User | None, identifier: str) -> Entry:
    place = place_of(identifier.removeprefix("oai:")) if identifier.startswith("oai:") else None
    entry = entry_for(user, *place) if place else None
    if entry is None:
        raise OaiError("idDoesNotExist", _("There is no such record."))
    return entry


def _writer_of(prefix: str) -> Callable[[Facts], str]:
    if prefix not in FORMATS:
        raise OaiError("cannotDisseminateFormat", _("The formats are oai_dc and iso19139."))
    return FORMATS[prefix][2]


def _header(entry: Entry) -> str:
    status = ' status="deleted"' if entry.gone else ""
    return (
        f"<header{status}>{tag('identifier', 'oai:' + record_id(entry.item))}"
        f"{tag('datestamp', seconds(entry.at))}"
        f"{tag('setSpec', entry.item.collection.identifier)}</header>"
    )


def _record(entry: Entry, writer: Callable[[Facts], str], base: str) -> str:
    if entry.gone:
        return f"<record>{_header(entry)}</record>"
    metadata = writer(facts_of(entry.item, base))
    return f"<record>{_header(entry)}<metadata>{metadata}</metadata></record>"


def _admin() -> str:
    """Where harvesters' owners write to."""
    found = _MAIL.search(settings.DEFAULT_FROM_EMAIL)
    return found[0] if found else f"portal@{namespace()}.invalid"
