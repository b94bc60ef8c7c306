"""Filters in CQL2: the same items by text and by JSON, by the database and by another reader."""

from __future__ import annotations

import json
from typing import Any

import cql2
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalogue_client.services import put_collection, put_item
from tests.catalogue_client.world import scene

DAY = "2025-07-0{}T10:00:00Z"
# What one item has and another lacks, or has as another kind of value.
PROPERTIES: dict[str, dict[str, Any]] = {
    "a": {"eo:cloud_cover": 5, "platform": "s2a", "x": 1, "flag": True, "title": "Äpfel"},
    "b": {"eo:cloud_cover": 50.5, "platform": "S2B", "x": "1", "flag": False, "title": "b_a%r"},
    "c": {"platform": None, "x": None, "odd-name": "*?[", "title": ""},
    "d": {"eo:cloud_cover": "5", "platform": "s2a", "x": -2.5, "flag": "true", "gsd": 10},
    "e": {"eo:cloud_cover": 10, "platform": "x\\y", "x": [1], "gsd": 10.0, "title": "line\nbreak"},
}


def fill() -> dict[str, dict[str, Any]]:
    """The items of PROPERTIES, a degree wide at 0°, 3°, 6°… E, one a day; their documents."""
    one = put_collection(document={"id": "one", "title": "One"})
    other = put_collection(document={"id": "other", "title": "Other"})
    documents = {}
    for number, (name, properties) in enumerate(PROPERTIES.items()):
        place = other if name == "e" else one
        given = scene(name, west=number * 3.0, datetime=DAY.format(number + 1))
        given["properties"] |= properties
        if "title" not in properties:
            del given["properties"]["title"]
        put_item(collection=place, document=given)
        documents[name] = {**given, "type": "Feature", "collection": place.identifier}
    return documents


def found(filter_: Any, **more: Any) -> set[str]:
    body = {"filter": filter_, "limit": 100, **more}
    answer = Client().post("/stac/search", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    page = answer.json()
    names = [feature["id"] for feature in page["features"]]
    assert page["numberMatched"] == len(names) == len(set(names))
    return set(names)


TEXTS: list[tuple[str, str]] = [
    ("eo:cloud_cover < 10", "a"),
    ("properties.eo:cloud_cover <= 10", "ae"),
    ("10 > eo:cloud_cover", "a"),
    ("NOT eo:cloud_cover < 10", "be"),
    ("eo:cloud_cover <> 5", "be"),
    ("eo:cloud_cover IS NULL", "c"),
    ("eo:cloud_cover IS NOT NULL", "abde"),
    ("eo:cloud_cover BETWEEN 5 AND 10", "ae"),
    ("eo:cloud_cover NOT BETWEEN 5 AND 10", "b"),
    ("eo:cloud_cover = '5'", None),
    ("platform IN ('s2a','S2B')", "abd"),
    ("platform NOT IN ('s2a')", "be"),
    ("CASEI(platform) = CASEI('S2b')", "b"),
    ("CASEI(title) LIKE CASEI('äP%')", "a"),
    ("title LIKE 'äp%'", ""),
    ("title LIKE 'b\\_a\\%_'", "b"),
    ("title LIKE 'b_a%'", "b"),
    ("title LIKE 'line%break'", "e"),
    ("title LIKE ''", "c"),
    ("title = ''", "c"),
    ("\"odd-name\" LIKE '*?[%'", "c"),
    ("platform LIKE 'x\\\\_'", "e"),
    ("x = 1", "a"),
    ("x = '1'", "b"),
    ("x < 0", "d"),
    ("NOT x = 1", "d"),
    ("flag", "a"),
    ("flag = FALSE", "b"),
    ("NOT flag", "b"),
    ("TRUE", "abcde"),
    ("FALSE OR x = 1", "a"),
    ("id > 'c'", "de"),
    ("collection = 'other'", "e"),
    ("NOT collection = 'other' AND gsd = 10", "d"),
    ("nothing = 1", ""),
    ("NOT nothing = 1", ""),
    ("nothing = 1 OR id = 'a'", "a"),
    (f"datetime >= TIMESTAMP('{DAY.format(4)}')", "de"),
    (f"datetime = '{DAY.format(2)}'", "b"),
    ("datetime < DATE('2025-07-03')", "ab"),
    (f"T_AFTER(datetime, TIMESTAMP('{DAY.format(4)}'))", "e"),
    (f"T_INTERSECTS(datetime, INTERVAL('..', '{DAY.format(2)}'))", "ab"),
    ("T_DURING(datetime, INTERVAL('2025-07-02', '2025-07-04'))", "bc"),
    (f"T_BEFORE(TIMESTAMP('{DAY.format(4)}'), datetime)", "e"),
    (f"T_EQUALS(datetime, TIMESTAMP('{DAY.format(4)}'))", "d"),
    ("updated > TIMESTAMP('2020-01-01T00:00:00Z') AND created IS NOT NULL", "abcde"),
    ("S_INTERSECTS(geometry, POINT(0.5 40.5))", "a"),
    ("S_INTERSECTS(geometry, BBOX(2, 40, 4, 41))", "b"),
    ("NOT S_INTERSECTS(geometry, BBOX(2, 40, 4, 41))", "acde"),
    ("S_DISJOINT(geometry, BBOX(2, 40, 4, 41))", "acde"),
    ("S_INTERSECTS(geometry, LINESTRING(0 39.5, 12 41.5))", "bcd"),
    ("S_WITHIN(geometry, BBOX(-1, 39, 5, 42))", "ab"),
    ("S_WITHIN(POINT(0.5 40.5), geometry)", "a"),
    ("S_CONTAINS(geometry, POINT(0.5 40.5))", "a"),
    ("S_TOUCHES(geometry, BBOX(1, 40, 3, 41))", "ab"),
    ("S_INTERSECTS(geometry, POINT(0.5 40.5)) OR eo:cloud_cover > 20", "ab"),
    ("NOT (S_INTERSECTS(geometry, POINT(0.5 40.5)) OR eo:cloud_cover > 20)", "e"),
    ("S_INTERSECTS(geometry, BBOX(0, 40, 9, 41)) AND platform = 's2a'", "ad"),
    ("S_EQUALS(geometry, POLYGON((0 40,1 40,1 41,0 41,0 40)))", "a"),
    ("S_CROSSES(geometry, LINESTRING(-1 40.5, 0.5 40.5))", "a"),
]


@pytest.mark.django_db
def test_what_filters_find() -> None:
    fill()
    client = Client()
    for text, expected in TEXTS:
        got = client.get("/stac/search", {"filter": text, "limit": "100"})
        if expected is None:
            assert got.status_code == 400, text
            continue
        names = {feature["id"] for feature in got.json().get("features", [])}
        assert names == set(expected), (text, got.content[:300])
        assert found(cql2.parse_text(text).to_json()) == set(expected), text
        assert found(text, **{"filter-lang": "cql2-text"}) == set(expected), text
        inside = client.get("/stac/collections/one/items", {"filter": text, "limit": "100"}).json()
        assert {f["id"] for f in inside["features"]} == set(expected) - {"e"}, text


WRONG: list[Any] = [
    "x = ", "(x = 1", "FOO(1)", "x = y", "x + 1 = 2", "1 = 1", "geometry = 1", "x = NULL", "x",
    "A_CONTAINS(x, (1))", "S_INTERSECTS(x, POINT(0 0))", "S_INTERSECTS(geometry, POINT(500 0))",
    "datetime = 'yesterday'", "T_AFTER(x, TIMESTAMP('2025-07-01T00:00:00Z'))", "x LIKE 1",
    "T_BEFORE(datetime, INTERVAL('..', '..'))", "datetime > DATE('2025-13-01')", "CASEI(x) = 1",
    "x > TIMESTAMP('2025-07-01T00:00:00Z')", "x IN (1, 'a')", "\"a'b\" = 1", "\"a\"\"b\" = 1",
    "x = 1e400", "(" * 3000 + "x = 1" + ")" * 3000,
    "NOT " * 5000 + "x = 1", "x=" + "-" * 9999 + "1",
    " OR ".join(["x = 1"] * 3000), "x = 'a\0'", {"op": "="}, {"op": "and", "args": []}, [], 1, {},
    {"op": "=", "args": [{"property": "x"}]}, {"op": "=", "args": [{"property": {}}, 1]},
    {"op": "in", "args": [{"property": "x"}, []]}, {"op": "in", "args": [{"property": "x"}, 1]},
    {"op": "=", "args": [{"property": "x"}, "\0"]}, {"op": "not", "args": []},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [0, 9, 1, 1]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon"}]},
    *(
        {"op": "=", "args": [{"op": "casei", "args": [{"property": "x"}]}, other]}
        for other in ({"op": "casei", "args": ["a", "b"]}, {"op": "casei", "args": 5})
    ),
]  # fmt: skip
WRONG.remove("x")


@pytest.mark.django_db
def test_wrong_filters_are_refused_with_a_reason() -> None:
    fill()
    for wrong in WRONG:
        as_text = isinstance(wrong, str)
        body = {"filter": wrong, "filter-lang": "cql2-text" if as_text else "cql2-json"}
        answer = Client().post("/stac/search", body, content_type="application/json")
        assert answer.status_code == 400, wrong if len(str(wrong)) < 200 else str(wrong)[:99]
        assert set(answer.json()) == {"code", "description"}
    for more in ({"filter-crs": "EPSG:3857"}, {"filter-lang": "ecql"}):
        body = {"filter": True, **more}
        answer = Client().post("/stac/search", body, content_type="application/json")
        assert answer.status_code == 400


NAMES = st.sampled_from(["eo:cloud_cover", "platform", "x", "flag", "gsd", "title", "nothing"])
PROPERTY = st.builds(lambda name: {"property": name}, NAMES)
TEXT = st.sampled_from(["s2a", "S2B", "1", "", "b_a%r", "Äpfel", "5", "x\\y"])
VALUE = TEXT | st.sampled_from([1, 5, 10, -2.5, 50.5, 0]) | st.booleans()
BOX = st.tuples(st.integers(-1, 12), st.integers(39, 41)).map(
    lambda corner: {"bbox": [corner[0], corner[1], corner[0] + 2, corner[1] + 1]}
)
STAMP = st.integers(1, 6).map(lambda day: {"timestamp": DAY.format(day)})


def call(name: str, *args: Any) -> Any:
    return st.builds(lambda *values: {"op": name, "args": list(values)}, *args)


# That reader takes BETWEEN and IN as false, not unknown, of another kind of value: so the first is
# not among them, and the second asks properties of one kind.
ONE_KIND = st.sampled_from([{"property": name} for name in ("platform", "title", "gsd")])
LEAF = st.one_of(
    *(call(name, PROPERTY, VALUE) for name in ("=", "<>", "<", "<=", ">", ">=")),
    call("isNull", PROPERTY),
    call("like", PROPERTY, TEXT | st.sampled_from(["%a%", "_2%", "b\\_a%", "%"])),
    call("in", ONE_KIND, st.lists(TEXT, min_size=1, max_size=3)),
    *(
        call(n, st.just({"property": "datetime"}), STAMP)
        for n in ("<", ">=", "t_before", "t_after")
    ),
    *(
        call(f"s_{name}", st.just({"property": "geometry"}), BOX)
        for name in ("intersects", "disjoint", "within")
    ),
)
TREE = st.recursive(
    LEAF,
    lambda inner: call("and", inner, inner) | call("or", inner, inner) | call("not", inner),
    max_leaves=6,
)
FIXED = {"eo:cloud_cover": (int, float), "gsd": (int, float), "platform": str}


def refused(node: Any) -> bool:
    """Whether a queryable with one kind is compared with a value of another: that is an error."""
    if not isinstance(node, dict) or "op" not in node:
        return False
    args = node["args"]
    name = args[0].get("property") if isinstance(args[0], dict) else None
    if name in FIXED and len(args) > 1:
        values = args[1] if isinstance(args[1], list) else args[1:]
        return any(isinstance(v, bool) or not isinstance(v, FIXED[name]) for v in values)
    if name and node["op"] == "in":
        return False
    return any(refused(arg) for arg in args)


def matches(node: Any, document: dict[str, Any]) -> bool:
    try:
        return bool(cql2.parse_json(json.dumps(node)).matches(document))
    except Exception:  # noqa: BLE001 (it is how that reader says “unknown”)
        return False


class AnyFilter(TestCase):
    """Whatever filter is sent: an answer or a refusal; and the items that another reader finds."""

    def setUp(self) -> None:
        self.documents = fill()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TREE)
    def test_the_database_agrees_with_another_reader(self, node: Any) -> None:
        if refused(node):
            answer = Client().post(
                "/stac/search", {"filter": node}, content_type="application/json"
            )
            assert answer.status_code == 400
            return
        expected = {name for name, doc in self.documents.items() if matches(node, doc)}
        assert found(node) == expected, node

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=60) | st.sampled_from([t for t, _ in TEXTS]), st.text(max_size=5))
    def test_no_text_is_a_fault_of_the_server(self, text: str, more: str) -> None:
        for address in ("/stac/search", "/stac/collections/one/items"):
            answer = Client().get(address, {"filter": text + more, "sortby": more})
            assert answer.status_code in (200, 400)
