"""What CSW says of itself: capabilities, the schemas of its records, and its errors."""

from __future__ import annotations

from django.utils.translation import gettext as _

from catalogue_client.csw.requests import FORMATS, OPERATIONS, RESULT_TYPES, SCHEMAS, VERSION
from catalogue_client.metadata.dublin_core import CSW, DCT, ELEMENTS, OWS
from catalogue_client.metadata.iso19139 import GMD
from catalogue_client.metadata.iso19139 import SCHEMA as GMD_SCHEMA
from catalogue_client.metadata.markup import safe, tag
from catalogue_client.owc.markup import DC
from common.errors import PortalError
from common.ows import exception_code
from common.xml import GML, XLINK, XSI

OGC = "http://www.opengis.net/ogc"
_CSW_SCHEMA = "http://schemas.opengis.net/csw/2.0.2/CSW-discovery.xsd"
_RECORD_SCHEMA = "http://schemas.opengis.net/csw/2.0.2/record.xsd"
_QUERYABLES = {
    "SupportedISOQueryables": (
        "apiso:Abstract", "apiso:AnyText", "apiso:BoundingBox", "apiso:CreationDate",
        "apiso:Identifier", "apiso:Modified", "apiso:ParentIdentifier", "apiso:RevisionDate",
        "apiso:Subject", "apiso:TempExtent_begin", "apiso:TempExtent_end", "apiso:Title",
        "apiso:Type",
    ),
    "SupportedDublinCoreQueryables": (
        "csw:AnyText", "dc:date", "dc:description", "dc:identifier", "dc:subject", "dc:title",
        "dc:type", "dct:abstract", "dct:isPartOf", "dct:modified", "ows:BoundingBox",
    ),
}  # fmt: skip
_SEARCH = {
    "resultType": RESULT_TYPES,
    "outputFormat": FORMATS,
    "outputSchema": SCHEMAS,
    "typeNames": ("csw:Record", "gmd:MD_Metadata"),
    "CONSTRAINTLANGUAGE": ("FILTER", "CQL_TEXT"),
    "ElementSetName": tuple(ELEMENTS),
}
_PARAMETERS: dict[str, dict[str, tuple[str, ...]]] = {
    "GetCapabilities": {},
    "DescribeRecord": {"typeName": _SEARCH["typeNames"], "outputFormat": FORMATS},
    "GetRecords": _SEARCH,
    "GetRecordById": {
        name: _SEARCH[name] for name in ("ElementSetName", "outputFormat", "outputSchema")
    },
}
_COMPARED = ("EqualTo", "NotEqualTo", "LessThan", "GreaterThan", "LessThanEqualTo",
             "GreaterThanEqualTo", "Like", "Between", "NullCheck")  # fmt: skip
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def opened(name: str, attributes: str = "") -> str:
    """The beginning of an answer with every namespace that its records use."""
    return (
        f'{_HEAD}<csw:{name} xmlns:csw="{CSW}" xmlns:dc="{DC}" xmlns:dct="{DCT}" xmlns:ows="{OWS}"'
        f' xmlns:gmd="{GMD}" xmlns:ogc="{OGC}" xmlns:gml="{GML}" xmlns:xlink="{XLINK}"'
        f' xmlns:xsi="{XSI}" xsi:schemaLocation="{CSW} {_CSW_SCHEMA}"{attributes}>'
    )


def capabilities(address: str) -> str:
    """The capabilities document."""
    operations = "".join(_operation(name, address) for name in OPERATIONS)
    return "".join(
        (
            opened("Capabilities", f' version="{VERSION}"'),
            "<ows:ServiceIdentification><ows:Title>TEP Portal</ows:Title>",
            tag("ows:Abstract", _("Scenes and results, as far as you may see them.")),
            "<ows:ServiceType>CSW</ows:ServiceType>"
            f"<ows:ServiceTypeVersion>{VERSION}</ows:ServiceTypeVersion>"
            "<ows:Fees>NONE</ows:Fees><ows:AccessConstraints>NONE</ows:AccessConstraints>"
            "</ows:ServiceIdentification><ows:ServiceProvider>"
            "<ows:ProviderName>TEP Portal</ows:ProviderName>",
            f'<ows:ProviderSite xlink:href="{safe(address.removesuffix("csw"))}"/>',
            "<ows:ServiceContact/></ows:ServiceProvider>",
            f"<ows:OperationsMetadata>{operations}",
            _values("Parameter", "service", ("CSW",)),
            _values("Parameter", "version", (VERSION,)),
            _values("Constraint", "PostEncoding", ("XML",)),
            "</ows:OperationsMetadata>",
            _filter_capabilities(),
            "</csw:Capabilities>",
        )
    )


def description(asked: str) -> str:
    """Where the schemas of the records are. `asked` names types; "" all."""
    components = {
        "Record": (CSW, _RECORD_SCHEMA),
        "MD_Metadata": (GMD, GMD_SCHEMA),
    }
    names = {name.strip().rpartition(":")[2] for name in asked.split(",") if name.strip()}
    parts = [
        f'<csw:SchemaComponent schemaLanguage="http://www.w3.org/XML/Schema"'
        f' targetNamespace="{namespace}">'
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}"'
        f' elementFormDefault="qualified"><xs:include schemaLocation="{location}"/></xs:schema>'
        "</csw:SchemaComponent>"
        for name, (namespace, location) in components.items()
        if not names or name in names
    ]
    return f"{opened('DescribeRecordResponse')}{''.join(parts)}</csw:DescribeRecordResponse>"


def report(error: PortalError) -> str:
    """The exception report of OWS 1.0, which CSW 2.0.2 speaks."""
    code, locator = exception_code(error)
    named = f' locator="{safe(locator)}"' if locator else ""
    return (
        f'{_HEAD}<ows:ExceptionReport xmlns:ows="{OWS}" version="1.2.0" language="en">'
        f'<ows:Exception exceptionCode="{safe(code)}"{named}>'
        f"{tag('ows:ExceptionText', error.detail)}</ows:Exception></ows:ExceptionReport>"
    )


def _operation(name: str, address: str) -> str:
    href = safe(address)
    lists = "".join(_values("Parameter", *pair) for pair in _PARAMETERS[name].items())
    if name == "GetRecords":
        lists += "".join(_values("Constraint", *pair) for pair in _QUERYABLES.items())
    return (
        f'<ows:Operation name="{name}"><ows:DCP><ows:HTTP><ows:Get xlink:href="{href}"/>'
        f'<ows:Post xlink:href="{href}"/></ows:HTTP></ows:DCP>{lists}</ows:Operation>'
    )


def _values(kind: str, name: str, values: tuple[str, ...]) -> str:
    listed = "".join(tag("ows:Value", value) for value in values)
    return f'<ows:{kind} name="{name}">{listed}</ows:{kind}>'


def _filter_capabilities() -> str:
    compared = "".join(tag("ogc:ComparisonOperator", name) for name in _COMPARED)
    return (
        "<ogc:Filter_Capabilities><ogc:Spatial_Capabilities><ogc:GeometryOperands>"
        "<ogc:GeometryOperand>gml:Envelope</ogc:GeometryOperand></ogc:GeometryOperands>"
        '<ogc:SpatialOperators><ogc:SpatialOperator name="BBOX"/></ogc:SpatialOperators>'
        "</ogc:Spatial_Capabilities><ogc:Scalar_Capabilities><ogc:LogicalOperators/>"
        f"<ogc:ComparisonOperators>{compared}</ogc:ComparisonOperators>"
        "</ogc:Scalar_Capabilities><ogc:Id_Capabilities><ogc:EID/><ogc:FID/>"
        "</ogc:Id_Capabilities></ogc:Filter_Capabilities>"
    )
