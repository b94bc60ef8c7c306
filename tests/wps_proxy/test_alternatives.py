"""An input whose plain values are of several kinds, at every door and on its way to a provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.errors import InvalidInput
from common.xml import parse
from jobs.validation import validate_inputs
from portal.forms.process_form import ProcessForm
from providers.drivers.ogcapi.describe import parse_description
from providers.drivers.ogcapi.execute import execute_document
from providers.drivers.wps2.describe import parse_descriptions
from providers.process import (
    ExecuteRequest,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)
from tests.providers.documents import HERE
from tests.wps_proxy.schemas import valid
from wps_proxy.ogcapi.inputs import inputs_of
from wps_proxy.ogcapi.schemas import schema_of
from wps_proxy.wps1.descriptions import descriptions
from wps_proxy.wps2.descriptions import offerings

CELSIUS, FAHRENHEIT = ValueRange("0", "100"), ValueRange("32", "212")
DEGREES = LiteralDomain(
    "double",
    ranges=(CELSIUS,),
    default="20",
    uoms=("degC", "K"),
    alternatives=(LiteralDomain("double", ranges=(FAHRENHEIT,), uoms=("degF",)),),
)
COUNT = LiteralDomain(
    "integer",
    ranges=(ValueRange("1", "9"),),
    alternatives=(LiteralDomain(allowed_values=("auto",)), LiteralDomain("boolean")),
)


def process(domain: LiteralDomain) -> ProcessDescription:
    out = OutputDescription("out", LiteralDomain(), "out")
    return ProcessDescription(
        "p", "p", inputs=(InputDescription("x", domain, "x"),), outputs=(out,)
    )


def checked(domain: LiteralDomain, value: str, uom: str = "", kind: str = "") -> LiteralValue:
    (found,) = validate_inputs(process(domain), [LiteralValue("x", value, kind, uom)])
    assert isinstance(found, LiteralValue)
    return found


@pytest.mark.parametrize(
    ("domain", "value", "uom", "kept", "kind"),
    [
        (DEGREES, "50", "", "degC", "double"),
        (DEGREES, "200", "degF", "degF", "double"),
        (DEGREES, "200", "", "degF", "double"),
        (COUNT, "9", "", "", "integer"),
        (COUNT, "auto", "", "", "string"),
        (COUNT, "true", "", "", "boolean"),
    ],
)
def test_a_value_of_any_kind_is_taken(
    domain: LiteralDomain, value: str, uom: str, kept: str, kind: str
) -> None:
    found = checked(domain, value, uom)
    assert (found.value, found.uom, found.data_type) == (value, kept, kind)


@pytest.mark.parametrize(
    ("domain", "value", "uom"),
    [(DEGREES, "200", "degC"), (DEGREES, "10", "degF"), (DEGREES, "1", "m"), (COUNT, "10", "")],
)
def test_a_value_of_no_kind_is_refused_with_all_of_them(
    domain: LiteralDomain, value: str, uom: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked(domain, value, uom)
    (said,) = caught.value.errors["x"]
    for one in (domain, *domain.alternatives):
        assert one.data_type in said
        assert all(bound.maximum in said for bound in one.ranges if bound.maximum)


@pytest.mark.parametrize("domain", [DEGREES, COUNT])
def test_wps_2_says_all_of_it(domain: LiteralDomain) -> None:
    document = offerings([process(domain)], language="en")
    valid(document)
    (read,) = parse_descriptions(document, HERE).found.values()
    assert read.inputs[0].domain == domain


def test_wps_1_says_what_all_of_it_comes_to() -> None:
    (degrees,) = _wps1(DEGREES)
    assert degrees.xpath("string(.//*[local-name()='DataType'])") == "double"
    ends = degrees.xpath(".//*[local-name()='MaximumValue']/text()")
    units = degrees.xpath(".//Supported/*[local-name()='UOM']/text()")
    assert (ends, units) == (["100", "212"], ["degC", "K", "degF"])
    (count,) = _wps1(COUNT)
    assert count.xpath("string(.//*[local-name()='DataType'])") == "string"
    assert count.xpath("boolean(.//*[local-name()='AnyValue'])")


def _wps1(domain: LiteralDomain) -> Any:
    document = descriptions([process(domain)], language="en", most_values=1000)
    valid(document)
    return parse(document).xpath(".//LiteralData")


def test_the_ogc_api_has_a_schema_for_each() -> None:
    assert schema_of(COUNT) == {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": 9},
            {"type": "string", "enum": ["auto"]},
            {"type": "boolean"},
        ]
    }
    schema = schema_of(DEGREES)
    assert schema["default"] == 20
    assert [one["maximum"] for one in schema["anyOf"]] == [100, 212]  # 50 is of both


@pytest.mark.parametrize("given", [3, "auto", True, False])
def test_an_ogc_api_provider_gets_the_type_that_the_client_gave(given: object) -> None:
    described = {"id": "p", "inputs": {"x": {"schema": schema_of(COUNT)}}, "outputs": {"out": {}}}
    (there,) = parse_description(json.dumps(described).encode(), HERE).found.values()
    assert there.inputs[0].domain == COUNT
    values = validate_inputs(there, inputs_of(there, {"x": given}))
    sent = json.loads(execute_document(there, ExecuteRequest("p", values)))
    assert sent["inputs"] == {"x": given}
    assert type(sent["inputs"]["x"]) is type(given)


def test_the_form_takes_every_kind() -> None:
    (field,) = ProcessForm(process(COUNT)).fields
    assert (field.widget, field.input_type, field.limits) == ("input", "text", {})
    (field,) = ProcessForm(process(DEGREES)).fields
    assert field.range_text == "0 to 100 or 32 to 212"
