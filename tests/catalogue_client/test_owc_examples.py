"""Real documents: read, written valid, and read again without loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalogue_client.owc import Context, atom, geojson, read_atom, read_geojson
from common.errors import InvalidInput
from tests.catalogue_client.shared import (
    CATALOGUE,
    atom_examples,
    grammar_errors,
    json_examples,
    owc_schema,
    present,
)

SOURCE = "https://tep.example.org/context"


def read(path: Path) -> Context:
    reader = read_geojson if "json" in path.suffix else read_atom
    return reader(path.read_bytes(), source=SOURCE)


def through_json(context: Context) -> Context:
    return read_geojson(json.dumps(geojson(context)).encode())


@present
@pytest.mark.parametrize("path", atom_examples() + json_examples(), ids=lambda path: path.name)
def test_nothing_is_lost_in_either_encoding_and_from_one_to_the_other(path: Path) -> None:
    context = read(path)
    by_atom = read_atom(atom(context))
    assert read_atom(atom(by_atom)) == by_atom
    if path.suffix in (".xml", ".atom"):
        assert by_atom == context
    assert through_json(context) == context
    assert through_json(by_atom) == by_atom
    assert read_atom(atom(through_json(by_atom))) == by_atom
    assert not list(owc_schema().iter_errors(geojson(context)))


@present
def test_every_example_is_written_so_that_the_official_grammar_accepts_it(tmp_path: Path) -> None:
    paths = atom_examples() + json_examples()
    written = {f"{n}-{path.stem}.xml": atom(read(path)) for n, path in enumerate(paths)}
    assert len(written) >= 20
    assert grammar_errors(tmp_path, written) == ""
    broken = written[next(iter(written))].replace(b"<title", b"<owc:title", 1)
    assert "error" in grammar_errors(
        tmp_path, {"broken.xml": broken.replace(b"</title", b"</owc:title", 1)}
    )


@present
def test_what_the_examples_say_is_understood() -> None:
    folder = CATALOGUE / "owc" / "atom-examples"
    wps = read(folder / "wps_52north.xml").resources[0].offering("wps")
    assert wps is not None
    execute = wps.operation("Execute")
    assert execute is not None
    assert execute.request is not None
    assert "SimpleBufferAlgorithm" in (execute.request.content or "")
    assert execute.method == "POST"

    meris = read(folder / "meris.atom")
    resource = meris.resources[0]
    assert meris.authors == ()
    assert resource.authors[0].email == "info@genesi-dec.eu"
    assert [link.rel for link in resource.links] == ["enclosure", "icon", "via"]
    assert resource.geometry == {
        "type": "Polygon",
        "coordinates": [[[-2, 45], [8, 45], [8, 55], [-2, 55], [-2, 45]]],
    }
    offering = resource.offering("wms")
    assert offering is not None
    assert offering.code == "http://www.opengis.net/spec/owc/1.0/req/wms"
    assert offering.styles[0].legend_type == "image/png"
    assert any("dc/elements" in piece and "Fee:NONE" in piece for piece in resource.foreign)

    scales = read(folder / "wms_scale.xml")
    assert scales.area is None  # in EPSG:23031: kept, but not taken for degrees
    assert scales.language == "ca-CA"
    assert [r.max_scale for r in scales.resources] == [25000, 250000]
    assert len(read(folder / "csw_10entries.xml").resources) == 10


@present
def test_drafts_and_loose_spellings_are_understood() -> None:
    draft = read(CATALOGUE / "owc" / "geojson-draft-examples" / "meris.json")
    assert [link.rel for link in draft.resources[0].links] == ["enclosure", "icon", "via"]
    assert draft.resources[0].abstract.kind == "html"
    assert draft.generator is not None
    assert draft.generator.title.startswith("OGC Context CITE")
    offering = draft.resources[0].offering("wms")
    assert offering is not None
    assert offering.operations[0].request is None

    loose = read(CATALOGUE.parent / "tep-portal" / "feeds" / "result-metadata-variants.atom")
    assert {issue.rpartition(" ")[2] for issue in loose.issues} >= {"updated", "profile"}
    resource = loose.resources[0]
    assert resource.geometry is not None
    assert resource.geometry["coordinates"][0][0] == [14.2, 49.9]
    assert [o.token for o in resource.offerings] == ["png"]

    app = read(CATALOGUE.parent / "tep-portal" / "apps" / "thematic-app-xmlish.json")
    wps = app.resources[0].offering("wps")
    assert wps is not None
    assert (
        wps.operations[0].href == "https://tep.example.org/service/wps/search?tag=urban&format=json"
    )


@pytest.mark.parametrize(
    ("reader", "data", "says"),
    [
        (read_atom, b"<feed", "line 1"),
        (read_atom, b"<a/>", "Atom"),
        (read_atom, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DOCTYPE"),
        (read_geojson, b'{"type":\n nonsense}', "line 2"),
        (read_geojson, b"[" * 200_000, "JSON"),
        (read_geojson, b'{"type": "FeatureCollection", "bbox": [NaN]}', "JSON"),
        (read_geojson, b"[]", "FeatureCollection"),
        (read_geojson, b"\xff\xfe\x00", "JSON"),
    ],
)
def test_what_is_no_context_is_refused_with_the_place(reader, data, says) -> None:
    with pytest.raises(InvalidInput, match=says):
        reader(data)


def test_scripts_are_never_offered_as_addresses() -> None:
    feed = b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:owc="http://www.opengis.net/owc/1.0">
      <id>urn:x</id><title>t</title><updated>2026-01-01T00:00:00Z</updated>
      <link href=" Java&#10;Script:alert(1)"/><entry><id>urn:y</id><title>u</title>
      <link rel="enclosure" href="data:text/html,x"/></entry></feed>"""
    context = read_atom(feed)
    assert [link.rel for link in context.links] == ["profile"]
    assert context.resources[0].links == ()
    assert [issue for issue in context.issues if "script" in issue] == [
        "resource urn:y: an address is a script and was left out",
        "the context: an address is a script and was left out",
    ]
