"""What an execute request may say, and what is refused (18-062r2 §7.11.2, §7.11.3)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from accounting.models import Unit
from accounting.prices.price_lists import RateSpec, publish_rates
from jobs.models import Job
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    LiteralValue,
    OutputRequest,
    ReferenceValue,
)
from tests.factories import CREDIT, ECHO, World, make_app, make_service
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import only_job
from tests.wps_proxy.ogcapi.conftest import Api

pytestmark = pytest.mark.usefixtures("working")

MEAN = {"mean": {}}
ASYNC = {"Prefer": "respond-async"}


def document(api: Api, inputs: Any = None, **body: Any) -> Any:
    return api.run(inputs, response="document", **body)


def stored(job: Job) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for value in job.input_values:
        found.setdefault(value.identifier, []).append(value)
    return found


POINT = {"type": "Point", "coordinates": [1, 2]}


@pytest.mark.parametrize(
    ("name", "given", "values"),
    [
        ("depth", 12.5, [LiteralValue("depth", "12.5", "double", "m")]),
        ("depth", 5, [LiteralValue("depth", "5", "double", "m")]),
        ("depth", {"value": 7, "uom": "%"}, [LiteralValue("depth", "7", "double", "%")]),
        ("note", "a", [LiteralValue("note", "a", "string")]),
        ("note", ["a", "b"], [LiteralValue("note", one, "string") for one in "ab"]),
        ("note", [], []),
        ("note", True, [LiteralValue("note", "true", "string")]),
        (
            "area",
            {"bbox": [45, 11, 46, 12], "crs": "http://www.opengis.net/def/crs/EPSG/0/4326"},
            [BoundingBoxValue("area", (45, 11), (46, 12), "urn:ogc:def:crs:EPSG::4326")],
        ),
        (
            "area",
            [45, 11, 46, 12],
            [BoundingBoxValue("area", (45, 11), (46, 12), "urn:ogc:def:crs:EPSG::4326")],
        ),
        (
            "parcels",
            {"value": POINT, "mediaType": "application/geo+json"},
            [ComplexValue("parcels", json.dumps(POINT), "application/geo+json")],
        ),
        ("parcels", POINT, [ComplexValue("parcels", json.dumps(POINT), "application/geo+json")]),
        (
            "parcels",
            [{"value": POINT}, {"href": "https://data.example.org/p.json"}],
            [
                ComplexValue("parcels", json.dumps(POINT), "application/geo+json"),
                ReferenceValue(
                    "parcels", "https://data.example.org/p.json", "application/geo+json"
                ),
            ],
        ),
        ("parcels", "<a/>", [ComplexValue("parcels", "<a/>", "text/xml")]),
        (
            "parcels",
            {"value": "PGEvPg==", "encoding": "base64", "mediaType": "text/xml"},
            [ComplexValue("parcels", "PGEvPg==", "text/xml", "base64")],
        ),
        (
            "parcels",
            {"href": "https://data.example.org/p.xml", "type": "text/xml"},
            [ReferenceValue("parcels", "https://data.example.org/p.xml", "text/xml")],
        ),
    ],
)
def test_inputs_of_every_form(api: Api, name: str, given: Any, values: list[Any]) -> None:
    """§7.11.2: by value, qualified, array, object, mixed type, bbox, base64, reference."""
    response = document(api, {**FASTEST, name: given}, headers=ASYNC)
    assert response.status_code == 201, response.body
    assert stored(only_job()).get(name, []) == values


FASTEST = {"mode": "fast"}


def test_a_bare_string_of_a_binary_input_is_base64(api: Api, world: World) -> None:
    """/req/core/process-execute-input-inline-binary; a bare text takes the first format it fits."""
    kinds = ("text/xml", "application/json", "image/tiff", "text/plain")
    process = replace(
        ECHO,
        identifier="mixed",
        inputs=(
            InputDescription("tiff", ComplexDomain((Format("image/tiff"),)), min_occurs=0),
            InputDescription("any", ComplexDomain(tuple(map(Format, kinds))), min_occurs=0),
        ),
    )
    make_app(world.operator, (make_service(world.provider, process),), group=world.group)
    for given, kind, encoding in (
        ("<a/>", "text/xml", ""),
        ('{"a": 1}', "application/json", ""),
        ("SUkqAA==", "image/tiff", "base64"),
        ("plain words", "text/plain", ""),
    ):
        inputs = {"any": given, "tiff": "SUkqAA=="}
        response = api.run(inputs, process=f"{world.provider.slug}.mixed", headers=ASYNC)
        found = stored(Job.objects.get(pk=api.job_of(response)))
        assert found["tiff"] == [ComplexValue("tiff", "SUkqAA==", "image/tiff", "base64")]
        assert found["any"] == [ComplexValue("any", given, kind, encoding)]


def test_a_box_of_a_projected_system_runs(api: Api, wps: FakeWps, world: World) -> None:
    """It is offered by its URI, taken so, and sent as the provider spells it."""
    crs = "urn:ogc:def:crs:EPSG::25832"
    one = InputDescription("area", BoundingBoxDomain((crs, "EPSG:31467")))
    process = replace(ECHO, identifier="utm", inputs=(one,))
    wps.add(process, lambda _: {"message": "done"})
    service = make_service(world.provider, process)
    make_app(world.operator, (service,), group=world.group)
    name = f"{world.provider.slug}.utm"
    schema = api.get(f"processes/{name}").data["inputs"]["area"]["schema"]
    offered = schema["allOf"][1]["properties"]["crs"]["enum"]
    assert offered == ["http://www.opengis.net/def/crs/EPSG/0/25832", "EPSG:31467"]
    box = {"bbox": [500000, 5000000, 510000, 5020000], "crs": offered[0]}
    publish_rates(
        actor="test",
        provider_id=world.provider.pk,
        rates={(service.pk, Unit.AREA_KM2): RateSpec(CREDIT // 100)},
    )
    assert api.run({"area": box}, process=name, query="?quotation=true").body == b"2.00"
    job = Job.objects.get(pk=api.job_of(api.run({"area": box}, process=name)))
    sent = BoundingBoxValue("area", (500000.0, 5000000.0), (510000.0, 5020000.0), crs)
    assert stored(job)["area"] == [sent]
    assert f'crs="{crs}"'.encode() in wps.executes[-1].body
    refused = api.run({"area": {**box, "crs": offered[1]}}, process=name)
    assert refused.status_code == 400  # whatever its area may be, it is not for free
    assert list(refused.data["errors"]) == ["area"]


def test_a_json_document_may_be_an_array(api: Api, world: World) -> None:
    """Of an input that occurs once the array is the value."""
    one = InputDescription("list", ComplexDomain((Format("application/json"),)))
    process = replace(ECHO, identifier="list", inputs=(one,))
    make_app(world.operator, (make_service(world.provider, process),), group=world.group)
    response = api.run(
        {"list": [1, {"a": 2}]}, process=f"{world.provider.slug}.list", headers=ASYNC
    )
    found = stored(Job.objects.get(pk=api.job_of(response)))
    assert found["list"] == [ComplexValue("list", '[1, {"a": 2}]', "application/json")]


def test_all_faults_of_the_inputs_are_named(api: Api) -> None:
    """/req/core/process-execute-input-validation."""
    response = document(
        api,
        {
            "depth": 1000,
            "area": {"bbox": [1, 2, 3]},
            "parcels": {"type": "wrong/type"},
            "note": None,
            "unknown": 1,
        },
    )
    assert response.status_code == 400
    assert set(response.data["errors"]) == {"depth", "mode", "area", "parcels", "note", "unknown"}
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"inputs": []}, "inputs"),
        ({"inputs": FASTEST, "outputs": ["mean"]}, "outputs"),
        ({"inputs": FASTEST, "outputs": {"mean": "x"}}, "mean"),
        ({"inputs": FASTEST, "outputs": {"none": {}}}, "none"),
        ({"inputs": FASTEST, "outputs": {"mean": {"transmissionMode": "post"}}}, "mean"),
        ({"inputs": FASTEST, "outputs": {"change": {"format": {"mediaType": "a/b"}}}}, "change"),
        ({"inputs": FASTEST, "response": "xml"}, "response"),
        ({"inputs": FASTEST, "respnse": "raw"}, "respnse"),
        ({"inputs": FASTEST, "outputs": {"mean": {"transmision": "value"}}}, "mean"),
        ({"inputs": FASTEST, "outputs": {"mean": {"format": {"mediaType": "a/b"}}}}, "mean"),
        ({"inputs": {"mode": {"value": "fast", "unit": "m"}}}, "mode"),
        ({"inputs": {"mode": {"value": "fast", "mediaType": "image/png"}}}, "mode"),
        ({"inputs": {**FASTEST, "area": {"bbox": [1, 2, 3, 4], "epsg": 1}}}, "area"),
        ({"inputs": {**FASTEST, "parcels": {"value": {}, "name": "x"}}}, "parcels"),
        ({"inputs": {**FASTEST, "parcels": {"href": "https://x.example.org", "a": 1}}}, "parcels"),
        ({"inputs": FASTEST, "subscriber": {"succesUri": "https://x.example.org"}}, "subscriber"),
        ({"inputs": FASTEST, "subscriber": "https://x.example.org"}, "subscriber"),
        ([], "body"),
    ],
)
def test_a_body_that_says_something_else_is_refused(api: Api, body: Any, named: str) -> None:
    response = api.post(json.dumps(body))
    assert response.status_code == 400
    assert list(response.data["errors"]) == [named]
    assert not Job.objects.exists()


def test_a_name_that_is_there_twice_is_refused(api: Api) -> None:
    """Readers disagree about which one counts, and the price is of one of them."""
    response = api.post('{"inputs": {"mode": "fast", "note": "a", "note": "b"}}')
    assert (response.status_code, list(response.data["errors"])) == (400, ["body"])
    assert not Job.objects.exists()


def test_outputs_are_asked_for_as_they_were_named(api: Api) -> None:
    outputs = {"change": {"format": {"mediaType": "image/tiff"}, "transmissionMode": "reference"}}
    document(api, outputs=outputs, headers=ASYNC)
    wanted = only_job().request().outputs
    assert wanted == (OutputRequest("change", True, Format("image/tiff")),)
