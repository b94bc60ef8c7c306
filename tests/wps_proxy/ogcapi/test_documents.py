"""Landing page, conformance, definition, processes and their descriptions (18-062r2 §7.2-7.9)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate
from pytest_django import DjangoAssertNumQueries

from providers.process import ComplexDomain, Format, InputDescription, LiteralDomain, Metadata
from tests.factories import ECHO, World, make_app, make_service
from tests.wps_proxy.conftest import ALL_KINDS
from tests.wps_proxy.ogcapi.conftest import OGC, Api, MakeApi
from tests.wps_proxy.ogcapi.schemas import valid
from wps_proxy.ogcapi.urls import _under

ECHO_OF_THE_PORTAL = "portal.echo"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"


def rels(response: Any) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in response.data["links"]}


def test_the_landing_page_leads_everywhere(api: Api) -> None:
    """§7.2 /req/core/landingpage-success."""
    links = rels(api.get())
    for rel in ("self", "alternate", "service-desc", "service-doc", f"{REL}conformance"):
        assert links[rel].startswith("http://testserver/ogcapi/")
    assert api.get(links[f"{REL}processes"]).status_code == 200
    assert api.get(links[f"{REL}job-list"]).status_code == 200
    assert links["processes"] == links[f"{REL}processes"]


def test_the_root_of_all_services_tells_anybody_what_it_is(api: Api) -> None:
    api.headers = {}
    for path in ("", "conformance", "api"):
        assert api.get(path).status_code == 200
    refused = api.get("processes")
    assert refused.status_code == 401
    assert refused.data["type"] == "about:blank"
    assert "Basic realm=" in refused.headers["WWW-Authenticate"]
    api.root = f"/ogcapi/providers/{api.world.provider.slug}/"
    assert api.get().status_code == 401


def test_conformance_is_what_is_there(api: Api) -> None:
    """§7.4 /req/core/conformance-success."""
    declared = api.get("conformance").data["conformsTo"]
    names = {one.rpartition("/")[2] for one in declared}
    assert names == {
        *("core", "ogc-process-description", "json", "html", "oas30"),
        *("job-list", "callback", "dismiss"),
    }


@pytest.mark.parametrize("root", ["/ogcapi/", "provider", "application"])
def test_the_definition_is_valid_and_of_this_very_door(
    make_api: MakeApi, world: World, root: str
) -> None:
    """§10 /req/oas30/oas-definition-1: OpenAPI 3.0; its paths are the addresses that there are."""
    roots = {
        "provider": f"/ogcapi/providers/{world.provider.slug}/",
        "application": f"/apps/{world.app.slug}/ogcapi/",
    }
    api = make_api(root=roots.get(root, root))
    response = api.get("api")
    assert response.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = json.loads(response.body)
    validate(document)
    assert document["openapi"].startswith("3.0")
    assert document["servers"] == [{"url": f"http://testserver{api.root.rstrip('/')}"}]
    named = {"identifier": "processID", "job_id": "jobID", "number": "number"}
    paths = set()
    for pattern in _under[:-1]:
        path = "/" + str(pattern.pattern)
        for kind, name in (("path", "identifier"), ("str", "job_id"), ("int", "number")):
            shown = "outputID" if "results/" in path and name == "identifier" else named[name]
            path = path.replace(f"<{kind}:{name}>", "{" + shown + "}")
        paths.add(path)
    assert set(document["paths"]) == paths


def test_processes_are_listed_page_by_page(
    api: Api, world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """§7.6 /req/core/pl-limit-response, §7.7; the number of queries does not grow with the page."""
    more = [make_service(world.provider, replace(ECHO, identifier=f"e{n}")) for n in range(4)]
    make_app(world.operator, tuple(more), group=world.group)
    assert len(api.get("processes").data["processes"]) == 6  # with the portal's own
    with django_assert_num_queries(2):  # the key, the page
        api.get("processes", limit=1)
    with django_assert_num_queries(2):
        api.get("processes", limit=6)

    address, seen = "processes?limit=2", []
    for _ in range(3):
        response = api.get(address)
        seen += [one["id"] for one in response.data["processes"]]
        address = rels(response).get("next", "")
    assert not address
    assert seen == sorted(seen)
    assert len(set(seen)) == 6
    assert "limit=2" in rels(response)["prev"]
    assert "next" not in rels(api.get("processes", limit=100000))


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "-1"), ("limit", "x"), ("offset", "x"), ("f", "xml")],
)
def test_a_wrong_parameter_is_named(api: Api, name: str, value: str) -> None:
    """§7.5 /req/core/query-param-invalid."""
    response = api.get("processes", **{name: value})
    assert response.status_code == 400
    assert response.data["type"] == f"{OGC}invalid-query-parameter-value"
    assert list(response.data["errors"]) == [name]


def test_a_summary_and_a_description_say_the_same(api: Api, world: World) -> None:
    """§7.8, §7.9 /req/core/process-success, /req/ogc-process-description/json-encoding."""
    summary = api.get("processes").data["processes"][0]
    assert summary["id"] == api.identifier
    described = api.get(f"processes/{quote(api.identifier, safe='')}").data
    own = {"links", "inputs", "outputs"}
    assert {k: v for k, v in described.items() if k not in own} == {
        k: v for k, v in summary.items() if k not in own
    }
    assert described["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]
    assert described["outputTransmission"] == ["value", "reference"]
    assert described["metadata"][0] == {"title": world.provider.name, "role": "provider"}
    assert summary["version"]


def test_inputs_and_outputs_are_schemas(api: Api) -> None:
    """§9.2 /req/ogc-process-description/input-def, output-def: each a valid schema.yaml, and each
    a JSON Schema that takes the values which the process takes and no others."""
    described = api.get(f"processes/{api.identifier}").data
    inputs, outputs = described["inputs"], described["outputs"]
    for one in (*inputs.values(), *outputs.values()):
        valid(one["schema"], "schema.yaml")
    assert inputs["depth"]["minOccurs"] == 0
    assert inputs["parcels"]["maxOccurs"] == 2
    assert inputs["note"]["maxOccurs"] == "unbounded"
    assert inputs["depth"]["metadata"] == [
        {"title": "m", "role": "uom"},
        {"title": "%", "role": "uom"},
    ]
    assert inputs["depth"]["schema"]["default"] == 5.0

    def takes(name: str, *values: Any) -> list[bool]:
        schema = OAS30Validator(inputs[name]["schema"])
        return [bool(schema.is_valid(value)) for value in values]

    assert takes("depth", 100, 100.5, "5") == [True, False, False]
    assert takes("mode", "fast", "slow") == [True, False]
    assert takes("parcels", {"type": "Point"}, "<a/>", 5) == [True, True, False]
    box = {"bbox": [1, 2, 3, 4]}
    assert takes("area", box, {"bbox": [1, 2, 3]}, {**box, "crs": "x"}) == [True, False, False]
    assert inputs["area"]["schema"]["allOf"][0] == {"format": "ogc-bbox"}
    assert outputs["change"]["schema"] == {
        "type": "string",
        "contentMediaType": "image/tiff",
        "contentEncoding": "base64",
        "format": "byte",
    }


def test_what_a_provider_says_of_json_is_passed_on_without_its_addresses(
    api: Api, world: World
) -> None:
    """§9.2.1.3: the words of schema.yaml; nothing that leads to the provider."""
    own = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "http://127.0.0.1/schemas/parcel",
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"const": "Point", "type": "string"},
            "size": {"type": "number", "exclusiveMinimum": 0},
            "geometry": {"$ref": "http://127.0.0.1/schemas/geometry"},
            "any": {"type": ["string", "null"]},
        },
    }
    domain = ComplexDomain((Format("application/json"),), None, json.dumps(own))
    process = replace(
        ECHO,
        identifier="own",
        keywords=("a", "b"),
        metadata=(Metadata("Handbook", "https://docs.example.org/"),),
        inputs=(
            InputDescription("o", domain, min_occurs=0, keywords=("k",)),
            InputDescription("l", LiteralDomain(values_reference="https://v.example.org/l")),
        ),
    )
    make_app(world.operator, (make_service(world.provider, process),), group=world.group)
    described = api.get(f"processes/{world.provider.slug}.own").data
    schema = described["inputs"]["o"]["schema"]
    valid(schema, "schema.yaml")
    assert schema["properties"] == {
        "type": {"type": "string"},
        "size": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "geometry": {},
        "any": {},
    }
    assert described["keywords"] == ["a", "b"]
    assert {"title": "Handbook", "href": "https://docs.example.org/"} in described["metadata"]
    assert described["inputs"]["o"]["keywords"] == ["k"]
    assert described["inputs"]["l"]["metadata"] == [
        {"href": "https://v.example.org/l", "role": "values"}
    ]


def test_identifiers_of_any_kind_are_one_part_of_the_path(api: Api, world: World) -> None:
    """wps-proxy §7: slashes, spaces, colons, what looks like another address."""
    names = ("a/b", "a//b", "x y:z", "urn:exa:wps::ö", "a/execution", "%2F", "a?b#c", "jobs", "a.b")
    services = [make_service(world.provider, replace(ECHO, identifier=one)) for one in names]
    make_app(world.operator, tuple(services), group=world.group)
    api.root = f"/ogcapi/providers/{world.provider.slug}/"
    listed = {one["id"]: one for one in api.get("processes", limit=50).data["processes"]}
    assert set(listed) == {*names, "eo:all.kinds"}
    for name in names:
        address = listed[name]["links"][0]["href"]
        assert address == f"http://testserver{api.root}processes/{quote(name, safe='')}"
        assert api.get(f"processes/{quote(name, safe='')}").data["id"] == name
        assert api.run({"message": "x"}, process=name, query="?quotation=true").status_code == 200


def test_documents_that_one_has_already_are_not_sent_again(api: Api, world: World) -> None:
    """RFC 9110 §13: If-None-Match; the tag differs where the document does."""
    for path in ("processes", f"processes/{api.identifier}", ""):
        etag = api.get(path).headers["ETag"]
        again = api.get(path, headers={"If-None-Match": etag})
        assert again.status_code == 304
        assert again.body == b""
        assert again.headers["ETag"] == etag
        assert "Authorization" in again.headers["Vary"]
    service = make_service(world.provider, replace(ECHO, identifier="new"))
    make_app(world.operator, (service,), group=world.group)
    before = api.get("processes").headers["ETag"]
    service.enabled = False
    service.save()
    assert api.get("processes", headers={"If-None-Match": before}).status_code == 200


def test_each_root_has_its_own_choice(make_api: MakeApi, world: World) -> None:
    """Under a provider its own identifiers; under an application what it selects, for its users."""
    other = make_service(world.provider, replace(ECHO, identifier="other"))
    app = make_app(world.operator, (other,), group=world.group)

    def listed(root: str) -> list[str]:
        response = make_api(root=root).get("processes")
        return [one["id"] for one in response.data["processes"]]

    slug = world.provider.slug
    assert listed("/ogcapi/") == [f"{slug}.eo:all.kinds", f"{slug}.other", ECHO_OF_THE_PORTAL]
    assert listed(f"/ogcapi/providers/{slug}/") == ["eo:all.kinds", "other"]
    assert listed(f"/apps/{app.slug}/ogcapi/") == [f"{slug}.other"]
    stranger = make_api(world.stranger, f"/apps/{app.slug}/ogcapi/")
    for path in ("", "conformance", "api", "processes", f"processes/{slug}.other", "jobs"):
        assert stranger.get(path).status_code == 404
    stranger.root = f"/ogcapi/providers/{slug}/"
    assert stranger.get("processes").status_code == 404
    stranger.root = "/ogcapi/"
    assert [one["id"] for one in stranger.get("processes").data["processes"]] == [
        ECHO_OF_THE_PORTAL
    ]
    assert ALL_KINDS.identifier in listed(f"/apps/{world.app.slug}/ogcapi/")[0]


def test_a_root_without_its_slash_is_found(api: Api, world: World) -> None:
    for path in ("/ogcapi", f"/ogcapi/providers/{world.provider.slug}"):
        response = api.client.get(path, headers=api.headers)
        assert (response.status_code, response.headers["Location"]) == (301, f"{path}/")
