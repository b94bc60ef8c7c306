"""One small catalogue on 127.0.0.1 in every protocol: the same thirty scenes behind each.

    with FakeCatalogue() as server:
        server.address("csw")

Kinds of requests: landing, data, search, item, static, description, csw, other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from lxml import etree

from tests.fakes.http_server import Received, Reply, ScriptedServer

STAC = "https://api.stacspec.org/v1.0.0"
ATOM = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:os="http://a9.com/-/spec/opensearch/1.1/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:georss="http://www.georss.org/georss" '
    'xmlns:eo="http://a9.com/-/opensearch/extensions/eo/1.0/"'
)
CSW = (
    'xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dct="http://purl.org/dc/terms/" xmlns:ows="http://www.opengis.net/ows"'
)


@dataclass(frozen=True)
class Scene:
    number: int

    @property
    def id(self) -> str:
        return f"scene-{self.number:02d}"

    @property
    def collection(self) -> str:
        return "even" if self.number % 2 == 0 else "odd"

    @property
    def title(self) -> str:
        return f"Scene {self.number} {'red' if self.number % 3 == 0 else 'blue'} coast"

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.number, 40.0, self.number + 0.5, 40.5

    @property
    def day(self) -> str:
        return f"2026-03-{self.number:02d}"

    @property
    def cloud(self) -> int:
        return self.number * 3


SCENES = tuple(Scene(number) for number in range(1, 31))


@dataclass
class Wanted:
    """A search, out of whatever protocol."""

    words: str = ""
    box: tuple[float, ...] = ()
    start: str = ""
    end: str = ""
    ids: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    cloud: float = 1000

    def scenes(self) -> list[Scene]:
        return [one for one in SCENES if self._fits(one)]

    def _fits(self, one: Scene) -> bool:
        west, south, east, north = one.box
        box = self.box
        inside = not box or not (east < box[0] or west > box[2] or north < box[1] or south > box[3])
        return (
            inside
            and self.words.lower() in one.title.lower() + one.id
            and (not self.start or one.day >= self.start[:10])
            and (not self.end or one.day <= self.end[:10])
            and (not self.ids or one.id in self.ids)
            and (not self.collections or one.collection in self.collections)
            and one.cloud <= self.cloud
        )


class FakeCatalogue(ScriptedServer):
    """See the module's text."""

    PLACES = {
        "stac-api": "/stac/",
        "static-stac": "/static/catalog.json",
        "ogc-records": "/records/",
        "opensearch": "/opensearch.xml",
        "opensearch-json": "/opensearch-json.xml",
        "csw": "/csw",
        "opensearch-two-steps": "/opensearch-shelves.xml",
    }

    posts = True  # whether the STAC API takes searches by POST

    def address(self, kind: str) -> str:
        return self.base + self.PLACES[kind]

    def kind_of(self, method: str, target: str) -> str:
        path = target.partition("?")[0]
        for shape, kind in (
            (r"/(stac|records)/", "landing"),
            (r"/(stac|records)/collections", "data"),
            (r"/(stac|records)/collections/[^/]+/items/[^/]+", "item"),
            (r"/(stac/search|atom|json|records/collections/[^/]+/items)", "search"),
            (r"/static/.*", "static"),
            (r"/opensearch.*xml", "description"),
            (r"/csw", "search" if "GetRecords&" in target else "csw"),
        ):
            if re.fullmatch(shape, path):
                return kind
        return "other"

    def work(self, got: Received) -> Reply:
        path = got.path
        for start, answer in (
            ("/stac/", self._stac), ("/static/", self._static), ("/records/", self._records),
            ("/opensearch", self._description), ("/atom", self._atom), ("/json", self._json),
            ("/csw", self._csw),
        ):  # fmt: skip
            if path.startswith(start):
                return answer(got)
        return Reply(404, b"nothing here")

    # --- STAC API, OGC API – Records, static STAC ------------------------------------------

    def _stac(self, got: Received) -> Reply:
        base = f"{self.base}/stac"
        if got.path == "/stac/":
            links = [
                {"rel": "self", "href": f"{base}/"},
                {"rel": "data", "href": f"{base}/collections"},
                {"rel": "search", "href": f"{base}/search", "method": "GET"},
                {"rel": "search", "href": f"{base}/search", "method": "POST"},
            ]
            links = links if self.posts else links[:-1]
            classes = [f"{STAC}/core", f"{STAC}/item-search"]
            return _json({"type": "Catalog", "stac_version": "1.0.0", "id": "fake",
                          "title": "Fake scenes", "description": "d", "conformsTo": classes,
                          "links": links})  # fmt: skip
        if got.path == "/stac/collections":
            return _json({"collections": [{"id": "even", "title": "Even"}, {"id": "odd"}]})
        if got.path == "/stac/search":
            return self._stac_search(got)
        return self._one(got, "/stac/collections/")

    def _stac_search(self, got: Received) -> Reply:
        asked = json.loads(got.body) if got.method == "POST" else _of_query(got.query)
        start, _, end = str(asked.get("datetime", "")).partition("/")
        box = asked.get("bbox") or ()
        if shape := asked.get("intersects"):
            ring = shape["coordinates"][0]
            xs, ys = [p[0] for p in ring], [p[1] for p in ring]
            box = (min(xs), min(ys), max(xs), max(ys))
        wanted = Wanted(
            box=tuple(box), start=start.strip("."), end=end.strip("."),
            ids=tuple(asked.get("ids", ())), collections=tuple(asked.get("collections", ())),
        )  # fmt: skip
        found, offset, limit = wanted.scenes(), int(asked.get("token", 0)), int(asked["limit"])
        page = [self.item(one) for one in found[offset : offset + limit]]
        links = []
        if offset + limit < len(found):
            link: dict[str, Any] = {"rel": "next", "href": f"{self.base}/stac/search"}
            following = {"token": offset + limit}
            if got.method == "POST":
                link |= {"method": "POST", "body": following, "merge": True}
            else:
                link["href"] += "?" + urlencode({**got.query, **following}, quote_via=quote)
            links.append(link)
        return _json({"type": "FeatureCollection", "features": page, "links": links,
                      "numberMatched": len(found)})  # fmt: skip

    def item(self, one: Scene) -> dict[str, Any]:
        west, south, east, north = one.box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {
            "type": "Feature", "stac_version": "1.0.0", "id": one.id, "collection": one.collection,
            "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": list(one.box),
            "properties": {"title": one.title, "datetime": f"{one.day}T10:00:00Z",
                           "eo:cloud_cover": one.cloud},
            "links": [{"rel": "self", "href": f"./{one.id}.json"}],
            "assets": {"data": {"href": f"../files/{one.id}.tif", "type": "image/tiff"},
                       "bucket": {"href": f"s3://bucket/{one.id}.tif"}},
        }  # fmt: skip

    def _one(self, got: Received, start: str) -> Reply:
        identifier = got.path.rpartition("/")[2]
        found = next((one for one in SCENES if one.id == identifier), None)
        if found is None or not got.path.startswith(f"{start}{found.collection}/items/"):
            return Reply(404, b"{}")
        return _json(self.item(found) if "stac" in start else self._record(found))

    def _static(self, got: Received) -> Reply:
        name = got.path.removeprefix("/static/")
        if name == "catalog.json":
            links = [
                {"rel": "child", "href": f"./{one}/collection.json"} for one in ("even", "odd")
            ]
            return _json({"type": "Catalog", "stac_version": "1.1.0", "id": "static",
                          "title": "Static", "description": "d", "links": links})  # fmt: skip
        collection = name.partition("/")[0]
        if name.endswith("collection.json"):
            links = [
                {"rel": "item", "href": f"{one.id}.json"}
                for one in SCENES
                if one.collection == collection
            ] + [{"rel": "root", "href": "../catalog.json"}]
            return _json({"type": "Collection", "stac_version": "1.1.0", "id": collection,
                          "links": links})  # fmt: skip
        for one in SCENES:
            if name == f"{one.collection}/{one.id}.json":
                return _json(self.item(one))
        return Reply(404, b"{}")

    def _records(self, got: Received) -> Reply:
        base = f"{self.base}/records"
        if got.path == "/records/":
            links = [{"rel": "data", "href": f"{base}/collections"}]
            return _json({"title": "Fake records", "links": links})
        if got.path == "/records/collections":
            each = [{"id": one, "title": one, "itemType": "record"} for one in ("even", "odd")]
            return _json({"collections": [*each, {"id": "roads", "itemType": "feature"}]})
        if not got.path.endswith("/items"):
            return self._one(got, "/records/collections/")
        asked = got.query
        start, _, end = asked.get("datetime", "").partition("/")
        wanted = Wanted(
            words=asked.get("q", ""), box=_numbers(asked.get("bbox", "")), start=start.strip("."),
            end=end.strip("."), collections=(got.path.split("/")[3],),
        )  # fmt: skip
        found, offset, limit = wanted.scenes(), int(asked.get("offset", 0)), int(asked["limit"])
        links = []
        if offset + limit < len(found):
            following = urlencode({**asked, "offset": offset + limit}, quote_via=quote)
            links.append({"rel": "next", "href": f"{got.path}?{following}"})
        page = [self._record(one) for one in found[offset : offset + limit]]
        return _json({"type": "FeatureCollection", "features": page, "links": links,
                      "numberMatched": len(found)})  # fmt: skip

    def _record(self, one: Scene) -> dict[str, Any]:
        item = self.item(one)
        return {
            "type": "Feature", "id": one.id, "geometry": item["geometry"],
            "time": {"interval": [f"{one.day}T00:00:00Z", f"{one.day}T20:00:00Z"]},
            "properties": {"title": one.title, "eo:cloud_cover": one.cloud},
            "links": [{"rel": "enclosure", "href": f"/files/{one.id}.tif", "type": "image/tiff"}],
        }  # fmt: skip

    # --- OpenSearch ------------------------------------------------------------------------

    def _description(self, got: Received) -> Reply:
        """Of a catalogue in two steps: only collections can be searched, and in each by its own."""
        head = (
            '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"'
            ' xmlns:g="http://a9.com/-/opensearch/extensions/geo/1.0/"'
            ' xmlns:t="http://a9.com/-/opensearch/extensions/time/1.0/"'
            "><ShortName>Fake</ShortName><Description>Scenes</Description>"
        )
        if "shelves" in got.path:
            template = escape(f"{self.base}/atom-shelves?n={{count?}}")
            url = f'<Url type="application/atom+xml" rel="collection" template="{template}"/>'
            return Reply(200, f"{head}{url}</OpenSearchDescription>".encode())
        if "shelf-" in got.path:
            name = got.path.partition("shelf-")[2].removesuffix(".xml")
            template = escape(
                f"{self.base}/atom?p={name}&q={{searchTerms?}}&n={{count?}}&i={{startIndex?}}"
                "&b={g:box?}&s={t:start?}&e={t:end?}&u={g:uid?}"
            )
            url = f'<Url type="application/atom+xml" rel="results" template="{template}"/>'
            return Reply(200, f"{head}{url}</OpenSearchDescription>".encode())
        return self._whole_description(got)

    def _shelves(self) -> Reply:
        entries = "".join(
            f"<entry><id>{self.base}/{name}</id><title>{name}</title><dc:identifier>{name}"
            "</dc:identifier><updated>2026-01-01T00:00:00Z</updated>"
            '<link rel="search" type="application/opensearchdescription+xml"'
            f' href="{self.base}/opensearch-shelf-{name}.xml"/></entry>'
            for name in ("even", "odd")
        )
        head = "<id>urn:x</id><title>t</title><updated>2026-01-01T00:00:00Z</updated>"
        return Reply(200, f"<feed {ATOM}>{head}{entries}</feed>".encode())

    def _whole_description(self, got: Received) -> Reply:
        kind, path = ("application/geo+json", "json") if "json" in got.path else (
            "application/atom+xml", "atom")  # fmt: skip
        template = (
            f"{self.base}/{path}?q={{searchTerms?}}&n={{count?}}&i={{startIndex?}}&b={{g:box?}}"
            "&s={t:start?}&e={t:end?}&u={g:uid?}&p={e:parentIdentifier?}&c={e:cloudCover?}"
        )
        return Reply(200, f"""<?xml version="1.0"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"
  xmlns:g="http://a9.com/-/opensearch/extensions/geo/1.0/"
  xmlns:t="http://a9.com/-/spec/opensearch/extensions/time/1.0/"
  xmlns:e="http://a9.com/-/opensearch/extensions/eo/1.0/">
  <ShortName>Fake</ShortName><Description>Scenes</Description>
  <Url type="text/html" template="{self.base}/html?q={{searchTerms}}"/>
  <Url type="{kind}" rel="collection" template="{self.base}/nothing?q={{searchTerms?}}"/>
  <Url type="{kind}" rel="results" template="{escape(template)}"/>
</OpenSearchDescription>""".encode())  # fmt: skip

    def _opensearch(self, got: Received) -> tuple[list[Scene], int, int]:
        asked = got.query
        wanted = Wanted(
            words=asked.get("q", ""), box=_numbers(asked.get("b", "")), start=asked.get("s", ""),
            end=asked.get("e", ""), ids=_some(asked.get("u")), collections=_some(asked.get("p")),
            cloud=float(asked.get("c", "1000]").strip("]")),
        )  # fmt: skip
        found, index = wanted.scenes(), int(asked.get("i", 1))
        return found[index - 1 : index - 1 + int(asked.get("n", 20))], len(found), index

    def _atom(self, got: Received) -> Reply:
        if got.path == "/atom-shelves":
            return self._shelves()
        page, total, _index = self._opensearch(got)
        entries = "".join(
            f"<entry><id>{self.base}/{one.id}</id><title>{one.title}</title>"
            f"<updated>{one.day}T12:00:00Z</updated><dc:identifier>{one.id}</dc:identifier>"
            f"<dc:date>{one.day}T10:00:00Z/{one.day}T10:05:00Z</dc:date>"
            f"<eo:parentIdentifier>{one.collection}</eo:parentIdentifier>"
            f"<georss:box>{one.box[1]} {one.box[0]} {one.box[3]} {one.box[2]}</georss:box>"
            f'<link rel="enclosure" href="/files/{one.id}.tif" type="image/tiff" length="7"/>'
            '<summary type="html">&lt;b&gt;bold&lt;/b&gt; &lt;script&gt;x()&lt;/script&gt;'
            "</summary>"
            "</entry>"
            for one in page
        )
        return Reply(200, f"<feed {ATOM}><id>urn:x</id><title>t</title><updated>2026-01-01T00:00:00"
                     f"Z</updated><os:totalResults>{total}</os:totalResults>{entries}</feed>".encode(),
                     {"Content-Type": "text/xml"})  # fmt: skip

    def _json(self, got: Received) -> Reply:
        page, total, index = self._opensearch(got)
        features = [
            {"type": "Feature", "id": f"{self.base}/{one.id}",
             "geometry": self.item(one)["geometry"],
             "properties": {"title": one.title, "identifier": one.id, "updated": one.day,
                            "parentIdentifier": one.collection, "date": f"{one.day}T10:00:00Z",
                            "links": {"data": [{"href": f"{self.base}/files/{one.id}.tif"}]}}}
            for one in page
        ]  # fmt: skip
        links: dict[str, Any] = {}
        if index + len(page) <= total:
            following = urlencode({**got.query, "i": index + len(page)}, quote_via=quote)
            links["next"] = [{"href": f"{self.base}/json?{following}"}]
        about = {"title": "t", "totalResults": total, "links": links}
        return _json({"type": "FeatureCollection", "id": "urn:x", "features": features,
                      "properties": about})  # fmt: skip

    # --- CSW -------------------------------------------------------------------------------

    def _csw(self, got: Received) -> Reply:
        asked = got.query
        if asked.get("request") == "GetCapabilities":
            return Reply(
                200,
                f"""<csw:Capabilities version="2.0.2" {CSW}><ows:ServiceIdentification>
<ows:Title>Fake CSW</ows:Title></ows:ServiceIdentification></csw:Capabilities>""".encode(),
            )
        if asked.get("request") == "GetRecordById":
            inside = "".join(self.csw_record(one) for one in SCENES if one.id == asked["id"])
            root = f"<csw:GetRecordByIdResponse {CSW}>{inside}</csw:GetRecordByIdResponse>"
            return Reply(200, root.encode())
        if asked.get("request") != "GetRecords":
            report = (
                '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows">'
                '<ows:Exception exceptionCode="MissingParameterValue" locator="request"/>'
                "</ows:ExceptionReport>"
            )
            return Reply(400, report.encode())
        found = self._filtered(asked.get("constraint", ""))
        first, most = int(asked["startposition"]), int(asked["maxrecords"])
        page = found[first - 1 : first - 1 + most]
        following = first + len(page) if first + len(page) <= len(found) else 0
        inside = "".join(self.csw_record(one) for one in page)
        return Reply(
            200,
            f"""<csw:GetRecordsResponse {CSW}><csw:SearchResults
numberOfRecordsMatched="{len(found)}" numberOfRecordsReturned="{len(page)}"
nextRecord="{following}">{inside}</csw:SearchResults></csw:GetRecordsResponse>""".encode(),
        )

    def csw_record(self, one: Scene, *, with_names: bool = False) -> str:
        west, south, east, north = one.box
        return (
            f"<csw:Record {CSW if with_names else ''}><dc:identifier>{one.id}"
            f"</dc:identifier><dc:title>{one.title}</dc:title>"
            f"<dc:date>{one.day}</dc:date><dct:isPartOf>{one.collection}</dct:isPartOf>"
            f'<dct:references scheme="WWW:DOWNLOAD">{self.base}/files/{one.id}.tif</dct:references>'
            f'<dct:references scheme="OGC:WMS">{self.base}/wms</dct:references>'
            f'<ows:BoundingBox crs="urn:ogc:def:crs:EPSG::4326"><ows:LowerCorner>{south} {west}'
            f"</ows:LowerCorner><ows:UpperCorner>{north} {east}</ows:UpperCorner>"
            "</ows:BoundingBox></csw:Record>"
        )

    @staticmethod
    def _filtered(constraint: str) -> list[Scene]:
        if not constraint:
            return list(SCENES)
        root = etree.fromstring(constraint)
        literals = [e.text or "" for e in root.iter("{*}Literal")]
        likes = [one.strip("*") for one in literals if one.startswith("*")]
        corners = [e.text for e in root.iter("{*}lowerCorner", "{*}upperCorner")]
        wanted = Wanted(
            box=_numbers(" ".join(corners).replace(" ", ",")),
            ids=tuple(one for one in literals if not one.startswith("*")),
        )
        return [one for one in wanted.scenes() if all(w in one.title + one.id for w in likes)]


def _json(document: object) -> Reply:
    return Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})


def _of_query(query: dict[str, str]) -> dict[str, Any]:
    asked: dict[str, Any] = dict(query)
    if "bbox" in asked:
        asked["bbox"] = _numbers(asked["bbox"])
    if "intersects" in asked:
        asked["intersects"] = json.loads(asked["intersects"])
    for name in ("ids", "collections"):
        if name in asked:
            asked[name] = asked[name].split(",")
    return asked


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(one) for one in text.split(",") if one)


def _some(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()
