"""The same resources as pages for people (18-062r2 §9 requirements class html)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.wps_proxy.ogcapi.conftest import Api, MakeApi

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def page(api: Api, path: str, status: int = 200, **query: Any) -> str:
    response = api.get(path, headers={"Accept": BROWSER}, **query)
    assert response.status_code == status, response.body
    assert response.headers["Content-Type"].startswith("text/html")
    text: str = response.body.decode()
    assert "<h1" in text
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*src=)", text)
    assert not re.search(r"\son[a-z]+=", text)
    return text


@pytest.fixture
def person(make_api: MakeApi) -> Api:
    """Somebody signed in with a browser."""
    api = make_api()
    api.client.force_login(api.world.researcher)
    api.headers = {}
    return api


@pytest.mark.usefixtures("working")
def test_a_link_that_is_followed_leads_through_the_whole_door(person: Api, api: Api) -> None:
    job = api.job_of(api.run(outputs={"mean": {}, "change": {}}))
    landing = page(person, "")
    for path in ("processes", "jobs", "api", "conformance"):
        assert f"/ogcapi/{path}?f=html" in landing
        page(person, f"/ogcapi/{path}?f=html")
    listed = page(person, "processes")
    address = f"/ogcapi/processes/{quote(api.identifier, safe='')}"
    assert f"{address}?f=html" in listed
    described = page(person, address)
    assert "Every kind of input &amp; output." in described
    assert f"http://testserver{address}/execution" in described
    assert "ogc-bbox" in described
    assert job in page(person, "jobs")
    status = page(person, f"jobs/{job}")
    assert f"/jobs/{job}/" in status
    assert f"/ogcapi/jobs/{job}/results?f=html" in status
    results = page(person, f"jobs/{job}/results")
    assert f"/ogcapi/jobs/{job}/outputs/" in results
    assert "41.7" in results


def test_f_comes_before_accept(person: Api) -> None:
    for accept, form, kind in (
        (BROWSER, "json", "application/json"),
        ("application/json", "html", "text/html"),
        ("text/html", "", "text/html"),
        ("*/*", "", "application/json"),
        ("image/png", "", "application/json"),
        ("text/html;q=0.5, application/json", "", "application/json"),
    ):
        query = {"f": form} if form else {}
        response = person.get("conformance", headers={"Accept": accept}, **query)
        assert response.headers["Content-Type"].startswith(kind), (accept, form)
        assert "Accept" in response.headers["Vary"]


def test_whoever_is_not_signed_in_is_sent_to_sign_in(person: Api) -> None:
    person.client.logout()
    page(person, "")  # the root says what it is to anybody
    response = person.get("processes", headers={"Accept": BROWSER})
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=/ogcapi/processes"


def test_refusals_are_pages_too(person: Api) -> None:
    assert "There is no process" in page(person, "processes/x.y", 404)
    page(person, "jobs/none", 404)
    page(person, "nothing/here", 404)
    page(person, "jobs", 400, limit="x")


def test_lists_turn_their_pages(person: Api, api: Api) -> None:
    text = page(person, "processes", limit=1)
    assert 'rel="next"' in text
    assert "offset=1" in text
    empty = page(person, "jobs")
    assert "No jobs" in empty


def test_a_problem_has_the_name_that_its_reader_takes(api: Api) -> None:
    """RFC 7807; CITE asks for application/json and wants its answers so."""
    for accept, kind in (
        ("application/json", "application/json"),
        ("application/json, application/problem+json", "application/problem+json"),
        ("*/*", "application/problem+json"),
    ):
        response = api.get("processes/x.y", headers={"Accept": accept})
        assert response.headers["Content-Type"] == kind
