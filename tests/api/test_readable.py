"""What programs read of what they and others did: cost, settings, prices, single things."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting.accounts import provider_account
from accounting.models import JobBill
from accounting.requests import adjustments
from common.money import show
from people.models import Membership
from tests.api.runs import finished_job
from tests.api.test_usage_push import send, tep
from tests.factories import CREDIT, make_user

pytestmark = pytest.mark.django_db


def test_a_jobs_cost_tells_of_refunds_and_of_what_was_measured(world, api):
    job = finished_job(world)
    assert send(api(world.provider_owner), tep(job)).status_code == 201
    charge_id = JobBill.objects.get(job_id=job.pk).charge_id
    adjustments.propose_refund(
        actor=world.operator, charge_id=charge_id, amount=CREDIT // 2, reason="slow", key="k"
    )
    shown = api(world.researcher).get(f"/api/jobs/{job.pk}/cost/").json()
    bill, (record,) = shown["bill"], shown["records"]
    charged = JobBill.objects.get(job_id=job.pk).charged
    assert bill["refunded"] == "0.50"
    assert (bill["charged"], bill["net"]) == (show(charged), show(charged - CREDIT // 2))
    assert (record["type"], record["user_name"], record["group_name"]) == (
        "tep",
        world.researcher.username,
        "",
    )
    assert record["quantities"]["CPU_CORE_HOUR"] == 3600


def test_an_owner_changes_settings_and_never_reads_the_password(world, api):
    address = f"/api/providers/{world.provider.slug}/"
    owner, operator = api(world.provider_owner), api(world.operator)
    given = {"usage_site": "Alps", "usage_keep_good": True, "password": "hush", "name": "Alpine"}
    answer = owner.patch(address, given)
    assert answer.status_code == 200, answer.content
    shown = owner.get(address).json()
    assert shown == answer.json()
    assert (shown["id"], shown["usage_site"], shown["usage_keep_good"], shown["has_password"]) == (
        *(world.provider.pk, "Alps", True, True),
    )
    world.provider.refresh_from_db()
    assert "hush" not in answer.content.decode()
    assert world.provider.secret not in answer.content.decode()
    assert [one["id"] for one in owner.get("/api/providers/").json()["results"]] == [
        world.provider.pk
    ]
    assert owner.patch(address, {"usage_without_jobs": True}).status_code == 403
    assert operator.patch(address, {"usage_without_jobs": True}).json()["usage_without_jobs"]
    for wrong in ({"max_running_jobs": -1}, {"url": "ftp://x"}, {"retry_attempts": 10**30}):
        assert owner.patch(address, wrong).status_code == 400, wrong
    assert owner.patch(address, {"name": "A\0"}).status_code == 400
    assert api(world.provider_owner, "read").patch(address, {"name": "x"}).status_code == 403


def test_who_may_run_a_service_reads_its_prices_and_does_not_publish_them(world, api):
    base = f"/api/providers/{world.provider.slug}/prices/"
    reader, stranger = api(world.researcher), api(world.stranger)
    own = api(world.provider_owner).get(base).json()
    assert own["prices"]
    assert reader.get(base).json() == own
    assert reader.get(f"{base}versions/1/").json()["state"] == "in force"
    assert reader.put(base, {"prices": []}).status_code == 403
    assert reader.delete(f"{base}versions/1/").status_code == 403
    assert stranger.get(base).status_code == 404
    assert stranger.get(f"{base}versions/").status_code == 404


def test_a_name_is_given_an_account_once(world, api):
    operator = api(world.operator)
    given = {
        "provider": world.provider.slug,
        "kind": "group",
        "name": " vo.alps ",
        "account": world.account.pk,
    }
    made = operator.post("/api/usage-names/", given)
    assert made.status_code == 201, made.content
    assert (made.json()["name"], made.json()["account"]) == ("vo.alps", world.account.pk)
    assert operator.post("/api/usage-names/", given).status_code == 409
    earning = provider_account(world.provider.pk).pk
    for wrong in (
        {"kind": "site"},
        {"name": " "},
        {"name": "x" * 256},
        {"provider": "nobody"},
        {"account": earning},
    ):
        answer = operator.post("/api/usage-names/", {**given, "name": "b", **wrong})
        assert answer.status_code == 400, wrong
    assert operator.get("/api/usage-names/").json()["results"] == [made.json()]
    assert operator.get(made["Location"]).json() == made.json()
    assert operator.delete(made["Location"]).status_code == 204
    assert operator.get("/api/usage-names/").json()["count"] == 0


def test_lists_of_quotes_and_limits_are_ones_own_and_take_the_same_queries(world, api, run):
    member, admin = api(world.researcher), api(world.admin)
    quotes = [member.post("/api/quotes/", run()).json()["id"] for _ in range(3)]
    assert [one["id"] for one in member.get("/api/quotes/").json()["results"]] == quotes[::-1]
    assert admin.get("/api/quotes/").json()["count"] == 0
    address = f"/api/groups/{world.group.slug}/caps/"
    admin.put(f"{address}{world.researcher.username}/", {"limit": "7", "period": "MONTH"})
    found = {one["member"]: one for one in admin.get(address).json()["results"]}
    limits = {name: (one["limit"], one["period"]) for name, one in found.items()}
    assert limits == {
        world.researcher.username: ("7.00", "MONTH"),
        world.admin.username: (None, ""),
    }

    def asked(client, path):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    before = asked(admin, address), asked(member, "/api/quotes/")
    for _ in range(4):
        Membership.objects.create(group=world.group, user=make_user())
        member.post("/api/quotes/", run())
    assert (asked(admin, address), asked(member, "/api/quotes/")) == before


def test_what_a_site_published_is_beside_what_came(world, api):
    sync = (
        "APEL-sync-message: v0.1\nSite: Alps\nSubmitHost: ce1\nNumberOfJobs: 12\n"
        "Month: 1\nYear: 2026\n%%\n"
    )
    owner = api(world.provider_owner)
    sent = send(owner, sync, content_type="text/plain")
    assert sent.status_code == 201, sent.content
    (line,) = owner.get("/api/usage-months/").json()["results"]
    assert line == {
        "provider": world.provider.pk,
        "site": "Alps",
        "submit_host": "ce1",
        "month": "2026-01-01",
        "published": 12,
        "received": 0,
        "difference": 12,
    }
    (record,) = owner.get("/api/usage-records/").json()["results"]
    assert owner.get(f"/api/usage-records/{record['id']}/").json() == record
