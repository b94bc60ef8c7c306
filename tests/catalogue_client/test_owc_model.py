"""Any context: written valid and read back the same, in both encodings and across them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue_client.geometry import box_of, polygon
from catalogue_client.owc import (
    Author,
    Category,
    Content,
    Context,
    Display,
    Generator,
    Link,
    Offering,
    Operation,
    Resource,
    StyleSet,
    Text,
    atom,
    breaches,
    geojson,
    read_atom,
    read_geojson,
)
from catalogue_client.owc.codes import CORE, STANDARD
from common.errors import InvalidInput
from tests.catalogue_client.shared import grammar_errors, owc_schema

WEB = st.sampled_from(["https://a.example/x?y=1&z=<2>", "http://b.example/é", "ftp://c.example/f"])
LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Co"], exclude_characters="\ufffe\uffff")
WORDS = st.text(LETTERS, max_size=20).map(str.strip)
TITLE = WORDS.filter(bool)
DATES = st.sampled_from(
    ["", "2026-01-01T00:00:00Z", "2025-01-01T00:00:00+02:00/2025-02-01T00:00:00.5Z",
     "2025-05-01", "../2025-05-01T00:00:00Z", "2025-01-01T00:00:00Z/..", "spring of 2025"]
)  # fmt: skip
MOMENTS = st.sampled_from(["2026-03-02T10:15:00Z", "2026-03-02T10:15:00.123-05:00"])
LON = st.floats(-180, 180, allow_subnormal=False)
LAT = st.floats(-90, 90, allow_subnormal=False)
POSITION = st.tuples(LON, LAT).map(list)
BOX = st.tuples(LON, LAT, LON, LAT).map(lambda b: (b[0], min(b[1], b[3]), b[2], max(b[1], b[3])))
RING = st.lists(POSITION, min_size=3, max_size=6).map(lambda r: [*r, r[0]])
SINGLE = st.one_of(
    POSITION.map(lambda p: {"type": "Point", "coordinates": p}),
    POSITION.map(lambda p: {"type": "Point", "coordinates": [*p, 12.5]}),
    st.lists(POSITION, min_size=2, max_size=5).map(
        lambda ps: {"type": "LineString", "coordinates": ps}
    ),
    st.lists(POSITION, min_size=1, max_size=4).map(
        lambda ps: {"type": "MultiPoint", "coordinates": ps}
    ),
    st.lists(RING, min_size=1, max_size=2).map(lambda rs: {"type": "Polygon", "coordinates": rs}),
    st.lists(RING.map(lambda r: [r]), min_size=1, max_size=3).map(
        lambda ps: {"type": "MultiPolygon", "coordinates": ps}
    ),
    BOX.map(polygon),
)
AREA = SINGLE.filter(lambda g: g["type"] != "Point" or len(g["coordinates"]) == 2)
GEOMETRY = st.one_of(
    SINGLE,
    st.lists(RING, min_size=1, max_size=2).map(
        lambda rs: {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "coordinates": rs},
                {"type": "Point", "coordinates": [1, 2]},
            ],
        }
    ),
)
VALUES = st.one_of(st.integers(-5, 5), WORDS.filter(bool), st.lists(st.integers(), min_size=1))
EXTRA = st.dictionaries(st.sampled_from(["uuid", "contributors", "x:y"]), VALUES, max_size=2)
FOREIGN = st.lists(
    st.sampled_from(
        ['<i xmlns="http://purl.org/dc/elements/1.1/">a</i>',
         '<p:x xmlns:p="urn:p" a="1">b <p:y></p:y> c</p:x>',
         '<x xmlns="http://www.opengis.net/owc/1.0">only as a member</x>']
    ), max_size=2, unique=True
).map(lambda pieces: tuple(sorted(pieces, key=lambda p: "owc" in p)))  # fmt: skip
HTML = WORDS.map(lambda w: Text(f"<p>{w}</p> & 5 < 6".strip(), "html"))
XHTML = st.just(Text('<div xmlns="http://www.w3.org/1999/xhtml"><b>x</b></div>', "xhtml"))
TEXT = st.one_of(TITLE.map(Text), HTML)
ABSTRACT = st.one_of(
    TITLE.map(Text), HTML, XHTML, st.just(Text(kind="text/html", src="https://x.example/"))
)


def some(strategy: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


CONTENT = st.one_of(
    st.builds(Content, st.just("image/tiff"), href=WEB, title=WORDS, extra=EXTRA),
    st.builds(Content, st.just("text/plain"), content=st.text(LETTERS, max_size=20), extra=EXTRA),
    st.builds(
        Content,
        st.just("text/xml"),
        content=st.just('<w:E xmlns:w="urn:w" q="w:n"><w:I>1 &lt; 2</w:I></w:E>'),
        markup=st.just(True),
    ),
    st.builds(Content, st.just("text/xml"), content=st.just("<broken")),
)
MAYBE = st.one_of(st.none(), CONTENT)
OPERATION = st.builds(
    Operation, TITLE, WEB, st.sampled_from(["GET", "POST", "DELETE"]),
    st.sampled_from(["", "text/xml"]), MAYBE, MAYBE, EXTRA, FOREIGN,
)  # fmt: skip
STYLE = st.builds(
    lambda legend, **rest: StyleSet(
        **rest, legend_href=legend, legend_type="image/png" if legend else ""
    ),
    legend=st.one_of(st.just(""), WEB), name=WORDS, title=WORDS, abstract=WORDS,
    default=st.booleans(), content=MAYBE, extra=EXTRA, foreign=FOREIGN,
)  # fmt: skip
CODES = st.sampled_from([*STANDARD.values(), "https://portal.example/spec/view", "urn:x:y"])
OFFERING = st.builds(Offering, CODES, some(OPERATION), some(CONTENT), some(STYLE), EXTRA, FOREIGN)
AUTHOR = st.builds(
    Author, TITLE, st.sampled_from(["", "a@b.example"]), st.one_of(st.just(""), WEB), EXTRA
)
CATEGORY = st.builds(Category, TITLE, st.one_of(st.just(""), WEB), WORDS, EXTRA)
LINK = st.builds(
    Link, st.sampled_from(["via", "icon", "enclosure", "alternate", "results"]), WEB,
    st.sampled_from(["", "text/html"]), WORDS, st.sampled_from(["", "en", "de-AT"]),
    st.one_of(st.none(), st.integers(0, 2**40)), EXTRA,
)  # fmt: skip
# The GeoJSON encoding groups links by relation; the order of relations has no meaning.
LINKS = some(LINK, 4).map(lambda links: tuple(sorted(links, key=lambda link: link.rel)))
SCALE = st.one_of(st.none(), st.floats(1, 1e9))
RESOURCE = st.builds(
    Resource,
    id=st.sampled_from(["https://a.example/1", "urn:x:2"]), title=TEXT, updated=MOMENTS,
    abstract=ABSTRACT, authors=some(AUTHOR), publisher=WORDS, rights=st.one_of(st.none(), TEXT),
    geometry=st.one_of(st.none(), GEOMETRY), date=DATES, links=LINKS,
    active=st.sampled_from([None, True, False]), folder=TITLE, folder_label=WORDS,
    categories=some(CATEGORY), min_scale=SCALE, max_scale=SCALE, offerings=some(OFFERING),
    extra=EXTRA, foreign=FOREIGN,
)  # fmt: skip
CONTEXT = st.builds(
    Context,
    id=st.just("https://a.example/"), title=TEXT, updated=MOMENTS,
    language=st.sampled_from(["en", "ca-CA"]), subtitle=st.one_of(st.none(), TEXT),
    authors=some(AUTHOR), publisher=WORDS, rights=st.one_of(st.none(), TEXT),
    generator=st.one_of(st.none(), st.builds(Generator, TITLE, st.one_of(st.just(""), WEB), WORDS)),
    display=st.one_of(st.none(), st.builds(Display, st.integers(1, 9999), st.integers(1, 9999))),
    area=st.one_of(st.none(), AREA), date=DATES,
    links=LINKS.map(lambda links: (Link("profile", CORE), *links)),
    categories=some(CATEGORY), resources=some(RESOURCE), extra=EXTRA, foreign=FOREIGN,
)  # fmt: skip
LOOK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@LOOK
@given(CONTEXT)
def test_any_context_survives_both_encodings(context: Context) -> None:
    written = json.dumps(geojson(context))
    assert not list(owc_schema().iter_errors(json.loads(written)))
    assert read_geojson(written.encode()) == context
    assert read_atom(atom(context)) == context
    assert read_geojson(json.dumps(geojson(read_atom(atom(context)))).encode()) == context


def test_the_grammar_accepts_any_context(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("contexts")
    written: dict[str, bytes] = {}

    @LOOK
    @given(CONTEXT)
    def collect(context: Context) -> None:
        written[f"{len(written)}.xml"] = atom(context)

    collect()
    assert len(written) > 30
    assert grammar_errors(folder, written) == ""


@LOOK
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for reader in (read_atom, read_geojson):
        with pytest.raises(InvalidInput):
            reader(data)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        WORDS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["type", "id", "properties", "features", "geometry", "links", "authors", "title",
                 "updated", "offerings", "operations", "code", "href", "coordinates", "bbox",
                 "request", "content", "categories", "display", "generator", "foreign", "@rel"]
            ), inner, max_size=6,
        ),
    ), max_leaves=25,
)  # fmt: skip


@LOOK
@given(JSON, st.sampled_from(["FeatureCollection", "Feature"]))
def test_any_json_is_read_without_a_crash_and_what_is_writable_is_valid(
    value: Any, kind: str
) -> None:
    document = (
        {**value, "type": kind} if isinstance(value, dict) else {"type": kind, "features": value}
    )
    context = read_geojson(json.dumps(document).encode())
    try:
        written = geojson(context)
    except InvalidInput:  # what is missing or no address cannot be written; nothing else stops it
        assert breaches(context)
        return
    assert not list(owc_schema().iter_errors(written))
    assert read_atom(atom(context)).title == context.title


@pytest.mark.parametrize(
    "box", [(170.0, -10.0, -170.0, 10.0), (-180.0, -90.0, 180.0, 90.0), (5, 5, 5, 5)]
)
def test_a_box_survives_also_across_the_antimeridian(box) -> None:
    context = replace(SMALL, area=polygon(box))
    for again in (read_atom(atom(context)), read_geojson(json.dumps(geojson(context)).encode())):
        assert again.area is not None
        assert box_of(again.area) == box
    assert geojson(context)["bbox"] == list(box)


SMALL = Context(
    "https://a.example/", Text("t"), "2026-01-01T00:00:00Z", authors=(Author("a"),),
    resources=(
        Resource("urn:r", Text("r"), "2026-01-01T00:00:00Z", abstract=Text("x"), offerings=(
            Offering(STANDARD["geotiff"], contents=(Content("image/tiff", "https://a.example/t"),)),
            Offering(STANDARD["wmts"], operations=(
                Operation("GetCapabilities", "https://a.example/t"),
                Operation("GetTile", "https://a.example/1"),
                Operation("GetTile", "https://a.example/2"),
            )),
        )),
    ),
)  # fmt: skip


def with_offering(**changes: Any) -> Context:
    resource = SMALL.resources[0]
    offering = replace(resource.offerings[0], **changes)
    return replace(SMALL, resources=(replace(resource, offerings=(offering,)),))


def test_the_rules_that_no_schema_checks() -> None:
    assert breaches(SMALL) == []
    content = SMALL.resources[0].offerings[0].contents[0]
    operation = Operation("GetMap", "https://a.example/")
    broken = {
        "contents": with_offering(contents=()),
        "operations": with_offering(operations=(operation,)),
        "styles": with_offering(styles=(StyleSet("n", "t"),)),
        "GetCapabilities": with_offering(
            code=STANDARD["wms"], contents=(), operations=(operation,)
        ),
        "has contents": with_offering(code=STANDARD["wps"]),
        "author": replace(SMALL, authors=()),
        "content": replace(SMALL, resources=(replace(SMALL.resources[0], abstract=Text()),)),
        "2 links via": replace(SMALL, links=(Link("via", "urn:a"), Link("via", "urn:b"))),
    }
    for word, context in broken.items():
        assert any(word in breach for breach in breaches(context)), word
    unwritable = {
        "web address": with_offering(contents=(replace(content, href="file:///etc/passwd"),)),
        "media type": with_offering(contents=(replace(content, type=""),)),
        "method": with_offering(operations=(replace(operation, method="LOOK"),)),
        "absolute URI": replace(SMALL, id="no/uri"),
        "title": replace(SMALL, title=Text()),
        "updated": replace(SMALL, updated="yesterday"),
        "e-mail": replace(SMALL, authors=(Author("a", "nobody"),)),
        "language": replace(SMALL, language="?"),
    }
    for word, context in unwritable.items():
        for write in (atom, geojson):
            with pytest.raises(InvalidInput, match=word):
                write(context)
