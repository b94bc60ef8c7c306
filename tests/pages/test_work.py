"""What the pages of jobs, credit, groups, providers, keys and operators do."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting.accounts import user_account
from accounting.models import MemberCap
from jobs.models import Job
from jobs.states import State
from jobs.worker import run_one
from people.models import ApiKey, Membership
from people.tokens import authenticate
from providers.models import Provider, ProviderState
from tests.factories import CREDIT, make_service, make_user
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

# --- jobs ----------------------------------------------------------------------------------


def test_the_live_part_says_only_what_changed_and_then_stops(stage: Stage) -> None:
    client = client_of(stage.researcher)
    job = stage.running()
    first = client.get(f"/jobs/{job.pk}/live", {"tab": "summary"})
    html = first.content.decode()
    assert "Reading the bands" in html
    assert 'id="job-events"' in html
    seen = re.search(r'name="seen" value="([^"]+)"', html)
    assert seen is not None
    assert client.get(f"/jobs/{job.pk}/live", {"seen": seen[1]}).status_code == 204
    assert client.get(f"/jobs/{job.pk}/live", {"seen": "older"}).status_code == 200
    done = stage.failed()
    last = client.get(f"/jobs/{done.pk}/live", {"seen": "x"})
    assert last.status_code == 286
    assert "No cloud-free cells in &lt;area&gt;." in last.content.decode()
    assert client_of(stage.stranger).get(f"/jobs/{job.pk}/live").status_code == 404


def test_only_the_owner_and_operators_dismiss(stage: Stage) -> None:
    job = stage.job()
    assert client_of(stage.stranger).post(f"/jobs/{job.pk}/dismiss").status_code == 404
    assert client_of(stage.admin).post(f"/jobs/{job.pk}/dismiss").status_code == 403
    assert client_of(stage.researcher).get(f"/jobs/{job.pk}/dismiss").status_code == 405
    answer = client_of(stage.researcher).post(f"/jobs/{job.pk}/dismiss", follow=True)
    assert "being dismissed" in answer.content.decode()
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    stage.account.refresh_from_db()
    assert stage.account.held == 0


def test_the_filter_is_in_the_address(stage: Stage) -> None:
    client = client_of(stage.researcher)
    stage.running("Alpha")
    stage.failed("Beta")

    def titles(**query: Any) -> set[str]:
        return {job.title for job in client.get("/jobs/", query).context["page"]}

    assert titles() == {"Alpha", "Beta"}
    assert titles(phase="running") == {"Alpha"}
    assert titles(phase="failed", service=stage.service.pk) == {"Beta"}
    assert titles(service=stage.echo.pk) == set()
    assert titles(text="bet") == {"Beta"}
    assert titles(since="2100-01-01") == set()
    assert titles(until="nonsense", page="999", service="x", phase="'") == {"Alpha", "Beta"}


def test_downloads_are_harmless_and_private(stage: Stage) -> None:
    job = stage.succeeded()
    client = client_of(stage.researcher)
    raster = client.get(f"/jobs/{job.pk}/outputs/1")
    body = b"".join(raster.streaming_content)
    assert body[:4] in (b"II*\0", b"MM\0*")
    assert raster.headers["Content-Disposition"].startswith('attachment; filename="result-')
    assert raster.headers["Content-Type"] == "image/tiff"
    assert raster.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in raster.headers["Content-Security-Policy"]
    assert "private" in raster.headers["Cache-Control"]
    picture = client.get(f"/jobs/{job.pk}/outputs/1/preview")
    assert b"".join(picture.streaming_content)[:4] == b"\x89PNG"
    drawn = client.get(f"/jobs/{job.pk}/outputs/2/preview")
    assert b"".join(drawn.streaming_content)[:4] == b"\x89PNG"
    vector = client.get(f"/jobs/{job.pk}/outputs/2")
    assert b"FeatureCollection" in b"".join(vector.streaming_content)
    assert client.get(f"/jobs/{job.pk}/outputs/3/preview").status_code == 404
    assert b"".join(client.get(f"/jobs/{job.pk}/outputs/3").streaming_content) == b"0.42"
    assert client.get(f"/jobs/{job.pk}/outputs/99").status_code == 404
    assert client_of(stage.stranger).get(f"/jobs/{job.pk}/outputs/1/preview").status_code == 404


def test_an_output_cannot_become_a_page_of_the_portal(stage: Stage) -> None:
    job = stage.succeeded()
    output = job.outputs.get(number=2)
    output.media_type = "text/html; charset=utf-8\r\nX-Evil: 1"
    output.document = {**output.document, "data": "<script>alert(1)</script>"}
    output.preview = ""
    output.save()
    client = client_of(stage.researcher)
    answer = client.get(f"/jobs/{job.pk}/outputs/2")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "X-Evil" not in answer.headers
    assert client.get(f"/jobs/{job.pk}/outputs/2/preview").status_code == 404


def test_the_cost_is_told_from_quote_to_settlement(stage: Stage) -> None:
    job = stage.succeeded()
    html = client_of(stage.researcher).get(f"/jobs/{job.pk}/", {"tab": "cost"}).content.decode()
    for words in (
        "Quoted: at most 2.10 credits", "Held: 2.10 credits on Wetland watch", "30 s of run time",
        "Charged: 2.05 credits", "0.05 credits of the hold were released",
    ):  # fmt: skip
        assert words in html


def test_the_snippet_names_the_portal_and_no_secret(stage: Stage) -> None:
    job = stage.succeeded()
    html = client_of(stage.researcher).get(f"/jobs/{job.pk}/", {"tab": "script"}).content.decode()
    assert "http://testserver/wps" in html
    assert stage.service.public_identifier in html
    assert "TEP_API_KEY" in html
    assert "wps.example.org" not in html


# --- credit --------------------------------------------------------------------------------


def test_members_see_only_their_own_lines(stage: Stage) -> None:
    other = make_user()
    Membership.objects.create(group=stage.group, user=other)
    stage.running("Somebody else's")
    html = client_of(other).get(f"/credit/{stage.account.pk}/").content.decode()
    assert "Only your own lines are shown" in html
    assert "Somebody else" not in html
    assert client_of(stage.stranger).get(f"/credit/{stage.account.pk}/").status_code == 404
    assert client_of(other).get(f"/credit/{stage.account.pk}/", {"before": "x"}).status_code == 400


def test_a_group_administrator_gives_takes_back_and_limits(stage: Stage) -> None:
    client = client_of(stage.admin)
    base = f"/groups/{stage.group.slug}/credit/{stage.researcher.pk}"
    given = {"action": "grant", "amount": "5", "reason": "field work", "key": str(uuid.uuid4())}
    for _twice in range(2):
        client.post(f"{base}/move", given)
    own = user_account(stage.researcher)
    assert own.posted == 5 * CREDIT
    back = {"action": "take_back", "amount": "6", "reason": "left over", "key": "b"}
    refused = client.post(f"{base}/move", back, follow=True).content.decode()
    assert "at most 5.00 credits" in refused
    client.post(f"{base}/move", {**back, "amount": "2"})
    own.refresh_from_db()
    assert own.posted == 3 * CREDIT
    client.post(f"{base}/cap", {"limit": "40"})
    assert MemberCap.objects.get().limit_amount == 40 * CREDIT
    client.post(f"{base}/cap", {"limit": ""})
    assert not MemberCap.objects.exists()
    for amount in ("", "abc", "-1", "1e99", "0.0000001"):
        answer = client.post(f"{base}/move", {**given, "amount": amount}, follow=True)
        assert answer.status_code == 200
        assert "toast--error" in answer.content.decode(), amount
    assert client_of(stage.researcher).post(f"{base}/move", given).status_code == 403


def test_who_spent_what_is_a_chart_with_a_table(stage: Stage) -> None:
    stage.succeeded()
    client = client_of(stage.admin)
    charts = f"/credit/{stage.account.pk}/charts"
    assert charts in client.get(f"/groups/{stage.group.slug}/credit/").content.decode()
    html = client.get(charts).content.decode()
    assert re.search(r"<th[^>]*>Vegetation index.*?2\.05", html, re.S)
    assert re.search(r"<th[^>]*>Ada Meadow.*?2\.05", html, re.S)


# --- groups, providers, keys, operators ------------------------------------------------------


def test_members_come_and_go(stage: Stage) -> None:
    client = client_of(stage.admin)
    base = f"/groups/{stage.group.slug}/members/"
    newcomer = make_user("newcomer")
    assert (
        "no user of this name"
        in client.post(base, {"name": "nobody"}, follow=True).content.decode()
    )
    client.post(base, {"name": "newcomer", "role": "member"})
    assert stage.group.memberships.filter(user=newcomer).exists()
    last = client.post(f"{base}{stage.admin.pk}/", {"action": "remove"}, follow=True)
    assert "needs an administrator" in last.content.decode()
    client.post(f"{base}{newcomer.pk}/", {"role": "admin"})
    client.post(f"{base}{stage.admin.pk}/", {"action": "remove"})
    assert not stage.group.memberships.filter(user=stage.admin).exists()
    assert client_of(stage.researcher).post(base, {"name": "x"}).status_code == 403


def test_a_provider_switches_services_and_says_what_runs_use(stage: Stage) -> None:
    client = client_of(stage.provider_owner)
    base = f"/providers/{stage.provider.slug}/services/{stage.service.pk}"
    client.post(f"{base}/switch", {"enabled": "false"})
    stage.service.refresh_from_db()
    assert stage.service.enabled is False
    expected = {"action": "expected", "wall": "120", "cpu": "90"}
    client.post(f"{base}/estimate/", expected)
    stage.service.refresh_from_db()
    assert stage.service.expected_wall_seconds == 120
    for wrong in ({"wall": "0"}, {"cpu": "9" * 30}, {"action": "x"}):
        answer = client.post(f"{base}/estimate/", {**expected, **wrong}, follow=True)
        assert "toast--error" in answer.content.decode(), wrong
    assert client_of(stage.stranger).post(f"{base}/switch").status_code == 404


def test_a_registered_provider_waits_for_an_operator(stage: Stage) -> None:
    client = client_of(stage.stranger)
    address = "http://127.0.0.1:1/wps"
    form = {"name": "New", "slug": "new-one", "url": address, "protocol": "wps-1.0"}
    form["password"] = "s3cret"
    wrong = client.post("/providers/", {**form, "slug": "Not A Slug"}).content.decode()
    assert "small letters" in wrong
    assert "s3cret" not in wrong
    client.post("/providers/", form)
    made = Provider.objects.get(slug="new-one")
    assert made.state == ProviderState.PENDING
    while run_one(owner="test"):
        pass  # workers read what a provider offers
    page = client.get("/providers/new-one/").content.decode()
    assert "The last reading of its services failed" in page
    assert "s3cret" not in page
    assert client.post("/providers/new-one/act", {"action": "approve"}).status_code == 403
    client_of(stage.operator).post("/providers/new-one/act", {"action": "approve"})
    made.refresh_from_db()
    assert made.state == ProviderState.APPROVED


def test_a_key_is_shown_once_and_can_be_revoked(stage: Stage) -> None:
    client = client_of(stage.researcher)
    made = client.post("/profile/keys/", {"name": "QGIS", "scopes": ["read"], "days": "30"})
    found = re.search(r'id="new-key"[^>]*value="([^"]+)"', made.content.decode())
    assert found is not None
    assert authenticate(found[1]) is not None
    assert made.headers["Cache-Control"] == "no-store"
    assert found[1] not in client.get("/profile/").content.decode()
    key = ApiKey.objects.get()
    assert client_of(stage.stranger).post(f"/profile/keys/{key.pk}/revoke").status_code == 404
    client.post(f"/profile/keys/{key.pk}/revoke")
    assert authenticate(found[1]) is None
    empty = client.post("/profile/keys/", {"name": "", "days": "7"}).content.decode()
    assert "This field is required." in empty


def test_an_operator_issues_credit_and_checks_the_ledger(stage: Stage) -> None:
    client = client_of(stage.operator)
    posted = {"holder": stage.group.slug, "amount": "7.5", "reason": "new year", "key": "k1"}
    for _twice in range(2):
        client.post("/operator/issue", posted)
    stage.account.refresh_from_db()
    assert stage.account.posted == 107_500_000
    unknown = client.post("/operator/issue", {**posted, "holder": "who"}, follow=True)
    assert "no group and no user" in unknown.content.decode()
    checked = client.post("/operator/check").content.decode()
    assert "Every transfer balances" in checked
    assert client_of(stage.admin).post("/operator/issue", posted).status_code == 404


# --- speed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/jobs/", "/credit/", "/apps/{app}/", "/catalogue/"])
def test_the_number_of_queries_does_not_grow(stage: Stage, address: str) -> None:
    client = client_of(stage.researcher)
    address = address.format(app=stage.app.slug)
    stage.running("One")
    stage.succeeded("Two")
    client.get(address)
    few = queries(client, address)
    for number in range(4):
        stage.running(f"More {number}")
    service = make_service(
        stage.provider, stage.service.current.description.__class__("extra", "Extra")
    )
    stage.app.services.add(service)
    assert queries(client, address) == few
    assert Job.objects.count() == 6


def queries(client: Any, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
