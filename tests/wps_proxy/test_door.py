"""GetCapabilities and DescribeProcess through the door, and what it refuses before anything runs.

"CITE" marks what the OGC's test suite for WPS 1.0.0 asks for.
"""

from __future__ import annotations

import pytest
from django.test import Client

from jobs.models import Job
from people.services import revoke_api_key
from tests.factories import ECHO, World, make_app, make_provider, make_service
from tests.wps_proxy.conftest import Door, MakeDoor, refusal, texts
from tests.wps_proxy.schemas import valid

CAPS = {"service": "WPS", "request": "GetCapabilities"}
DESCRIBE = {"service": "WPS", "request": "DescribeProcess", "version": "1.0.0"}
OWN = "portal.echo"  # the portal's own process, which is everybody's
OPEN = (
    '<wps:{0} xmlns:wps="http://www.opengis.net/wps/1.0.0"'
    ' xmlns:ows="http://www.opengis.net/ows/1.1" service="WPS" {1}>'
)


def identifiers(response: object) -> list[str]:
    root = response.xml  # type: ignore[attr-defined]
    found = [
        e for e in root.iter() if e.tag.rpartition("}")[2] in ("Process", "ProcessDescription")
    ]
    return [process[0].text for process in found]


def test_the_list_has_what_the_user_may_use_by_the_identifiers_of_the_address(
    world: World, make_door: MakeDoor
) -> None:
    other = make_provider(world.provider_owner, slug="another")
    shared = make_service(other, ECHO)
    make_service(other, ECHO.__class__("secret", outputs=ECHO.outputs))  # in no application
    make_service(world.provider, ECHO, enabled=False)
    make_app(world.operator, (shared,))
    slug = world.provider.slug
    all_of_them = sorted(["another.echo", f"{slug}.eo:all.kinds", OWN])
    assert identifiers(make_door().get(**CAPS)) == all_of_them
    assert identifiers(make_door(world.stranger).get(**CAPS)) == ["another.echo", OWN]
    assert identifiers(make_door(path=f"/wps/{slug}").get(**CAPS)) == ["eo:all.kinds"]
    capabilities = make_door().get(**CAPS)
    links = {e.get("{http://www.w3.org/1999/xlink}href") for e in capabilities.xml.iter()} - {None}
    assert links == {"http://testserver/wps?", "http://testserver/wps"}
    unseen = make_door(world.stranger, path=f"/wps/{slug}").get(**CAPS)
    unknown = make_door(path="/wps/nobody").get(**CAPS)
    assert unseen.status_code == unknown.status_code == 404
    assert unseen.body == unknown.body


def test_an_empty_list_cannot_be_written_and_is_a_refusal(
    world: World, make_door: MakeDoor
) -> None:
    """Nobody's list is empty but that of an application without services."""
    assert identifiers(make_door(world.stranger).get(**CAPS)) == [OWN]
    bare = make_app(world.operator, ())
    response = make_door(world.stranger, path=f"/apps/{bare.slug}/wps").get(**CAPS)
    assert refusal(response) == (403, "NoApplicableCode", "")
    assert "service" in response.body.decode()


def test_descriptions_hold_everything_that_a_client_must_know(door: Door, world: World) -> None:
    response = door.get(**DESCRIBE, identifier=door.identifier)
    root = response.xml
    process = root[0]
    assert (process.get("storeSupported"), process.get("statusSupported")) == ("true", "true")
    assert process[0].text == f"{world.provider.slug}.eo:all.kinds"
    depth, mode, area, parcels, note = root.iterfind(".//Input")
    assert [e.text for e in depth.iterfind(".//Default/*")] == ["m"]
    assert depth.findtext(".//DefaultValue") == "5"
    ows = "{http://www.opengis.net/ows/1.1}"
    assert depth.findtext(f".//{ows}MaximumValue") == "100"
    assert [e.text for e in mode.iter(f"{ows}Value")] == ["fast", "exact"]
    assert area.findtext(".//Default/CRS") == "urn:ogc:def:crs:EPSG::4326"
    assert [e.text for e in parcels.iterfind(".//Supported//MimeType")] == [
        "application/geo+json",
        "text/xml",
    ]
    assert (parcels.get("minOccurs"), parcels.get("maxOccurs")) == ("0", "2")
    assert note.get("maxOccurs") == "1000"  # the schema knows no "unbounded"
    own = door.get(f"/wps/{world.provider.slug}", **DESCRIBE, identifier="eo:all.kinds")
    assert own.xml[0][0].text == "eo:all.kinds"
    assert identifiers(door.get(**DESCRIBE, identifier="ALL")) == [door.identifier, OWN]
    both = door.get(**DESCRIBE, identifier=f"{door.identifier},nobody.nothing")
    assert refusal(both) == (400, "InvalidParameterValue", "identifier")


def test_unknown_and_invisible_processes_look_alike(world: World, make_door: MakeDoor) -> None:
    make_app(world.operator, (make_service(make_provider(world.operator), ECHO),))
    door = make_door(world.stranger)
    for identifier in (f"{world.provider.slug}.eo:all.kinds", "no.such", "nodot", "x" * 3000):
        for query in (DESCRIBE, {**DESCRIBE, "request": "Execute"}):
            response = door.get(**{**query, "identifier": identifier})
            assert refusal(response) == (400, "InvalidParameterValue", "identifier")
    assert not Job.objects.exists()


def test_a_process_without_outputs_has_no_description(world: World, door: Door) -> None:
    bare = make_service(world.provider, ECHO.__class__("bare"))
    world.app.services.add(bare)
    assert len(identifiers(door.get(**CAPS))) == 3
    assert identifiers(door.get(**DESCRIBE, identifier="ALL")) == [door.identifier, OWN]
    response = door.get(**DESCRIBE, identifier=f"{world.provider.slug}.bare")
    assert refusal(response) == (400, "InvalidParameterValue", "identifier")


def test_documents_are_not_sent_twice(door: Door, world: World) -> None:
    for query in (CAPS, {**DESCRIBE, "identifier": "ALL"}):
        first = door.get(**query)
        etag = first.headers["ETag"]
        again = door.get(**query, headers={"If-None-Match": etag})
        assert (again.status_code, again.body) == (304, b"")
        world.service.title = f"New {query['request']}"
        world.service.save()
        world.service.current.document["title"] = world.service.title
        world.service.current.fingerprint = f"{query['request']:0<64}"  # as every other description
        world.service.current.save()
        changed = door.get(**query, headers={"If-None-Match": etag})
        assert changed.status_code == 200
        assert changed.headers["ETag"] != etag
        assert "private" in changed.headers["Cache-Control"]


# --- CITE: ets-wps10 -------------------------------------------------------------------------


def test_cite_key_value_pairs_by_post_without_a_body_are_refused(door: Door) -> None:
    """A.4.1: 4xx or 5xx with a report."""
    for query in (CAPS, {**DESCRIBE, "identifier": door.identifier}):
        path = "/wps?" + "&".join(f"{k}={v}" for k, v in query.items())
        response = door.post(b"", path=path)
        assert refusal(response) == (400, "MissingParameterValue", "request")


def test_cite_names_in_mixed_case_and_any_accept_formats(door: Door) -> None:
    """A.4.2: names of parameters are case-insensitive; AcceptFormats never spoils an answer."""
    expected = door.get(**CAPS).body
    assert door.get(SeRvIcE="wps", rEQUEST="GetCapabilities").body == expected
    for wanted in ("text/xml", "image/strange"):
        assert door.get(**CAPS, AcceptFormats=wanted).body == expected


def test_cite_version_negotiation(door: Door) -> None:
    """A.4.2: the default is the highest listed version; others are refused without a locator."""
    default = door.get(**CAPS)
    assert texts(default.xml, "ServiceTypeVersion") == ["1.0.0"]
    assert default.xml.get("version") == "1.0.0"
    assert door.get(**CAPS, AcceptVersions="3.0.0,1.0.0").body == default.body
    for wrong in ("3.0.0", "0.0.1"):
        response = door.get(**CAPS, AcceptVersions=wrong)
        assert refusal(response) == (400, "VersionNegotiationFailed", "")
        assert "locator" not in response.xml[0].attrib
    accepted = "<wps:AcceptVersions><ows:Version>1.0.0</ows:Version></wps:AcceptVersions>"
    posted = door.post(OPEN.format("GetCapabilities", "") + accepted + "</wps:GetCapabilities>")
    assert posted.body == default.body


def test_cite_every_listed_language_works_and_is_told(door: Door) -> None:
    """A.4.2 and A.4.3."""
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    languages = set(texts(door.get(**CAPS).xml, "Language"))
    assert languages
    for language in languages:
        assert door.get(**CAPS, language=language).xml.get(lang) == language
        described = door.get(**DESCRIBE, identifier="ALL", language=language)
        assert described.xml.get(lang) == language
        posted = door.post(
            OPEN.format("DescribeProcess", f'version="1.0.0" language="{language}"')
            + "<ows:Identifier>ALL</ows:Identifier></wps:DescribeProcess>"
        )
        assert posted.body == described.body
    response = door.get(**CAPS, language="tlh")
    assert refusal(response) == (400, "InvalidParameterValue", "language")


def test_cite_wrong_service_and_unknown_identifier_by_post(door: Door) -> None:
    """A.4.1 and A.4.2."""
    wrong = OPEN.format("GetCapabilities", "").replace('"WPS"', '"WFS"') + "</wps:GetCapabilities>"
    assert refusal(door.post(wrong)) == (400, "InvalidParameterValue", "service")
    unknown = (
        OPEN.format("DescribeProcess", 'version="1.0.0"')
        + "<ows:Identifier>no.such</ows:Identifier></wps:DescribeProcess>"
    )
    assert refusal(door.post(unknown)) == (400, "InvalidParameterValue", "identifier")
    assert refusal(door.get(service="WFS", request="GetCapabilities"))[2] == "service"
    response = door.get(service="WPS", request="GetMap")
    assert refusal(response) == (501, "OperationNotSupported", "GetMap")


# --- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"not xml",
        b"<open>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        b"<a>" * 100 + b"</a>" * 100,
        b"a=b&service=WPS",
    ],
)
@pytest.mark.parametrize("kind", ["text/xml", "application/x-www-form-urlencoded", "x/y"])
def test_what_is_no_safe_xml_is_refused(door: Door, body: bytes, kind: str) -> None:
    assert refusal(door.post(body, content_type=kind)) == (400, "NoApplicableCode", "")


def test_more_than_ten_mebibytes_are_refused_before_they_are_read(door: Door) -> None:
    response = door.post(b"<a>" + b" " * (10 * 2**20) + b"</a>")
    assert refusal(response) == (413, "FileSizeExceeded", "")


def test_other_methods_are_not_allowed(door: Door) -> None:
    for method in ("put", "delete", "patch", "options"):
        response = getattr(door.client, method)("/wps", headers=door.headers)
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")
        assert valid(response.content).tag.endswith("ExceptionReport")
    head = door.client.head("/wps", CAPS, headers=door.headers)
    assert (head.status_code, head.content) == (200, b"")


def test_an_address_with_a_slash_is_the_same_and_any_other_is_refused(
    door: Door, world: World
) -> None:
    """A client gets an exception report for every address below, never a page."""
    for path in ("/wps", f"/wps/{world.provider.slug}", "/wps/2.0"):
        plain, slash = (door.get(f"{path}{end}", **CAPS) for end in ("", "/"))
        assert (plain.status_code, slash.body) == (200, plain.body)
    for path in ("/wps/a/b", "/wps/jobs/x/status.xml", "/wps/2.0/a/b", "/apps/a/wps/b"):
        answers = (door.get(path, **CAPS), door.post("<a/>", path=path))
        assert [one.status_code for one in answers] == [404, 404]
        names = "ows/2.0" if "/2.0/" in path else "ows/1.1"
        assert {one.xml.tag for one in answers} == {
            f"{{http://www.opengis.net/{names}}}ExceptionReport"
        }


# --- who calls -------------------------------------------------------------------------------


def test_anonymous_requests_get_a_challenge_and_a_report(world: World, door: Door) -> None:
    door.headers = {}
    some_job = "00000000-0000-4000-8000-000000000000"
    for path in (
        "/wps",
        f"/wps/{world.provider.slug}",
        "/wps/unknown",
        f"/wps/jobs/{some_job}/status.xml",
        f"/wps/jobs/{some_job}/outputs/1",
    ):
        response = door.get(path, **CAPS)
        assert refusal(response) == (401, "NoApplicableCode", "Authentication")
        assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert door.post(b"<not even xml").status_code == 401


def test_wrong_and_revoked_keys_are_refused(world: World, make_door: MakeDoor) -> None:
    door = make_door()
    good = door.headers["Authorization"]
    for wrong in (f"Bearer {door.key}x", "Basic !!", good[:-8], "Bearer"):
        door.headers = {"Authorization": wrong}
        assert refusal(door.get(**CAPS)) == (401, "NoApplicableCode", "Authentication")
    door.headers = {"Authorization": f"Bearer {door.key}"}
    assert door.get(**CAPS).status_code == 200
    revoke_api_key(user=world.researcher, key_id=world.researcher.api_keys.get().pk)
    assert door.get(**CAPS).status_code == 401


def test_scopes(make_door: MakeDoor) -> None:
    reader = make_door(scopes=("read",))
    assert reader.get(**CAPS).status_code == 200
    assert refusal(reader.execute()) == (403, "NoApplicableCode", "")
    nothing = make_door(scopes=("usage",))
    assert refusal(nothing.get(**CAPS)) == (403, "NoApplicableCode", "")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("headers", "runs"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://testserver"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_session_runs_something_only_for_the_portals_own_pages(
    world: World, door: Door, headers: dict[str, str], runs: bool, method: str
) -> None:
    door.client = Client(enforce_csrf_checks=True)
    door.client.force_login(world.researcher)
    door.headers = {}
    asynchronous = {"storeExecuteResponse": "true", "status": "true"}
    if method == "get":
        response = door.execute(headers=headers, **asynchronous)  # type: ignore[arg-type]
    else:
        response = door.post(
            OPEN.format("Execute", 'version="1.0.0"')
            + f"<ows:Identifier>{door.identifier}</ows:Identifier><wps:DataInputs><wps:Input>"
            "<ows:Identifier>mode</ows:Identifier><wps:Data><wps:LiteralData>fast"
            "</wps:LiteralData></wps:Data></wps:Input></wps:DataInputs><wps:ResponseForm>"
            '<wps:ResponseDocument storeExecuteResponse="true" status="true"/></wps:ResponseForm>'
            "</wps:Execute>",
            headers=headers,
        )
    runs = runs and method == "post"  # a link that somebody sends is followed by GET
    assert response.status_code == (200 if runs else 403)
    assert Job.objects.exists() is runs
    assert door.get(**CAPS, headers=headers).status_code == 200
