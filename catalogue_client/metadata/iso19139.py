"""ISO 19115 metadata in the encoding of ISO/TS 19139 (2007): `gmd:MD_Metadata`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from catalogue_client.metadata.dublin_core import scheme
from catalogue_client.metadata.facts import PORTAL, Facts, Link
from catalogue_client.metadata.markup import number, safe, seconds

GMD = "http://www.isotc211.org/2005/gmd"
GCO = "http://www.isotc211.org/2005/gco"
GML32 = "http://www.opengis.net/gml/3.2"
SCHEMA = "http://schemas.opengis.net/iso/19139/20070417/gmd/gmd.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LISTS = "http://standards.iso.org/iso/19139/resources/gmxCodelists.xml"
_OPENING = (
    f'<gmd:MD_Metadata xmlns:gmd="{GMD}" xmlns:gco="{GCO}" xmlns:gml="{GML32}"'
    f' xmlns:xsi="{_XSI}" xsi:schemaLocation="{GMD} {SCHEMA}">'
)
_STANDARD = "ISO 19115:2003/19139"


def md_metadata(facts: Facts) -> str:
    """The item as `gmd:MD_Metadata`, valid against the schema of 2007-04-17."""
    return "".join(
        (
            _OPENING,
            _text("fileIdentifier", facts.identifier),
            _text("language", "eng"),
            f"<gmd:characterSet>{_code('MD_CharacterSetCode', 'utf8')}</gmd:characterSet>",
            _text("parentIdentifier", facts.collection),
            f"<gmd:hierarchyLevel>{_code('MD_ScopeCode', 'dataset')}</gmd:hierarchyLevel>",
            f"<gmd:contact>{_party(PORTAL, 'pointOfContact')}</gmd:contact>",
            f"<gmd:dateStamp>{_moment(facts.modified)}</gmd:dateStamp>",
            _text("metadataStandardName", _STANDARD),
            _text("metadataStandardVersion", "1.0"),
            _identification(facts),
            _distribution(link for link in facts.links if link.kind != "preview"),
            _quality(facts),
            "</gmd:MD_Metadata>",
        )
    )


def _identification(facts: Facts) -> str:
    previews = [link for link in facts.links if link.kind == "preview"]
    return "".join(
        (
            "<gmd:identificationInfo><gmd:MD_DataIdentification><gmd:citation><gmd:CI_Citation>",
            _text("title", facts.title),
            _date(facts.created, "creation"),
            _date(facts.modified, "revision"),
            "<gmd:identifier><gmd:MD_Identifier>",
            _text("code", facts.identifier),
            "</gmd:MD_Identifier></gmd:identifier></gmd:CI_Citation></gmd:citation>",
            _text("abstract", facts.abstract),
            f"<gmd:pointOfContact>{_party(facts.creator, 'processor')}</gmd:pointOfContact>",
            *(
                f"<gmd:graphicOverview><gmd:MD_BrowseGraphic>{_text('fileName', link.href)}"
                "</gmd:MD_BrowseGraphic></gmd:graphicOverview>"
                for link in previews
            ),
            _keywords(facts.keywords),
            "<gmd:resourceConstraints><gmd:MD_LegalConstraints>",
            f"<gmd:useConstraints>{_code('MD_RestrictionCode', 'license')}</gmd:useConstraints>",
            _text("otherConstraints", facts.license),
            "</gmd:MD_LegalConstraints></gmd:resourceConstraints>",
            _text("language", "eng"),
            "<gmd:topicCategory><gmd:MD_TopicCategoryCode>imageryBaseMapsEarthCover"
            "</gmd:MD_TopicCategoryCode></gmd:topicCategory>",
            _extent(facts),
            "</gmd:MD_DataIdentification></gmd:identificationInfo>",
        )
    )


def _extent(facts: Facts) -> str:
    period_id = "period-" + facts.identifier.replace(":", "__")  # once in an answer of many
    west, south, east, north = (number(side) for side in facts.bbox)
    sides = {
        "westBoundLongitude": west,
        "eastBoundLongitude": east,
        "southBoundLatitude": south,
        "northBoundLatitude": north,
    }
    return (
        "<gmd:extent><gmd:EX_Extent><gmd:geographicElement><gmd:EX_GeographicBoundingBox>"
        + "".join(
            f"<gmd:{name}><gco:Decimal>{value}</gco:Decimal></gmd:{name}>"
            for name, value in sides.items()
        )
        + "</gmd:EX_GeographicBoundingBox></gmd:geographicElement><gmd:temporalElement>"
        f'<gmd:EX_TemporalExtent><gmd:extent><gml:TimePeriod gml:id="{period_id}">'
        f"<gml:beginPosition>{seconds(facts.start)}</gml:beginPosition>"
        f"<gml:endPosition>{seconds(facts.end)}</gml:endPosition></gml:TimePeriod></gmd:extent>"
        "</gmd:EX_TemporalExtent></gmd:temporalElement></gmd:EX_Extent></gmd:extent>"
    )


def _distribution(links: Iterable[Link]) -> str:
    return (
        "<gmd:distributionInfo><gmd:MD_Distribution><gmd:transferOptions>"
        "<gmd:MD_DigitalTransferOptions>"
        + "".join(map(_online, links))
        + "</gmd:MD_DigitalTransferOptions></gmd:transferOptions></gmd:MD_Distribution>"
        "</gmd:distributionInfo>"
    )


def _online(link: Link) -> str:
    function = "download" if link.kind == "download" else "information"
    return "".join(
        (
            "<gmd:onLine><gmd:CI_OnlineResource><gmd:linkage>",
            f"<gmd:URL>{safe(link.href)}</gmd:URL></gmd:linkage>",
            _text("protocol", scheme(link.kind)),
            _text("name", link.title),
            f"<gmd:function>{_code('CI_OnLineFunctionCode', function)}</gmd:function>",
            "</gmd:CI_OnlineResource></gmd:onLine>",
        )
    )


def _quality(facts: Facts) -> str:
    if not facts.lineage:
        return ""
    return (
        "<gmd:dataQualityInfo><gmd:DQ_DataQuality><gmd:scope><gmd:DQ_Scope>"
        f"<gmd:level>{_code('MD_ScopeCode', 'dataset')}</gmd:level></gmd:DQ_Scope></gmd:scope>"
        f"<gmd:lineage><gmd:LI_Lineage>{_text('statement', facts.lineage)}</gmd:LI_Lineage>"
        "</gmd:lineage></gmd:DQ_DataQuality></gmd:dataQualityInfo>"
    )


def _keywords(words: Iterable[str]) -> str:
    listed = "".join(_text("keyword", word) for word in words)
    if not listed:
        return ""
    return (
        f"<gmd:descriptiveKeywords><gmd:MD_Keywords>{listed}</gmd:MD_Keywords>"
        "</gmd:descriptiveKeywords>"
    )


def _party(organisation: str, role: str) -> str:
    return (
        f"<gmd:CI_ResponsibleParty>{_text('organisationName', organisation)}"
        f"<gmd:role>{_code('CI_RoleCode', role)}</gmd:role></gmd:CI_ResponsibleParty>"
    )


def _date(moment: datetime, kind: str) -> str:
    return (
        f"<gmd:date><gmd:CI_Date><gmd:date>{_moment(moment)}</gmd:date>"
        f"<gmd:dateType>{_code('CI_DateTypeCode', kind)}</gmd:dateType></gmd:CI_Date></gmd:date>"
    )


def _moment(moment: datetime) -> str:
    return f"<gco:DateTime>{seconds(moment)}</gco:DateTime>"


def _text(name: str, text: str) -> str:
    return f"<gmd:{name}><gco:CharacterString>{safe(text)}</gco:CharacterString></gmd:{name}>"


def _code(name: str, value: str) -> str:
    return f'<gmd:{name} codeList="{_LISTS}#{name}" codeListValue="{value}">{value}</gmd:{name}>'
