"""What a centre sends: records in whichever form its software writes them."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from catalogue_client.sources.adapters.csw_records import record_in
from catalogue_client.sources.adapters.iso_records import ROOTS, iso_record
from catalogue_client.sources.adapters.opensearch.answers import read_answer
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import Entries, read_all, record_of
from catalogue_client.sources.visit import object_in
from common.errors import InvalidInput, ProviderNonsense, TooLarge
from common.xml import ATOM, Element, local_name, parse

MOST_BYTES = 10 * 2**20
MOST_RECORDS = 1000
JSON = frozenset({"application/json", "application/geo+json"})
XML = frozenset(
    {"application/atom+xml", "application/xml", "text/xml", "application/vnd.iso.19139+xml"}
)
_READERS: dict[str, Callable[..., Record]] = {
    **dict.fromkeys(ROOTS, iso_record),
    "Record": record_in,
    "dc": record_in,
}


def records_in(body: bytes, media_type: str) -> Entries:
    """The records in a STAC item, a collection of them, an OWS Context (GeoJSON, Atom), or in XML
    as gmd:MD_Metadata, csw:Record or oai_dc:dc, alone or in any element around them.

    Relative addresses lead nowhere and are left out. Raises InvalidInput, TooLarge.
    """
    try:
        found = _of_json(body) if media_type in JSON else _of_xml(body)
    except ProviderNonsense as error:
        raise InvalidInput(error.detail, locator="body") from None
    if found.cut or len(found.names) > MOST_RECORDS:
        text = _("Send at most %(most)s records at once.") % {"most": MOST_RECORDS}
        raise TooLarge(text, limit=MOST_RECORDS)
    if not found.names:
        raise InvalidInput(_("There is no record in it."), locator="body")
    return found


def _of_json(body: bytes) -> Entries:
    document = object_in(body)
    if document.get("type") == "Feature":
        return read_all([document], lambda one: record_of(one, ""))
    return read_answer(body, "", "").read


def _of_xml(body: bytes) -> Entries:
    root = parse(body, what=_("The document"))
    if str(root.tag).startswith(f"{{{ATOM}}}"):
        return read_answer(body, "", "").read
    return read_all(_elements(root), lambda one: _READERS[local_name(one)](one, ""))


def _elements(root: Element) -> list[Element]:
    """The outermost elements that are records."""
    if local_name(root) in _READERS:
        return [root]
    found: list[Element] = []
    for child in root:
        if isinstance(child.tag, str):
            found += _elements(child)
    return found
