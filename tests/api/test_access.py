"""Who may call: keys with scopes, sessions with CSRF tokens; keys, groups and the documentation."""

import json
from collections.abc import Iterator
from datetime import timedelta

import jsonschema
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from rest_framework.test import APIClient

from common.clock import now
from people.models import ApiKey, Membership
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


def test_nobody_is_challenged(client):
    answer = client.get("/api/")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"
    assert "Bearer" in answer["WWW-Authenticate"]
    assert "Basic" in answer["WWW-Authenticate"]
    wrong = client.get("/api/", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status_code == 401


def test_the_root_leads_everywhere(world, api):
    client = api(world.operator)
    for name, address in client.get("/api/").json().items():
        if name not in ("quotes", "docs", "schema"):
            assert client.get(address).status_code == 200, name


@pytest.mark.parametrize("scope", ["read", "run", "manage", "usage"])
def test_a_key_does_what_its_scopes_say(world, api, run, scope):
    client = api(world.admin, scope)
    statuses = {
        "read": client.get("/api/jobs/").status_code,
        "run": client.post("/api/quotes/", run()).status_code,
        "manage": client.post("/api/groups/", {"name": "Alps"}).status_code,
        "usage": client.post("/api/usage-records/", "x", content_type="text/plain").status_code,
    }
    refused = {name for name, status in statuses.items() if status == 403}
    # The administrator of a group is no provider: with the scope, usage is refused as well.
    assert refused | {"usage"} == {"read", "run", "manage", "usage"} - {scope} | {"usage"}


def test_sessions_have_every_scope_and_need_a_csrf_token(world, run):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.researcher)
    assert browser.get("/api/jobs/").status_code == 200
    body = json.dumps(run())
    refused = browser.post("/api/jobs/", body, content_type="application/json")
    assert refused.status_code == 403
    browser.get("/accounts/password/change/")
    token = browser.cookies["csrftoken"].value
    accepted = browser.post(
        "/api/jobs/", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert accepted.status_code == 201


def test_basic_works_and_guessing_is_limited(world):
    client = APIClient()
    client.login(username="nobody", password="wrong")
    good = {"HTTP_AUTHORIZATION": basic(world.researcher.username, PASSWORD)}
    assert client.get("/api/", **good).status_code == 200
    bad = {"HTTP_AUTHORIZATION": basic(world.researcher.username, "guess")}
    statuses = [client.get("/api/", **bad).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


def basic(name, password):
    import base64

    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_keys_are_made_shown_once_listed_and_revoked(world, api):
    client = api(world.researcher)
    answer = client.post("/api/api-keys/", {"name": "cron", "scopes": ["read"]})
    assert answer.status_code == 201
    made = answer.json()
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {made['key']}")
    assert program.get("/api/jobs/").status_code == 200
    listed = client.get("/api/api-keys/")
    assert made["key"].split(".")[1] not in listed.content.decode()
    assert made["id"] in [key["id"] for key in listed.json()["results"]]
    assert api(world.stranger).delete(f"/api/api-keys/{made['id']}/").status_code == 404
    assert client.delete(f"/api/api-keys/{made['id']}/").status_code == 204
    assert program.get("/api/jobs/").status_code == 401
    for wrong in (
        {"name": "", "scopes": ["read"]},
        {"name": "n", "scopes": []},
        {"name": "n", "scopes": ["root"]},
        {"name": "n", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"},
    ):
        assert client.post("/api/api-keys/", wrong).status_code == 400


def test_a_key_cannot_make_a_stronger_one(world, api):
    weak = api(world.researcher, "manage", "read")
    before = ApiKey.objects.count()
    body = {"name": "n", "scopes": ["run"]}
    assert weak.post("/api/api-keys/", body).status_code == 403
    assert ApiKey.objects.count() == before
    assert weak.post("/api/api-keys/", {**body, "scopes": ["read"]}).status_code == 201


def test_a_key_cannot_make_one_that_outlives_it(world, api):
    short = api(world.researcher, "manage", "read")
    end = now() + timedelta(days=1)
    ApiKey.objects.update(expires_at=end)
    body = {"name": "n", "scopes": ["read"]}
    for expiry, status in ((None, 403), (end + timedelta(seconds=1), 403), (end, 201)):
        given = {**body, "expires_at": expiry and expiry.isoformat()}
        assert short.post("/api/api-keys/", given, format="json").status_code == status


def test_groups_and_their_members(world, api):
    admin, member = api(world.admin), api(world.researcher)
    made = member.post("/api/groups/", {"name": "Snow"})
    assert made.status_code == 201
    assert member.post("/api/groups/", {"name": "Snow"}).status_code == 409
    assert {g["slug"] for g in member.get("/api/groups/").json()["results"]} == {
        "snow",
        world.group.slug,
    }
    members = f"/api/groups/{world.group.slug}/members/"
    assert member.get(members).json()["count"] == 2
    new = {"member": world.stranger.email}
    assert member.post(members, new).status_code == 403
    assert api(world.stranger).post(members, new).status_code == 404
    assert admin.post(members, {"member": "nobody"}).status_code == 404
    assert admin.post(members, new).status_code == 201
    assert admin.post(members, new).status_code == 409
    other = f"{members}{world.stranger.username}/"
    assert member.patch(other, {"role": "admin"}).status_code == 403
    assert admin.patch(other, {"role": "admin"}).json()["role"] == "admin"
    assert admin.patch(other, {"role": "king"}).status_code == 400
    assert admin.delete(other).status_code == 204
    assert admin.delete(other).status_code == 404
    assert member.delete(f"{members}{world.admin.username}/").status_code == 403
    assert admin.delete(f"{members}{world.admin.username}/").status_code == 409
    assert member.delete(f"{members}{world.researcher.username}/").status_code == 204
    assert not Membership.objects.filter(user=world.researcher, group=world.group).exists()


def test_applications_show_the_services_in_them(world, api):
    client = api(world.researcher)
    address = f"/api/applications/{world.app.slug}/"
    assert [a["slug"] for a in client.get("/api/applications/").json()["results"]] == [
        world.app.slug
    ]
    assert [s["id"] for s in client.get(address).json()["services"]] == [world.service.pk]
    assert api(make_user()).get(address).status_code == 404


# --- the document and its page -------------------------------------------------------------


@pytest.fixture(scope="module")
def document(django_db_setup, django_db_blocker):
    answer = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    return json.loads(answer.content)


def leaves(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from leaves(pattern.url_patterns)
        else:
            yield pattern


def test_the_document_is_openapi_and_describes_every_address(document):
    from portal.api.urls import urlpatterns

    assert document["openapi"].startswith("3.1")
    # Not itself and its page; and the address that partners know, which is no part of /api/.
    assert len(document["paths"]) == len(list(leaves(urlpatterns))) - 2 + 1
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    schemes = document["components"]["securitySchemes"]
    assert {s.get("scheme", s["type"]) for s in schemes.values()} == {"bearer", "basic", "apiKey"}


def test_answers_are_as_the_document_says(world, api, run, document):
    client = api(world.researcher)
    job = client.post("/api/jobs/", run()).json()
    for address, path in (
        ("/api/services/", "/api/services/"),
        (f"/api/services/{world.service.pk}/", "/api/services/{service_id}/"),
        ("/api/jobs/", "/api/jobs/"),
        (f"/api/jobs/{job['id']}/", "/api/jobs/{job_id}/"),
        (f"/api/jobs/{job['id']}/cost/", "/api/jobs/{job_id}/cost/"),
        (f"/api/jobs/{job['id']}/events/", "/api/jobs/{job_id}/events/"),
        (f"/api/quotes/{job['quote']}/", "/api/quotes/{quote_id}/"),
        ("/api/accounts/", "/api/accounts/"),
        (
            f"/api/accounts/{world.account.pk}/statement/",
            "/api/accounts/{account_id}/statement/",
        ),
        ("/api/applications/", "/api/applications/"),
        ("/api/api-keys/", "/api/api-keys/"),
    ):
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.FormatChecker()
        )
        errors = [e.message for e in validator.iter_errors(client.get(address).json())]
        assert errors == [], path


def test_the_page_needs_no_exception_from_the_content_policy(client):
    page = client.get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "<style" not in text
    assert "://" not in text
    assert "style=" not in text
    assert text.count("<script") == text.count("<script src=") == 3
    assert "unsafe" not in page["Content-Security-Policy"]
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"/api/schema/" in script.content
