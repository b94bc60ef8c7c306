"""What becomes of failures: pages for people, problems for programs, nothing internal."""

import pytest
from django.test import Client

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
    problem = failing.get("/api/fail/anonymous")
    assert problem.status_code == 401


def test_unknown_addresses(client):
    assert client.get("/no/such/page").status_code == 404
    assert client.get("/api/no/such").json()["code"] == "not_found"


def test_forms_without_a_token_are_refused(settings):
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/accounts/login/", {"login": "a", "password": "b"})
    assert refused.status_code == 403
    assert "load the page again" in refused.content.decode()
