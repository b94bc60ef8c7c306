"""Dublin Core: oai_dc for OAI-PMH, csw:Record for CSW 2.0.2."""

from __future__ import annotations

from catalogue_client.metadata.facts import Facts
from catalogue_client.metadata.markup import number, safe, seconds, tag
from catalogue_client.owc.markup import DC

OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
OAI_DC_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
CSW = "http://www.opengis.net/cat/csw/2.0.2"
DCT = "http://purl.org/dc/terms/"
OWS = "http://www.opengis.net/ows"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ELEMENTS = {"brief": "BriefRecord", "summary": "SummaryRecord", "full": "Record"}
# Latitude comes first in this spelling of the system, which all clients know.
_CRS = "urn:ogc:def:crs:EPSG::4326"
_SCHEMES = {
    "page": "WWW:LINK-1.0-http--link",
    "download": "WWW:DOWNLOAD-1.0-http--download",
    "preview": "WWW:LINK-1.0-http--image-thumbnail",
    "stac": "WWW:LINK-1.0-http--link",
    "owc": "WWW:LINK-1.0-http--link",
}
_OPENING = (
    f'<oai_dc:dc xmlns:oai_dc="{OAI_DC}" xmlns:dc="{DC}" xmlns:xsi="{XSI}"'
    f' xsi:schemaLocation="{OAI_DC} {OAI_DC_SCHEMA}">'
)


def oai_dc(facts: Facts) -> str:
    """The item as oai_dc."""
    west, south, east, north = (number(side) for side in facts.bbox)
    parts = [
        _OPENING,
        tag("dc:title", facts.title),
        tag("dc:creator", facts.creator),
        *(tag("dc:subject", word) for word in facts.keywords),
        tag("dc:description", facts.abstract),
        tag("dc:date", period(facts)),
        "<dc:type>Dataset</dc:type>",
        *(tag("dc:format", media_type) for media_type in _formats(facts)),
        *(tag("dc:identifier", link.href) for link in facts.links if link.kind == "page"),
        tag("dc:identifier", facts.identifier),
        *(tag("dc:source", source) for source in facts.sources),
        *(tag("dc:relation", link.href) for link in facts.links if link.kind != "page"),
        f"<dc:coverage>North {north}, South {south}, East {east}, West {west}</dc:coverage>",
        tag("dc:rights", facts.license),
        "</oai_dc:dc>",
    ]
    return "".join(parts)


def csw_record(facts: Facts, size: str) -> str:
    """The item as csw:Record ("full"), csw:SummaryRecord or csw:BriefRecord."""
    name = ELEMENTS[size]
    parts = [
        f"<csw:{name}>",
        tag("dc:identifier", facts.identifier),
        tag("dc:title", facts.title),
        "<dc:type>dataset</dc:type>",
    ]
    if size != "brief":
        parts += [tag("dc:subject", word) for word in facts.keywords]
        parts += [tag("dc:format", media_type) for media_type in _formats(facts)]
        parts += [
            tag("dct:modified", seconds(facts.modified)),
            tag("dct:abstract", facts.abstract),
        ]
    if size == "full":
        parts += [
            tag("dc:creator", facts.creator),
            tag("dc:date", period(facts)),
            tag("dct:temporal", period(facts)),
            tag("dct:created", seconds(facts.created)),
            tag("dct:isPartOf", facts.collection),
            tag("dc:rights", facts.license),
            *(tag("dc:source", source) for source in facts.sources),
            *(tag("dct:references", link.href, scheme=scheme(link.kind)) for link in facts.links),
        ]
    west, south, east, north = (number(side) for side in facts.bbox)
    parts.append(
        f'<ows:BoundingBox crs="{_CRS}" dimensions="2">'
        f"<ows:LowerCorner>{south} {west}</ows:LowerCorner>"
        f"<ows:UpperCorner>{north} {east}</ows:UpperCorner></ows:BoundingBox></csw:{name}>"
    )
    return "".join(parts)


def scheme(kind: str) -> str:
    """The protocol of a link, as catalogues name them."""
    return _SCHEMES.get(kind) or safe(f"OGC:{kind.upper()}")


def period(facts: Facts) -> str:
    """An instant, or start/end."""
    start, end = seconds(facts.start), seconds(facts.end)
    return start if start == end else f"{start}/{end}"


def _formats(facts: Facts) -> list[str]:
    found = (link.media_type for link in facts.links if link.kind == "download")
    return sorted({media_type for media_type in found if media_type})
