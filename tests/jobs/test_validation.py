"""What a value must be before anything is priced or sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from jobs.validation import validate_inputs, validate_outputs
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
    ValueRange,
)

CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"


def process(*inputs: InputDescription) -> ProcessDescription:
    out = OutputDescription("out", ComplexDomain((Format("image/tiff"), Format("image/png"))))
    return ProcessDescription("p", inputs=inputs, outputs=(out,))


def literal(**domain: object) -> ProcessDescription:
    return process(InputDescription("x", LiteralDomain(**domain)))  # type: ignore[arg-type]


GEOJSON = ComplexDomain((Format("application/geo+json"), Format("application/xml")), 1)


@pytest.mark.parametrize(
    ("description", "value", "kept"),
    [
        (literal(data_type="double"), " 12.5 ", "12.5"),
        (literal(data_type="integer"), "-3", "-3"),
        (literal(data_type="boolean"), "True", "True"),
        (literal(data_type="date"), "2026-02-28", "2026-02-28"),
        (literal(data_type="dateTime"), "2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z"),
        (literal(data_type="double", allowed_values=("0.5", "1")), "1.0", "1.0"),
        (literal(data_type="double", ranges=(ValueRange("0", "1"),)), "1", "1"),
        (literal(data_type="double", ranges=(ValueRange("0", None),)), "1e9", "1e9"),
        (
            literal(data_type="double", ranges=(ValueRange("0.1", "9", spacing="0.2"),)),
            "0.7",
            "0.7",
        ),
        (literal(data_type="integer", ranges=(ValueRange(None, "9", spacing="5"),)), "-15", "-15"),
        (literal(data_type="integer", ranges=(ValueRange("1", "9", spacing="P1D"),)), "4", "4"),
        (literal(allowed_values=("a", "b")), "b", "b"),
        (literal(), "any text; even =@& <this>", "any text; even =@& <this>"),
    ],
)
def test_a_right_literal_is_taken(description: ProcessDescription, value: str, kept: str) -> None:
    (checked,) = validate_inputs(description, (LiteralValue("x", value),))
    assert isinstance(checked, LiteralValue)
    assert checked.value == kept


@pytest.mark.parametrize(
    ("description", "value"),
    [
        (literal(data_type="double"), "NaN"),
        (literal(data_type="double"), "1,5"),
        (literal(data_type="double"), "1_000"),
        (literal(data_type="double", ranges=(ValueRange("0", "1"),)), "1e-99999999999999999999"),
        (literal(data_type="integer"), "1.0"),
        (literal(data_type="integer"), "9" * 5000),
        (literal(data_type="boolean"), "yes"),
        (literal(data_type="date"), "28-02-2026"),
        (literal(data_type="anyURI"), "file:///etc/passwd"),
        (literal(data_type="double", ranges=(ValueRange("0", "1", "open"),)), "1"),
        (literal(data_type="double", ranges=(ValueRange("0", "1"),)), "1.000001"),
        (literal(data_type="double", ranges=(ValueRange("0.1", "9", spacing="0.2"),)), "0.8"),
        (literal(data_type="integer", ranges=(ValueRange(None, "9", spacing="5"),)), "-16"),
        (literal(allowed_values=("a", "b")), "A"),
        (literal(), "a\x00b"),
        (literal(), "x" * 200_000),
    ],
)
def test_a_wrong_literal_is_refused_at_its_input(
    description: ProcessDescription, value: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_inputs(description, (LiteralValue("x", value),))
    assert caught.value.locator == "x"
    assert not caught.value.missing


def test_every_wrong_input_is_named_at_once() -> None:
    description = process(
        InputDescription("needed", LiteralDomain()),
        InputDescription("number", LiteralDomain("double")),
        InputDescription("right", LiteralDomain()),
    )
    values = (LiteralValue("number", "x"), LiteralValue("right", "y"), LiteralValue("odd", "z"))
    with pytest.raises(InvalidInput) as caught:
        validate_inputs(description, values)
    assert set(caught.value.errors) == {"needed", "number", "odd"}
    assert caught.value.missing


@pytest.mark.parametrize(
    ("count", "right"), [(0, False), (1, False), (2, True), (3, True), (4, False)]
)
def test_occurrences(count: int, right: bool) -> None:
    description = process(InputDescription("x", LiteralDomain(), min_occurs=2, max_occurs=3))
    values = tuple(LiteralValue("x", str(n)) for n in range(count))
    if right:
        assert validate_inputs(description, values) == tuple(
            LiteralValue("x", str(n), "string") for n in range(count)
        )
    else:
        with pytest.raises(InvalidInput):
            validate_inputs(description, values)


def test_a_required_input_with_a_default_is_sent_with_it() -> None:
    (value,) = validate_inputs(literal(data_type="double", default="0.5", uoms=("m", "km")), ())
    assert value == LiteralValue("x", "0.5", "double", "m")


def test_units() -> None:
    description = literal(data_type="double", uoms=("m", "km"))
    with pytest.raises(InvalidInput):
        validate_inputs(description, (LiteralValue("x", "1", uom="miles"),))
    (value,) = validate_inputs(description, (LiteralValue("x", "1", uom="km"),))
    assert isinstance(value, LiteralValue)
    assert value.uom == "km"


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (ComplexValue("x", '{"type": "Point"}', "application/geo+json"), True),
        (ComplexValue("x", '{"type": "Point"}'), True),
        (ComplexValue("x", "<a><b/></a>", "application/xml"), True),
        (ComplexValue("x", "eyJhIjoxfQ==", "application/geo+json", "base64"), True),
        (ReferenceValue("x", "https://data.example.org/a.json", "application/geo+json"), True),
        (ComplexValue("x", '{"type": ', "application/geo+json"), False),
        (ComplexValue("x", "[" * 100_000, "application/geo+json"), False),
        (ComplexValue("x", "<a><b></a>", "application/xml"), False),
        (ComplexValue("x", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "application/xml"), False),
        (ComplexValue("x", "not base64!", "application/geo+json", "base64"), False),
        (ComplexValue("x", "a,b", "text/csv"), False),
        (ComplexValue("x", '"' + "a" * 2**21 + '"', "application/geo+json"), False),
        (ReferenceValue("x", "file:///etc/passwd"), False),
        (ReferenceValue("x", "https://user:secret@data.example.org/a.json"), False),
        (ReferenceValue("x", "https://[bad/a.json"), False),
        (LiteralValue("x", "text"), False),
    ],
)
def test_complex_values(value: InputValue, right: bool) -> None:
    description = process(InputDescription("x", GEOJSON))
    if right:
        (checked,) = validate_inputs(description, (value,))
        assert checked.media_type  # type: ignore[union-attr]
    else:
        with pytest.raises(InvalidInput):
            validate_inputs(description, (value,))


@pytest.mark.parametrize(
    ("lower", "upper", "crs", "right"),
    [
        ((11.0, 45.0), (12.0, 46.0), "", True),
        ((11.0, 45.0), (12.0, 46.0), CRS84, True),
        ((45.0, 11.0), (46.0, 12.0), "urn:ogc:def:crs:EPSG::4326", True),
        ((11.0, 45.0), (12.0, 46.0), "epsg:4326", True),  # as OWSLib writes it
        ((11.0, 45.0), (12.0, 46.0), "OGC:CRS84", True),
        ((179.0, -1.0), (-179.0, 1.0), CRS84, True),  # across the antimeridian
        ((12.0, 46.0), (12.0, 47.0), CRS84, False),  # no area
        ((11.0, 47.0), (12.0, 46.0), CRS84, False),
        ((11.0, 45.0), (12.0, 460.0), CRS84, False),
        ((float("nan"), 45.0), (12.0, 46.0), CRS84, False),
        ((11.0,), (12.0, 46.0), CRS84, False),
        ((11.0, 45.0), (12.0, 46.0), "EPSG:32632", False),  # not among those of the process
    ],
)
def test_boxes(lower: tuple[float, ...], upper: tuple[float, ...], crs: str, right: bool) -> None:
    crss = (CRS84, "urn:ogc:def:crs:EPSG::4326")
    description = process(InputDescription("x", BoundingBoxDomain(crss)))
    value = BoundingBoxValue("x", lower, upper, crs)
    if right:
        assert validate_inputs(description, (value,)) == (
            BoundingBoxValue("x", lower, upper, crs if crs.startswith("urn") else CRS84),
        )
    else:
        with pytest.raises(InvalidInput):
            validate_inputs(description, (value,))


@pytest.mark.parametrize(
    ("listed", "given", "right"),
    [
        ("EPSG:25832", "EPSG:25832", True),
        ("EPSG:25832", "http://www.opengis.net/def/crs/EPSG/0/25832", True),
        ("urn:ogc:def:crs:EPSG::32632", "EPSG:32632", True),
        ("urn:ogc:def:crs:EPSG:6.9:3035", "http://www.opengis.net/def/crs/EPSG/0/3035", True),
        ("urn:ogc:def:crs:EPSG::3035", "EPSG:3035", False),  # northing first, or easting first?
        ("EPSG:25832", "EPSG:25833", False),
        ("any name", "any name", True),
    ],
)
def test_boxes_of_projected_systems(listed: str, given: str, right: bool) -> None:
    description = process(InputDescription("x", BoundingBoxDomain((listed,))))
    value = BoundingBoxValue("x", (500_000.0, 5_000_000.0), (510_000.0, 5_010_000.0), given)
    if right:
        assert validate_inputs(description, (value,)) == (replace(value, crs=listed),)
        for lower in ((520_000.0, 5_000_000.0), (510_000.0, 5_000_000.0), (-1e300, 5_000_000.0)):
            with pytest.raises(InvalidInput):
                validate_inputs(description, (replace(value, lower=lower),))
    else:
        with pytest.raises(InvalidInput):
            validate_inputs(description, (value,))


def test_outputs_are_known_asked_once_and_in_a_known_format() -> None:
    description = literal()
    asked = (OutputRequest("out", True, Format("image/png")),)
    assert validate_outputs(description, asked) == asked
    for wrong in (
        (OutputRequest("other"),),
        (OutputRequest("out"), OutputRequest("out")),
        (OutputRequest("out", format=Format("text/html")),),
    ):
        with pytest.raises(InvalidInput):
            validate_outputs(description, wrong)


domains = st.sampled_from(
    [
        LiteralDomain(),
        *(LiteralDomain(kind) for kind in ("boolean", "integer", "double", "date", "time")),
        LiteralDomain("double", ranges=(ValueRange("low", "1e999"),), allowed_values=("x",)),
        GEOJSON,
        BoundingBoxDomain(),
    ]
)
texts = st.text(max_size=30)
numbers = st.lists(st.floats(), max_size=4).map(tuple)
any_value = st.one_of(
    st.builds(LiteralValue, st.just("x"), texts, texts, texts),
    st.builds(ComplexValue, st.just("x"), texts, texts, texts, texts),
    st.builds(ReferenceValue, st.just("x"), texts, texts),
    st.builds(BoundingBoxValue, st.just("x"), numbers, numbers, texts),
)


@given(domains, st.lists(any_value, max_size=3))
def test_no_value_breaks_it(domain: object, values: list[InputValue]) -> None:
    """Whatever comes in: checked values, or InvalidInput."""
    description = process(InputDescription("x", domain, max_occurs=None))  # type: ignore[arg-type]
    try:
        checked = validate_inputs(description, values)
    except InvalidInput:
        return
    assert len(checked) == len(values)


@pytest.mark.parametrize("encoding", ["", "base64"])
def test_bytes_are_base64_whether_that_is_said_or_not(encoding: str) -> None:
    """05-007r7 §10.2.1: the encoding of the process holds where the request names none."""
    csv, png = Format("text/csv", "base64"), Format("image/png", "base64")
    description = process(InputDescription("x", ComplexDomain((csv, png))))
    value = ComplexValue("x", "iVBORw0KGgo=", "image/png", encoding)
    assert validate_inputs(description, (value,)) == (replace(value, encoding="base64"),)
    with pytest.raises(InvalidInput):
        validate_inputs(description, (replace(value, data="no base64!"),))
    with pytest.raises(InvalidInput):
        validate_inputs(description, (replace(value, encoding="gzip"),))
    (text,) = validate_inputs(description, (ComplexValue("x", "a,b", "text/csv"),))
    assert text == ComplexValue("x", "YSxi", "text/csv", "base64")
