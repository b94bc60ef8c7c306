"""The web-accessible folder, OpenSearch, the sitemap and what pages say to machines."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from catalogue_client.opensearch.query import PARAMETERS
from catalogue_client.services import publish, put_collection, put_item
from tests.catalogue_client.schemas import PYCSW, iso_valid
from tests.catalogue_client.world import People, record, scene

pytestmark = pytest.mark.django_db
OS = "{http://a9.com/-/spec/opensearch/1.1/}"


def fill(number: int) -> None:
    collection = put_collection(document={"id": "scenes", "title": "Scenes </script>"})
    for n in range(number):
        more = {"platform": "Sentinel-2A" if n % 2 else "x", "eo:cloud_cover": 10 * n}
        day = f"2025-07-{n + 1:02d}T10:00:00Z"
        document = scene(f"s{n}", west=float(n), title=f"<b>&{n}", datetime=day, **more)
        put_item(collection=collection, document=document)


def test_the_folder_has_a_page_for_a_thousand_and_files_that_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catalogue_client.waf.MOST_LINKS", 2)
    fill(5)
    client = Client()

    def links(address: str) -> list[str]:
        answer = client.get(address)
        assert answer.status_code == 200
        again = client.get(address, headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
        return re.findall(r'href="([^"]+)"', answer.content.decode())

    assert links("/waf/") == ["/waf/scenes/"]
    assert links("/waf//scenes") == [
        "/waf/scenes/2/",
        "/waf/scenes/3/",
        "/waf/scenes/s0.xml",
        "/waf/scenes/s1.xml",
    ]
    assert links("/waf/scenes/3/") == ["/waf/scenes/s4.xml"]
    assert client.get("/waf/scenes/4/").status_code == 404
    assert client.get("/waf/nothing/").status_code == 404
    answer = client.get("/waf//scenes//s0.xml")
    iso_valid(etree.fromstring(answer.content))
    again = client.get("/waf/scenes/s0.xml", headers={"If-Modified-Since": answer["Last-Modified"]})
    assert again.status_code == 304


def test_the_description_leads_to_feeds_that_answer_every_parameter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feedparser = pytest.importorskip("feedparser")
    fill(5)
    publish(record=record(People().owner, visibility="public"))
    client = Client()
    root = etree.fromstring(client.get("/opensearch/description.xml").content)
    assert len(root.findtext(f"{OS}ShortName")) <= 16
    templates = {u.get("type"): u.get("template") for u in root.iter(f"{OS}Url")}
    atom = templates["application/atom+xml"]

    def found(**values: str) -> list[str]:
        by_name = {PARAMETERS[name]: value for name, value in values.items()}
        address = re.sub(
            r"([A-Za-z]+)=\{([A-Za-z:]+)\?\}",
            lambda m: urlencode({m[1]: by_name.get(m[2], "")}),
            atom,
        )
        feed = feedparser.parse(client.get(address).content)
        assert not feed.bozo, feed.bozo_exception
        return [entry.dc_identifier.rpartition(":")[2] for entry in feed.entries]

    every = ["s4", "s3", "s2", "s1", "s0"]
    assert found(parentIdentifier="scenes") == every
    assert found(q="&3") == ["s3"]
    assert found(bbox="2.5,39,2.6,42") == ["s2"]
    assert found(start="2025-07-02", end="2025-07-03") == ["s2", "s1"]
    assert found(uid="testserver:scenes:s1") == ["s1"]
    assert found(platform="sentinel-2a") == ["s3", "s1"]
    assert found(cloudCover="[10,30[") == ["s2", "s1"]
    assert found(cloudCover="20") == ["s2"]
    assert found(cloudCover="10]") == ["s1", "s0"]
    assert found(cloudCover="[30") == ["s4", "s3"]
    assert found(modified="[2020-01-01,2100-01-01]", parentIdentifier="scenes") == every
    assert found(modified="2020") == []
    assert found(parentIdentifier="scenes", count="2", startPage="2") == ["s2", "s1"]
    assert found(count="0") == []
    # Pages are as long as they are answered, however long they were asked to be.
    monkeypatch.setattr("catalogue_client.opensearch.query.MOST_COUNT", 2)
    assert found(parentIdentifier="scenes", count="4", startPage="2") == ["s2", "s1"]


def test_pages_of_the_feed_are_followed_to_the_end() -> None:
    feedparser = pytest.importorskip("feedparser")
    fill(5)
    client, address, seen = Client(), "/opensearch/search.atom?count=2", []
    while address:
        feed = feedparser.parse(client.get(address).content)
        seen += [entry.title for entry in feed.entries]
        assert feed.feed.os_totalresults == "5"
        address = next((link.href for link in feed.feed.links if link.rel == "next"), "")
    assert len(seen) == len(set(seen)) == 5
    assert {link.rel for link in feed.entries[0].links} >= {"enclosure", "icon", "alternate", "via"}
    document = client.get("/opensearch/search.geojson?count=2&startIndex=3").json()
    assert [f["properties"]["date"][:10] for f in document["features"]] == [
        "2025-07-03",
        "2025-07-02",
    ]
    assert "startIndex=5" in document["properties"]["links"]["next"][0]["href"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(list(PARAMETERS)),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["1", "0", "[1,2]", "1,2,3,4", "2025", "9999-12-31", "nan,1,2,3"]),
        ),
    ),
    st.sampled_from(["atom", "geojson"]),
)
def test_any_query_is_answered_or_refused(query: dict[str, str], form: str) -> None:
    answer = Client().get(f"/opensearch/search.{form}", query)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200 and form == "atom":
        etree.fromstring(answer.content)


def test_public_pages_say_to_machines_what_they_are(django_assert_num_queries: Any) -> None:
    people = People()
    fill(3)
    private = publish(record=record(people.owner))
    public = publish(record=record(people.owner, visibility="public"))
    client = Client()
    for address, name in (
        ("/catalogue/scenes/", "Scenes </script>"),
        ("/catalogue/scenes/s1/", "<b>&1"),
        (f"/catalogue/results/{public.identifier}/", public.title),
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        text = answer.content.decode()
        found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.S)
        assert found, address
        data = json.loads(found[1])
        assert (data["@type"], data["name"]) == ("Dataset", name)
        assert 50 <= len(data["description"]) <= 5000
        assert data["spatialCoverage"]["geo"]["box"].count(" ") == 3
        assert 'rel="alternate"' in text
        assert 'rel="search"' in text
        assert str(people.owner.username) not in text
    with django_assert_num_queries(6):
        client.get("/catalogue/scenes/")
    for hidden in (f"/catalogue/results/{private.identifier}/", "/catalogue/nothing/"):
        answer = client.get(hidden)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (
            302,
            "/accounts/login/",
        )
    sitemap = client.get("/sitemap.xml")
    addresses = re.findall(r"<loc>http://testserver(.*?)</loc>", sitemap.content.decode())
    assert {client.get(address).status_code for address in addresses} == {200}
    assert f"/catalogue/results/{private.identifier}/" not in addresses
    assert len(addresses) == 2 + 4
    robots = client.get("/robots.txt").content.decode()
    assert "Sitemap: http://testserver/sitemap.xml" in robots


def test_a_large_catalogue_has_an_index_of_sitemaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.pages.found.MOST_ADDRESSES", 2)
    fill(3)
    client = Client()
    index = client.get("/sitemap.xml").content.decode()
    parts = re.findall(r"<loc>http://testserver(.*?)</loc>", index)
    assert parts == ["/sitemap-1.xml", "/sitemap-2.xml"]
    listed = [client.get(part).content.decode().count("<url>") for part in parts]
    assert listed == [3, 1]
    assert client.get("/sitemap-3.xml").status_code == 404


HARVEST = """
import logging, sys
from pycsw.core import admin
from pycsw import server
from urllib.parse import urlencode
base, folder = sys.argv[1:]
database = f"sqlite:///{folder}/c.db"
admin.setup_db(database, "records", folder, create_plpythonu_functions=False)
config = {
    "server": {"home": folder, "url": "http://localhost/", "mimetype": "application/xml",
               "encoding": "UTF-8", "language": "en-US", "maxrecords": "100", "profiles": "apiso"},
    "manager": {"transactions": "true", "allowed_ips": "127.0.0.1", "csw_harvest_pagesize": "100"},
    "metadata:main": {"identification_title": "t"}, "metadata:inspire": {"enabled": "false"},
    "repository": {"database": database, "table": "records"},
}
for turn in range(2):
    query = urlencode({"service": "CSW", "version": "2.0.2", "request": "Harvest",
                       "source": base + "/waf/scenes/", "resourcetype": "urn:geoss:waf"})
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
               "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SCRIPT_NAME": "/",
               "wsgi.url_scheme": "http", "PATH_INFO": "/"}
    print(server.Csw(config, environ).dispatch_wsgi()[1].decode())
"""


@pytest.mark.django_db(transaction=True)
def test_pycsw_harvests_the_folder_twice(live_server: Any, tmp_path: Path) -> None:
    python = PYCSW / "bin" / "python"
    if not python.exists():
        pytest.skip("TEST_PYCSW names no environment with pycsw 2.6.2")
    fill(4)
    done = subprocess.run(
        [str(python), "-c", HARVEST, live_server.url, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "no_proxy": "*"},
    )  # fmt: skip
    told = re.findall(r"<csw:totalUpdated>(\d+)<", done.stdout)
    assert told == ["0", "4"], done.stdout + done.stderr
    assert done.stdout.count("<csw:BriefRecord>") == 4  # only what is new is told
