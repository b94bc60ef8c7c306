"""Inputs and outputs that several of the demo's processes have, described for WPS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pywps import (
    BoundingBoxInput,
    BoundingBoxOutput,
    ComplexOutput,
    Format,
    LiteralInput,
    LiteralOutput,
)
from pywps.inout.basic import UOM
from pywps.inout.literaltypes import AllowedValue
from pywps.validator.mode import MODE

CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"
LAT_LON = "urn:ogc:def:crs:EPSG::4326"
GEOTIFF = Format("image/tiff", extension=".tif", encoding="base64")
PNG = Format("image/png", extension=".png", encoding="base64")


def given(request: Any, name: str) -> Any:
    """The first value of a literal input."""
    return request.inputs[name][0].data


def box() -> BoundingBoxInput:
    return BoundingBoxInput(
        "bbox",
        "Area",
        crss=[CRS84, LAT_LON],
        abstract="A box over the scene. What lies outside of the scene is left out.",
    )


def choice(name: str, title: str, values: Iterable[str], default: str, text: str) -> LiteralInput:
    return LiteralInput(
        name,
        title,
        data_type="string",
        allowed_values=list(values),
        default=default,
        min_occurs=0,
        abstract=text,
    )


def number(  # noqa: PLR0913 (what describes a number)
    name: str,
    title: str,
    default: float,
    least: float,
    most: float,
    text: str,
    *,
    units: Iterable[str] = (),
    whole: bool = False,
) -> LiteralInput:
    return LiteralInput(
        name,
        title,
        data_type="integer" if whole else "float",
        allowed_values=[AllowedValue(minval=least, maxval=most)],
        default=default,
        uoms=[UOM(unit, unit) for unit in units],
        min_occurs=0,
        abstract=text,
        mode=MODE.SIMPLE,
    )


def smallest() -> LiteralInput:
    return number(
        "minimum-area",
        "Smallest patch",
        0.1,
        0,
        10,
        "Patches smaller than this are taken for noise and left out.",
        units=("ha", "m2"),
    )


def picture() -> list[ComplexOutput]:
    return [
        ComplexOutput(
            "result",
            "Result",
            supported_formats=[GEOTIFF],
            as_reference=True,
            abstract="Cloud-optimised GeoTIFF in UTM zone 33 north.",
        ),
        ComplexOutput(
            "quicklook",
            "Quicklook",
            supported_formats=[PNG],
            as_reference=True,
            abstract="A picture in geographic coordinates, to be laid over a map.",
        ),
    ]


def value(name: str, title: str, unit: str, text: str) -> LiteralOutput:
    units = [UOM(unit, unit)] if unit else []
    return LiteralOutput(name, title, data_type="float", uoms=units, abstract=text)


def footprint() -> BoundingBoxOutput:
    text = "The box of the quicklook, in degrees."
    return BoundingBoxOutput("footprint", "Footprint", crss=[CRS84], abstract=text)
