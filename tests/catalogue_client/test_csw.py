"""CSW 2.0.2: OWSLib against a real server, the schemas, and hostile requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue_client.models import Item
from catalogue_client.services import publish, put_collection, put_item
from people.services import create_api_key
from tests.catalogue_client.schemas import csw_valid
from tests.catalogue_client.world import People, record, scene

pytestmark = pytest.mark.django_db
CSW = "{http://www.opengis.net/cat/csw/2.0.2}"
GMD = "http://www.isotc211.org/2005/gmd"
RECORDS = "service=CSW&version=2.0.2&request=GetRecords&typeNames=csw:Record&resultType=results"


def fill(number: int) -> None:
    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    for n in range(number):
        document = scene(f"s{n}", west=float(n), title=f"Flood {n} <of> 100%", keywords=["a&b"])
        put_item(collection=collection, document=document)


def names(query: str, client: Client | None = None) -> list[str]:
    answer = (client or Client()).get(f"/csw?{RECORDS}&maxRecords=100&{query}")
    assert answer.status_code == 200, answer.content
    root = csw_valid(answer.content)
    found = root.iter("{http://purl.org/dc/elements/1.1/}identifier")
    return [str(element.text).rpartition(":")[2] for element in found]


def cql(text: str) -> list[str]:
    return names(f"constraintLanguage=CQL_TEXT&constraint={quote(text)}")


def test_the_subset_of_cql() -> None:
    fill(4)
    every = ["s0", "s1", "s2", "s3"]
    assert cql("csw:AnyText LIKE '%FLOOD%'") == every
    assert cql("AnyText like 'flood_2%'") == ["s2"]
    assert cql("dc:title = 'Flood 1 <of> 100%' OR apiso:title like 'flood 3%'") == ["s1", "s3"]
    assert cql("not (dc:identifier = 'testserver:scenes:s0' and dc:type = 'dataset')") == every[1:]
    assert cql("BBOX(ows:BoundingBox, 2.5, 39, 2.6, 42)") == ["s2"]
    assert cql("BBOX(ows:BoundingBox, 39, 2.5, 42, 2.6, 'urn:ogc:def:crs:EPSG::4326')") == ["s2"]
    assert cql("dct:modified >= '2020-01-01' and dct:modified < '2100'") == every
    assert cql("dct:modified < '2020-01-01T00:00:00Z'") == []
    assert cql("dct:modified between '2020' and '2100-12'") == every
    assert cql("dc:date = '2025-07-01' and dc:title is not null") == every
    assert cql("dc:identifier like '%:s1' and dct:isPartOf = 'scenes'") == ["s1"]
    assert names("sortBy=dc:title:D") == every[::-1]


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "'x'", "dc:title", "dc:title =", "dc:title like 3", "dc:nothing = '1'", "(" * 50,
        "not " * 50 + "dc:title = 'a'", "dc:title = 'a' and", "BBOX(a, 1, 2, 3)", "dc:type > 'a'",
        "BBOX(ows:BoundingBox, 1, 2, 3, 1e999)", "dct:modified = 'yesterday'", "dc:title = 'a';",
        "AnyText like '" + "%_" * 100 + "'", " or ".join(["dc:title = 'a'"] * 300),
        "dct:modified > '9999-12-31'",
    ],
)  # fmt: skip
def test_a_constraint_that_cannot_be_read_is_an_exception_report(text: str) -> None:
    fill(1)
    query = f"constraintLanguage=CQL_TEXT&constraint={quote(text)}"
    answer = Client().get(f"/csw?{RECORDS}&{query}")
    root = csw_valid(answer.content)
    if text and "9999" not in text:
        assert (answer.status_code, root.tag.rpartition("}")[2]) == (400, "ExceptionReport")


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("", "MissingParameterValue", "service"),
        ("service=WMS&request=GetCapabilities", "InvalidParameterValue", "service"),
        ("service=CSW&request=Harvest", "OperationNotSupported", "request"),
        ("service=CSW&request=GetRecords&version=3.0.0", "InvalidParameterValue", "version"),
        (
            "service=CSW&request=GetCapabilities&acceptVersions=3.0.0",
            "VersionNegotiationFailed",
            "version",
        ),
        ("service=CSW&request=GetRecords", "MissingParameterValue", "typeNames"),
        (f"{RECORDS}&outputSchema=x", "InvalidParameterValue", "outputSchema"),
        (f"{RECORDS}&elementSetName=x", "InvalidParameterValue", "ElementSetName"),
        (f"{RECORDS}&startPosition=0", "InvalidParameterValue", "startPosition"),
        (f"{RECORDS}&maxRecords=-1", "InvalidParameterValue", "maxRecords"),
        (f"{RECORDS}&sortBy=x:A", "InvalidParameterValue", "SortBy"),
        (f"{RECORDS}&constraint=a", "MissingParameterValue", "constraintLanguage"),
        (f"{RECORDS}&elementName=dc:title", "InvalidParameterValue", "ElementName"),
        ("service=CSW&request=GetRecordById", "MissingParameterValue", "Id"),
        (f"{RECORDS}&x=%00", "InvalidParameterValue", "x"),
    ],
)
def test_errors_name_what_is_wrong(query: str, code: str, locator: str) -> None:
    answer = Client().get(f"/csw?{query}")
    root = csw_valid(answer.content)
    assert (answer.status_code, root[0].get("exceptionCode")) == (400, code)
    assert root[0].get("locator") == locator


BODY = (
    '<csw:GetRecords xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" service="CSW" version="2.0.2"'
    ' xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"'
    ' resultType="results"><csw:Query typeNames="csw:Record">'
    '<csw:ElementSetName>full</csw:ElementSetName><csw:Constraint version="1.1.0">%s'
    "</csw:Constraint></csw:Query></csw:GetRecords>"
)
PARAMETERS = (
    "version", "typeNames", "constraint", "constraintLanguage", "startPosition", "maxRecords",
    "id", "sortBy", "elementSetName", "outputSchema", "resultType",
)  # fmt: skip
PIECES = st.recursive(
    st.sampled_from(
        [
            "<ogc:PropertyName>dc:title</ogc:PropertyName>",
            "<ogc:PropertyName>dct:modified</ogc:PropertyName>",
            "<ogc:PropertyName>ows:BoundingBox</ogc:PropertyName>",
            "<ogc:Literal>2026-01-01</ogc:Literal>",
            "<ogc:Literal>%</ogc:Literal>",
            "<gml:Envelope><gml:lowerCorner>1 2</gml:lowerCorner>"
            "<gml:upperCorner>3 4</gml:upperCorner></gml:Envelope>",
            "<gml:Envelope/>",
            "x",
        ]
    ),
    lambda inner: st.tuples(
        st.sampled_from(
            [
                "And",
                "Or",
                "Not",
                "BBOX",
                "PropertyIsLike",
                "PropertyIsEqualTo",
                "Filter",
                "FeatureId",
            ]
        ),
        st.lists(inner, max_size=3),
    ).map(lambda pair: f"<ogc:{pair[0]}>{''.join(pair[1])}</ogc:{pair[0]}>"),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(piece=PIECES)
def test_any_filter_is_answered_or_refused(piece: str) -> None:
    body = BODY % f"<ogc:Filter>{piece}</ogc:Filter>"
    answer = Client().post("/csw", body, content_type="text/xml")
    assert answer.status_code in (200, 400)
    csw_valid(answer.content)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "version",
                "typeNames",
                "constraint",
                "constraintLanguage",
                "startPosition",
                "maxRecords",
                "id",
                "sortBy",
                "elementSetName",
                "outputSchema",
                "resultType",
            ]
        ),
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(["CQL_TEXT", "FILTER", "csw:Record", "2.0.2", "1", "full", "results"]),
        ),
    ),
    st.sampled_from(["GetRecords", "GetRecordById", "DescribeRecord", "GetCapabilities"]),
)
def test_any_address_is_answered_or_refused(query: dict[str, str], request: str) -> None:
    answer = Client().get("/csw", {"service": "CSW", "request": request, **query})
    assert answer.status_code in (200, 400)
    csw_valid(answer.content)


def test_hostile_xml_is_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for body in ("", "<", bomb, BODY % "<ogc:Filter/>", "<Envelope/>", BODY.replace("CSW", "X")):
        answer = Client().post("/csw", body, content_type="application/xml")
        assert answer.status_code == 400, body
        csw_valid(answer.content)
    assert Client().put("/csw").status_code == 405
    wrong = Client().get("/csw?service=CSW", headers={"Authorization": "Bearer no"})
    assert wrong.status_code == 401
    csw_valid(wrong.content)


def test_every_form_of_record_is_valid() -> None:
    people = People()
    fill(2)
    publish(record=record(people.owner, visibility="public"))
    dateline = scene("dateline")
    dateline["bbox"] = [170, -10, -170, 1e-7]
    put_item(collection=Item.objects.get(identifier="s0").collection, document=dateline)
    for size in ("brief", "summary", "full"):
        for kind in ("", f"&outputSchema={quote(GMD)}"):
            answer = Client().get(f"/csw?{RECORDS}&elementSetName={size}{kind}")
            root = csw_valid(answer.content)
            assert root.find(f"{CSW}SearchResults").get("numberOfRecordsReturned") == "4"
            one = "service=CSW&request=GetRecordById&id=testserver:scenes:s1,nothing"
            root = csw_valid(Client().get(f"/csw?{one}&elementSetName={size}{kind}").content)
            assert len(root) == 1
    for request in ("GetCapabilities", "DescribeRecord"):
        answer = Client().get(f"/csw?service=CSW&request={request}")
        csw_valid(answer.content)
        known = {"If-None-Match": answer["ETag"]}
        again = Client().get(f"/csw?service=CSW&request={request}", headers=known)
        assert again.status_code == 304


def test_a_page_takes_a_constant_number_of_queries(django_assert_num_queries: Any) -> None:
    for number in (1, 12):
        fill(number)
        with django_assert_num_queries(6):
            assert len(names("elementSetName=full")) == number


@pytest.mark.django_db(transaction=True)
def test_owslib_searches_pages_and_reads_one_record(live_server: Any) -> None:
    csw = pytest.importorskip("owslib.csw")
    from owslib.fes import (
        And,
        BBox,
        Not,
        Or,
        PropertyIsEqualTo,
        PropertyIsGreaterThanOrEqualTo,
        PropertyIsLike,
        SortBy,
        SortProperty,
    )

    fill(25)
    publish(record=record(People().owner))
    address = f"{live_server.url}/csw"
    client = csw.CatalogueServiceWeb(address, timeout=30)
    assert {o.name for o in client.operations} >= {"GetRecords", "GetRecordById"}

    def found(*constraints: Any, **options: Any) -> list[str]:
        client.getrecords2(constraints=list(constraints), esn="full", **options)
        return [name.rpartition(":")[2] for name in client.records]

    seen, start = [], 1
    while start:
        seen += found(startposition=start, maxrecords=10)
        start = client.results["nextrecord"]
    assert seen == [f"s{n}" for n in range(25)]
    assert client.results["matches"] == 25
    box = BBox([2.5, 39, 2.6, 42], crs="urn:ogc:def:crs:OGC:1.3:CRS84")
    assert found(box) == ["s2"]
    assert found(BBox([39, 2.5, 42, 2.6], crs="urn:ogc:def:crs:EPSG::4326")) == ["s2"]
    like = PropertyIsLike("csw:AnyText", "%flood 1%")
    assert found(like, maxrecords=50) == ["s1", *(f"s{n}" for n in range(10, 20))]
    title = PropertyIsEqualTo("dc:title", "Flood 7 <of> 100%")
    assert found(Or([title, box])) == ["s2", "s7"]
    modified = PropertyIsGreaterThanOrEqualTo("dct:modified", "2020-01-01")
    assert found(And([like, Not([title]), modified]), maxrecords=1) == ["s1"]
    assert found(title, sortby=SortBy([SortProperty("dc:date", "DESC")])) == ["s7"]
    assert found(cql="dc:title like 'Flood 3%'") == ["s3"]


@pytest.mark.django_db(transaction=True)
def test_owslib_reads_iso_one_record_and_what_is_its_own(live_server: Any) -> None:
    csw = pytest.importorskip("owslib.csw")
    from owslib.fes import PropertyIsEqualTo

    people = People()
    fill(4)
    own = publish(record=record(people.owner))
    address = f"{live_server.url}/csw"
    client = csw.CatalogueServiceWeb(address, timeout=30)
    client.getrecords2(outputschema=GMD, maxrecords=2)
    described = next(iter(client.records.values()))
    assert described.identification[0].title == "Flood 0 <of> 100%"
    assert described.identification[0].extent.boundingBox.miny == "40"

    client.getrecordbyid(id=["testserver:scenes:s3"], esn="full")
    one = client.records["testserver:scenes:s3"]
    assert (one.title, one.bbox.minx, one.bbox.miny) == ("Flood 3 <of> 100%", "3", "40")
    assert any(r["scheme"].startswith("WWW:DOWNLOAD") for r in one.references)

    _, key = create_api_key(user=people.owner, name="k", scopes=["read"])
    mine = {"Authorization": f"Bearer {key}"}
    signed_in = csw.CatalogueServiceWeb(address, headers=mine, skip_caps=True)
    signed_in.getrecords2(constraints=[PropertyIsEqualTo("dct:isPartOf", "results")], esn="full")
    assert list(signed_in.records) == [f"testserver:results:{own.identifier}"]
