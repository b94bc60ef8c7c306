"""The address /csw: one door for the operations of CSW 2.0.2, by GET and by POST of XML."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from catalogue_client.access import visible_items
from catalogue_client.csw.documents import capabilities, description, opened, report
from catalogue_client.csw.requests import Given, by_id, flattened, operation, records
from catalogue_client.doors import base_of, door, unchanged_list
from catalogue_client.metadata.dublin_core import CSW, csw_record
from catalogue_client.metadata.facts import facts_of, place_of
from catalogue_client.metadata.iso19139 import md_metadata
from catalogue_client.metadata.markup import seconds
from catalogue_client.models import Item
from catalogue_client.numbered import numbered
from common import kvp
from common.clock import now
from common.errors import InvalidInput, PortalError
from common.xml import Element, XmlRefused, parse
from people.models import User

XML = "application/xml; charset=utf-8"


def _refused(request: HttpRequest, error: PortalError) -> HttpResponse:
    del request
    return HttpResponse(report(error), content_type=XML, status=error.status)


@door("GET", "POST", refusal=_refused)
def csw(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """The answer to one request, or an exception report."""
    root = None
    if request.method == "POST":
        try:
            root = parse(request.body, what=_("request"))
        except XmlRefused as error:
            raise InvalidInput(error.detail, ows_code="NoApplicableCode") from None
        given: Given = flattened(root)
    else:
        given = kvp.parameters(request.META.get("QUERY_STRING", ""))
    name = operation(given)
    return unchanged_list(request, user, lambda: _answer(request, user, name, given, root))


def _answer(
    request: HttpRequest, user: User | None, name: str, given: Given, root: Element | None
) -> HttpResponse:
    base = base_of(request)
    if name == "GetCapabilities":
        text = capabilities(f"{base}/csw")
    elif name == "DescribeRecord":
        text = description(given.get("typename", ""))
    elif name == "GetRecordById":
        text = _by_id(user, given, base)
    else:
        text = _records(user, given, root, base)
    return HttpResponse(text, content_type=XML)


def _records(user: User | None, given: Given, root: Element | None, base: str) -> str:
    asked = records(given, root)
    opening = opened("GetRecordsResponse", ' version="2.0.2"')
    found = visible_items(user).filter(asked.where)
    first = asked.start - 1
    most = asked.most if asked.result_type == "results" else 0
    items, matched = numbered(user, found, asked.order, first, most)
    behind = first + len(items)
    following = behind + 1 if behind < matched else 0
    return (
        f'{opening}<csw:SearchStatus timestamp="{seconds(now())}"/>'
        f'<csw:SearchResults numberOfRecordsMatched="{matched}"'
        f' numberOfRecordsReturned="{len(items)}" nextRecord="{following}"'
        f' recordSchema="{asked.schema}" elementSet="{asked.size}">'
        f"{_written(items, asked.schema, asked.size, base)}</csw:SearchResults>"
        "</csw:GetRecordsResponse>"
    )


def _by_id(user: User | None, given: Given, base: str) -> str:
    asked = by_id(given)
    named = Q(pk__in=[])
    for place in filter(None, map(place_of, asked.identifiers)):
        named |= Q(collection__identifier=place[0], identifier=place[1])
    items = visible_items(user).filter(named).select_related("collection").order_by("sequence")
    written = _written(items, asked.schema, asked.size, base)
    return f"{opened('GetRecordByIdResponse')}{written}</csw:GetRecordByIdResponse>"


def _written(items: Iterable[Item], schema: str, size: str, base: str) -> str:
    facts = (facts_of(item, base) for item in items)
    if schema == CSW:
        return "".join(csw_record(each, size) for each in facts)
    return "".join(map(md_metadata, facts))
