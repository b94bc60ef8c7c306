"""OAI-PMH 2.0: lists of records in pieces, with what has been deleted. It can only be harvested."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client.owc import dates
from catalogue_client.sources import ports
from catalogue_client.sources.adapters.csw_records import record_in
from catalogue_client.sources.adapters.iso_records import ROOTS, iso_record
from catalogue_client.sources.adapters.linked import MOST_COLLECTIONS, MOST_PAGES, continued
from catalogue_client.sources.ports import (
    Capabilities,
    CollectionInfo,
    Endpoint,
    Page,
    Query,
    Record,
)
from catalogue_client.sources.records import MOST_ID, NoRecordError, read_all
from catalogue_client.sources.visit import Visit, with_parameters
from common.errors import ProviderNonsense, ProviderRefused
from common.xml import Element, local_name, text_of

OAI = "http://www.openarchives.org/OAI/2.0/"
FORGOTTEN = "badResumptionToken"
_GMD = "http://www.isotc211.org/2005/gmd"
_NOTHING = frozenset({"noRecordsMatch", "noSetHierarchy", "idDoesNotExist"})
_DONE = frozenset({ports.COLLECTIONS, ports.CHANGED})
_DAY = "YYYY-MM-DD"


class OaiPmh:
    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """`facts`: `prefix`, the format to ask for; `granularity` of its dates in seconds."""
        visit = Visit(endpoint)
        answer = _ask(visit, endpoint, {"verb": "Identify"})
        about = answer.find(f"{{{OAI}}}Identify")
        if about is None:
            raise ProviderNonsense(_("The server speaks no OAI-PMH 2.0."))
        days = text_of(about, f"{{{OAI}}}granularity").upper() == _DAY
        formats = _ask(visit, endpoint, {"verb": "ListMetadataFormats"})
        facts = {"prefix": _prefix(formats), "granularity": 86_400 if days else 1}
        return Capabilities(text_of(about, f"{{{OAI}}}repositoryName"), _DONE, facts=facts)

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        """Its sets."""
        visit = Visit(endpoint)
        found: dict[str, CollectionInfo] = {}
        asked = {"verb": "ListSets"}
        for _page in range(MOST_PAGES):
            answer = _ask(visit, endpoint, asked)
            for one in answer.iter(f"{{{OAI}}}set"):
                spec = text_of(one, f"{{{OAI}}}setSpec")
                title = text_of(one, f"{{{OAI}}}setName") or spec
                found.setdefault(spec, CollectionInfo(spec, title))
            token = text_of(answer, f".//{{{OAI}}}resumptionToken")
            if not token or len(found) >= MOST_COLLECTIONS:
                break
            asked = {"verb": "ListSets", "resumptionToken": token}
        return list(found.values())[:MOST_COLLECTIONS]

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        """A piece of the list, of one set after the other; how long it is the server decides.

        `limit` only holds for a look. ProviderRefused with FORGOTTEN as `native_code`: the server
        does not know any more where the list stood.
        """
        sets = query.collections or ("",)
        cursor = query.cursor or {}
        at = min(int(cursor.get("at", 0)), len(sets) - 1)
        answer = _piece(endpoint, query, sets[at], str(cursor.get("token") or ""))
        listed = answer.find(f"{{{OAI}}}ListRecords")
        entries = [] if listed is None else listed.findall(f"{{{OAI}}}record")
        gone = [name for one in entries if (name := _deleted(one))]
        live = [one for one in entries if not _deleted(one)]
        read = read_all(live, lambda one: _record(one, endpoint.url))
        token = listed.find(f"{{{OAI}}}resumptionToken") if listed is not None else None
        onward: dict[str, Any] = {}
        size = "" if token is None else token.get("completeListSize", "")
        if token is not None and entries and (text := text_of(token)):
            onward = {"token": text, "at": at}
        elif at + 1 < len(sets):
            onward = {"at": at + 1}
        names = [*read.names, *gone, sets[at]]
        following, more = continued(onward, query.cursor, names) if onward else (None, [])
        matched = int(size) if size.isascii() and size.isdigit() and len(size) < 12 else None  # noqa: PLR2004
        # A piece without records is the last one, whatever else it says.
        broken = not entries and bool(text_of(token)) and matched != 0
        return Page(
            read.records,
            _DONE & query.asked(),
            following,
            matched if len(sets) == 1 else None,
            (*read.warnings, *more),
            read.bad,
            tuple(gone),
            read.cut or bool(more) or broken,
            _moment(answer, endpoint),
        )

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        del collection
        prefix = str(endpoint.facts["prefix"])
        asked = {"verb": "GetRecord", "identifier": identifier, "metadataPrefix": prefix}
        one = _ask(Visit(endpoint), endpoint, asked).find(f".//{{{OAI}}}record")
        if one is None or _deleted(one):
            return None
        try:
            return _record(one, endpoint.url)
        except NoRecordError:
            return None


def _piece(endpoint: Endpoint, query: Query, of_set: str, token: str) -> Element:
    """The first piece of a list, or the one that a token leads to."""
    visit = Visit(endpoint)
    if not token:
        asked = {"verb": "ListRecords", **_wanted(endpoint, query, of_set)}
        return _ask(visit, endpoint, asked)
    asked = {"verb": "ListRecords", "resumptionToken": token}
    try:
        return _ask(visit, endpoint, asked)
    except ProviderRefused as error:
        if error.data["native_code"] != "badArgument":
            raise
        # Against the standard, pycsw wants the format once more.
        return _ask(visit, endpoint, {**asked, "metadataPrefix": str(endpoint.facts["prefix"])})


def _ask(visit: Visit, endpoint: Endpoint, asked: Mapping[str, str]) -> Element:
    """The answer, which may be that there is nothing. Raises ProviderRefused for other errors."""
    root, _base = visit.xml(with_parameters(endpoint.url, asked), accept="text/xml")
    if root.tag != f"{{{OAI}}}OAI-PMH":
        raise ProviderNonsense(_("The server speaks no OAI-PMH 2.0."))
    codes = {str(one.get("code") or "") for one in root.findall(f"{{{OAI}}}error")}
    if codes - _NOTHING:
        code = sorted(codes - _NOTHING)[0][:60]
        text = _("The catalogue refused the request: %(code)s.") % {"code": code or _("no reason")}
        raise ProviderRefused(text, native_code=code, locator="", http_status=200)
    return root


def _prefix(formats: Element) -> str:
    """The richest format that can be read."""
    offered = {
        text_of(one, f"{{{OAI}}}metadataNamespace"): text_of(one, f"{{{OAI}}}metadataPrefix")
        for one in formats.iter(f"{{{OAI}}}metadataFormat")
    }
    return offered.get(_GMD) or "oai_dc"


def _wanted(endpoint: Endpoint, query: Query, of_set: str) -> dict[str, str]:
    asked = {"metadataPrefix": str(endpoint.facts["prefix"])}
    if of_set:
        asked["set"] = of_set
    if query.since:
        days = int(endpoint.facts["granularity"]) > 1
        form = "%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%SZ"
        asked["from"] = query.since.astimezone(UTC).strftime(form)
    return asked


def _deleted(element: Element) -> str:
    """The name of a record that is deleted; "" for one that is there."""
    header = element.find(f"{{{OAI}}}header")
    if header is None or header.get("status") != "deleted":
        return ""
    return text_of(header, f"{{{OAI}}}identifier")[:MOST_ID]


def _record(element: Element, base: str) -> Record:
    """The record, known by the identifier of its header."""
    header = element.find(f"{{{OAI}}}header")
    name = text_of(header, f"{{{OAI}}}identifier")
    if not name:
        raise NoRecordError("its header has no identifier")
    inside = element.find(f"{{{OAI}}}metadata")
    root = next(
        (one for one in (() if inside is None else inside) if isinstance(one.tag, str)), None
    )
    if root is None:
        raise NoRecordError("it has no metadata", name[:MOST_ID])
    read = iso_record if local_name(root) in ROOTS else record_in
    try:
        found = read(root, base, identifier=name)
    except NoRecordError as error:
        raise NoRecordError(str(error), name[:MOST_ID]) from None
    properties = found.document["properties"]
    properties["updated"] = text_of(header, f"{{{OAI}}}datestamp") or properties.get("updated")
    return Record(found.id, "", found.document, found.issues)


def _moment(answer: Element, endpoint: Endpoint) -> datetime | None:
    """The moment of the answer by the server's clock, less one step of its dates."""
    said = dates.interval(text_of(answer, f"{{{OAI}}}responseDate"))
    if said is None or said[0] is None:
        return None
    return said[0] - timedelta(seconds=int(endpoint.facts["granularity"]))
