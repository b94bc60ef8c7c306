"""The small processes: a greeting, an echo of every kind of input, a buffer, a failure."""

from __future__ import annotations

import json
import time
from typing import Any

from pywps import (
    FORMATS,
    BoundingBoxInput,
    BoundingBoxOutput,
    ComplexInput,
    ComplexOutput,
    Format,
    LiteralInput,
    LiteralOutput,
)
from pywps.inout.basic import UOM
from pywps.inout.literaltypes import AllowedValue
from pywps.validator.mode import MODE

from portal.demo.algorithms import buffered
from portal.demo.descriptions import CRS84, LAT_LON
from portal.demo.geojson import GEOJSON, compact, features_of, harmless
from portal.demo.job import DemoProcess, Site, failed

TEXT = Format("text/plain", extension=".txt")
JSON = FORMATS.JSON


def simple_processes(site: Site) -> list[DemoProcess]:
    return [_hello(site), _echo(site), _buffer(site), _fail(site)]


def _hello(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        response.outputs["greeting"].data = f"Hello {request.inputs['name'][0].data}"

    return DemoProcess(
        site,
        work,
        "hello",
        title="Hello",
        abstract="Answers at once with a greeting: a way to see that everything works.",
        inputs=[LiteralInput("name", "Name", data_type="string", abstract="Who is greeted.")],
        outputs=[LiteralOutput("greeting", "Greeting", data_type="string")],
    )


def _echo(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        given, outputs = request.inputs, response.outputs
        outputs["literal"].data = given["literal"][0].data if "literal" in given else ""
        complex_output = outputs["complex"]
        complex_output.data_format = TEXT
        complex_output.data = "nothing was given"
        if "complex" in given:
            source = given["complex"][0]
            json_kind = "json" in (source.data_format.mime_type or "")
            text = source.data if isinstance(source.data, str) else json.dumps(source.data)
            complex_output.data_format = source.data_format
            complex_output.data = harmless(text) if json_kind else text
        box = given["bbox"][0].data if "bbox" in given else (-180, -90, 180, 90)
        outputs["bbox"].crs = CRS84
        outputs["bbox"].data = [float(edge) for edge in box]

    formats = [TEXT, JSON, GEOJSON]
    text = "Comes back unchanged."
    return DemoProcess(
        site,
        work,
        "echo",
        title="Echo",
        abstract="Gives back what it is given: a text, a document, a box.",
        inputs=[
            LiteralInput("literal", "Text", data_type="string", min_occurs=0, abstract=text),
            ComplexInput(
                "complex",
                "Document",
                supported_formats=formats,
                min_occurs=0,
                mode=MODE.NONE,
                abstract=text,
            ),
            BoundingBoxInput("bbox", "Box", crss=[CRS84, LAT_LON], min_occurs=0, abstract=text),
        ],
        outputs=[
            LiteralOutput("literal", "Text", data_type="string"),
            ComplexOutput("complex", "Document", supported_formats=formats),
            BoundingBoxOutput("bbox", "Box", crss=[CRS84]),
        ],
    )


def _buffer(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        features = features_of(request.inputs["features"][0])
        distance = request.inputs["distance"][0]
        unit = getattr(distance.uom, "uom", None) or distance.uom
        metres = float(distance.data) * (1000 if unit == "km" else 1)
        grown = buffered(
            features,
            metres,
            int(request.inputs["segments"][0].data),
            dissolve=bool(request.inputs["dissolve"][0].data),
        )
        if not grown:
            raise failed("Nothing is left: the distance is larger than the features.")
        response.outputs["result"].data = compact(grown)
        response.outputs["count"].data = len(grown)

    return DemoProcess(
        site,
        work,
        "buffer",
        title="Buffer",
        abstract="Draws a zone of a given width, in metres on the ground, around vector features.",
        keywords=("vector", "distance"),
        inputs=[
            ComplexInput(
                "features",
                "Features",
                supported_formats=[GEOJSON],
                mode=MODE.NONE,
                abstract="Points, lines or polygons in GeoJSON, longitude first.",
            ),
            LiteralInput(
                "distance",
                "Distance",
                data_type="float",
                uoms=[UOM("m", "m"), UOM("km", "km")],
                allowed_values=[AllowedValue(minval=-100_000, maxval=100_000)],
                abstract="Width of the zone; negative to shrink polygons.",
            ),
            LiteralInput(
                "dissolve",
                "Join the zones",
                data_type="boolean",
                default=False,
                min_occurs=0,
                abstract="One feature instead of one per given feature.",
            ),
            LiteralInput(
                "segments",
                "Smoothness",
                data_type="integer",
                allowed_values=[AllowedValue(minval=1, maxval=64)],
                default=8,
                min_occurs=0,
                abstract="Straight pieces in a quarter of a circle.",
            ),
        ],
        outputs=[
            ComplexOutput("result", "Zones", supported_formats=[GEOJSON]),
            LiteralOutput("count", "Number of zones", data_type="integer"),
        ],
    )


def _fail(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        response.update_status("Reading the archive", 20)
        time.sleep(float(request.inputs["after"][0].data) / 2)
        response.update_status("Unpacking the product", 60)
        time.sleep(float(request.inputs["after"][0].data) / 2)
        raise failed(request.inputs["message"][0].data)

    return DemoProcess(
        site,
        work,
        "fail",
        title="Failing run",
        abstract="Gets some way and fails with a message, to see what a failed job looks like.",
        inputs=[
            LiteralInput(
                "message",
                "Message",
                data_type="string",
                default="The product is damaged: checksum of band 4 does not match.",
                min_occurs=0,
                abstract="What the run says when it fails.",
            ),
            LiteralInput(
                "after",
                "Fails after",
                data_type="float",
                uoms=[UOM("s", "s")],
                allowed_values=[AllowedValue(minval=0, maxval=60)],
                default=1,
                min_occurs=0,
                abstract="Seconds until it fails.",
            ),
        ],
        outputs=[LiteralOutput("never", "Never given", data_type="string")],
    )
