"""What becomes of failures: pages for people, problems for programs, nothing internal."""

import pytest
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("what", "status", "text"),
    [
        ("input", 400, "The threshold is too high."),
        ("forbidden", 403, "Not with &lt;b&gt;this&lt;/b&gt; role."),
        ("absent", 404, "There is no such thing here."),
        ("conflict", 409, "Calculate the cost again."),
        ("credit", 402, "3 credits are missing."),
        ("limited", 429, "Too many attempts."),
        ("provider", 504, "did not answer in time"),
        ("django404", 404, ""),
        ("django403", 403, ""),
        ("django400", 400, ""),
        ("broken", 500, ""),
    ],
)
def test_failures_become_pages_for_people_and_problems_for_programs(failing, what, status, text):
    page = failing.get(f"/fail/{what}")
    assert page.status_code == status
    assert page["Content-Type"].startswith("text/html")
    assert text in page.content.decode()
    assert page["X-Request-ID"] in page.content.decode()

    problem = failing.get(f"/api/fail/{what}")
    assert problem.status_code == status
    assert problem["Content-Type"].startswith("application/problem+json")
    body = problem.json()
    assert body["status"] == status
    assert body["code"]
    for answer in (page, problem):
        assert "internal reason" not in answer.content.decode()
        assert "Content-Security-Policy" in answer


def test_people_are_sent_to_sign_in_and_programs_are_challenged(failing):
    page = failing.get("/fail/anonymous?tab=cost")
    assert page.status_code == 302
    assert page["Location"] == "/accounts/login/?next=/fail/anonymous%3Ftab%3Dcost"
    assert failing.post("/fail/anonymous").status_code == 401
    for address, headers in (
        ("/api/fail/anonymous", {}),
        ("/fail/anonymous", {"Authorization": "Bearer x"}),
    ):
        problem = failing.get(address, headers=headers)
        assert (problem.status_code, "Bearer" in problem["WWW-Authenticate"]) == (401, True)


def test_unknown_addresses(client):
    assert client.get("/no/such/page").status_code == 404
    assert client.get("/api/no/such").json()["code"] == "not_found"


def test_a_foreign_host_name_is_refused_with_a_page(client):
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/catalogue/?text=%00",
        "/catalogue/a/b%00/",
        "/jobs/?text=a%00",
        "/apps/x%00/",
        "/api/services/?text=%00",
        "/stac/collections/results/items?token=%00",
        "/stac/search?ids=%00&collections=%00",
        "/wps?service=WPS&request=%00&identifier=%00",
    ],
)
def test_nul_in_an_address_breaks_nothing(client, address):
    client.force_login(make_user())
    answer = client.get(address)
    assert answer.status_code in (200, 400, 404, 501)


def test_forms_without_a_token_are_refused(settings):
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/accounts/login/", {"login": "a", "password": "b"})
    assert refused.status_code == 403
    assert "load the page again" in refused.content.decode()
