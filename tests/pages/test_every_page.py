"""Each page answers each kind of user as it should, with a title, one heading, and the policy."""

from __future__ import annotations

import re

import pytest

from common.clock import now
from tests.pages.conftest import client_of
from tests.pages.people import charge_of
from tests.pages.stage import Stage

EVERYBODY = (
    "/", "/help/", "/apps/", "/jobs/", "/catalogue/", "/credit/", "/groups/", "/providers/",
    "/profile/", "/sources/", "/packages/",
)  # fmt: skip
ROLES = ("researcher", "admin", "provider_owner", "operator", "stranger")


def addresses(stage: Stage) -> dict[str, set[str]]:
    """Page → who may open it; the others get 404 (403 where they may see it but not do this)."""
    done = stage.succeeded()
    members = {"researcher", "admin", "operator"}
    slug, group, provider = stage.app.slug, stage.group.slug, stage.provider.slug
    job = {"researcher", "admin", "operator"}
    return {
        f"/apps/{slug}/": members,
        f"/apps/{slug}/services/{stage.service.public_identifier}/": members,
        f"/services/{stage.service.public_identifier}/": {*members, "provider_owner"},
        f"/jobs/{done.pk}/": job,
        f"/jobs/{done.pk}/outputs/1": job,
        f"/jobs/{done.pk}/outputs/1/preview": job,
        f"/groups/{group}/": members,
        f"/groups/{group}/credit/": {"admin", "operator"},
        f"/groups/{group}/credit/requests/": {"admin", "operator"},
        f"/credit/{stage.account.pk}/requests/": members,
        f"/credit/charges/{charge_of(done).pk}/": {*members, "provider_owner"},
        f"/providers/{provider}/requests/": {"provider_owner", "operator"},
        "/operator/requests/": {"operator"},
        "/operator/requests/?tab=approvals": {"operator"},
        f"/credit/{stage.account.pk}/": members,
        f"/credit/{stage.account.pk}/statement.csv": members,
        f"/credit/{stage.account.pk}/statements/": members,
        f"/credit/{stage.account.pk}/statements/{now():%Y-%m}/": members,
        f"/credit/{stage.account.pk}/spending/": members,
        f"/providers/{provider}/": {"provider_owner", "operator"},
        f"/providers/{provider}/settings/": {"provider_owner", "operator"},
        f"/providers/{provider}/settings/?section=connection": {"provider_owner", "operator"},
        f"/providers/{provider}/history/": {"provider_owner", "operator"},
        f"/providers/{provider}/maintenance/": {"provider_owner", "operator"},
        f"/providers/{provider}/harvest/": {"provider_owner", "operator"},
        f"/providers/{provider}/services/{stage.service.pk}/": {"provider_owner", "operator"},
        "/catalogue/scenes/scene-1/": set(ROLES),
        "/operator/": {"operator"},
    }


def test_who_may_open_what(stage: Stage) -> None:
    table = addresses(stage) | {address: set(ROLES) for address in EVERYBODY}
    for role in ROLES:
        client = client_of(getattr(stage, role))
        for address, allowed in table.items():
            answer = client.get(address)
            expected = {200} if role in allowed else {403, 404}
            assert answer.status_code in expected, (role, address, answer.status_code)


def test_nobody_sees_anything_but_public_entries_without_signing_in(stage: Stage, client) -> None:
    public = "/catalogue/scenes/scene-1/"
    assert client.get(public).status_code == 200
    for address in [*addresses(stage), *EVERYBODY]:
        if address == public:
            continue
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer.headers["Location"].startswith("/accounts/login/"), address


@pytest.mark.parametrize(
    "tab", ["summary", "results", "inputs", "cost", "catalogue", "log", "script", "nonsense"]
)
def test_tabs_of_a_job(stage: Stage, tab: str) -> None:
    client = client_of(stage.researcher)
    for job in (stage.succeeded(), stage.failed(), stage.running()):
        answer = client.get(f"/jobs/{job.pk}/", {"tab": tab})
        assert answer.status_code == 200
        assert job.title in answer.content.decode()


def test_pages_are_whole_and_keep_the_policy(stage: Stage) -> None:
    client = client_of(stage.operator)
    pages = [a for a in addresses(stage) if "outputs" not in a and not a.endswith(".csv")]
    for address in [*pages, *EVERYBODY]:
        answer = client.get(address)
        html = answer.content.decode()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"], address
        title = re.search(r"<title>(.*?)</title>", html, re.S)
        assert title is not None, address
        assert len(title[1].strip()) > len("· TEP Portal"), address
        assert len(re.findall(r"<h1[ >]", html)) == 1, address
        assert not re.search(r"<[^>]+\sstyle=", html), address
        assert not re.search(r"\son[a-z]+=", html), address
        scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", html)
        data = re.compile(r'type="application/(ld\+)?json"')  # is read, not run
        assert all(data.search(attributes) for attributes in scripts), address
        assert "example.org/wps" not in html or address.startswith("/providers/"), address


def test_hostile_texts_are_only_text(stage: Stage) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    job = stage.failed(attack)
    stage.app.title = stage.provider.name = attack
    stage.app.save()
    stage.provider.save()
    document = stage.service.current.document
    for part in (document, document["inputs"][1], document["outputs"][0]):
        part["title"] = part["abstract"] = attack
    document["inputs"][2]["domain"]["allowed_values"] = [attack]
    stage.service.current.save()
    stage.service.title = stage.service.abstract = attack
    stage.service.save()
    client = client_of(stage.operator)
    for address in (
        "/", "/apps/", f"/apps/{stage.app.slug}/", "/jobs/", f"/jobs/{job.pk}/",
        f"/apps/{stage.app.slug}/services/{stage.service.public_identifier}/",
        f"/providers/{stage.provider.slug}/", f"/jobs/{job.pk}/?tab=script",
    ):  # fmt: skip
        html = client.get(address).content.decode()
        assert "<script>alert" not in html, address
        assert "<img src=x" not in html, address
