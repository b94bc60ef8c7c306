"""Accounts, statements, and credit moved by hand, through the API."""

import pytest

from accounting.accounts import user_account
from accounting.check import findings
from jobs.lifecycle import submit
from people.models import Membership
from tests.factories import give_credit, make_user

pytestmark = pytest.mark.django_db
MANY = 30


def balance(client, account_id):
    return client.get(f"/api/accounts/{account_id}/").json()["available"]


def test_everybody_sees_their_accounts_and_no_others(world, api):
    own = user_account(world.researcher)
    listed = api(world.researcher).get("/api/accounts/").json()["results"]
    assert {a["id"] for a in listed} == {own.pk, world.account.pk}
    assert {(a["group"], a["user"]) for a in listed} == {
        (world.group.slug, None),
        (None, world.researcher.username),
    }
    everything = api(world.operator).get("/api/accounts/").json()["results"]
    assert "SYSTEM" in {a["kind"] for a in everything}
    assert len(everything) > len(listed)
    stranger = api(world.stranger)
    for part in ("", "statement/", "holds/", "spending/"):
        assert stranger.get(f"/api/accounts/{world.account.pk}/{part}").status_code == 404
        assert stranger.get(f"/api/accounts/{10**30}/{part}").status_code == 404


def test_a_statement_is_paged_by_key_and_complete(world, api):
    for number in range(7):
        give_credit(world.account, number + 1)
    client = api(world.admin)
    address = f"/api/accounts/{world.account.pk}/statement/?limit=3"
    amounts, pages = [], 0
    while address:
        page = client.get(address).json()
        amounts += [line["amount"] for line in page["lines"]]
        address, pages = page["older"], pages + 1
        if pages == 1:
            give_credit(world.account, 100)  # what comes meanwhile shifts no page
    assert amounts == ["7.00", "6.00", "5.00", "4.00", "3.00", "2.00", "1.00", "10.00"]
    assert pages == 3
    for query in ("limit=0", "limit=999", "before=nonsense", "before=%00"):
        wrong = client.get(f"/api/accounts/{world.account.pk}/statement/?{query}")
        assert wrong.status_code == 400


def test_members_see_their_own_lines_of_a_group_and_administrators_all(world, api):
    member = make_user()
    Membership.objects.create(group=world.group, user=member)
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        door="rest",
    )
    lines = {
        user: api(user).get(f"/api/accounts/{world.account.pk}/statement/").json()["lines"]
        for user in (world.researcher, member, world.admin)
    }
    (own,) = lines[world.researcher]
    assert (own["kind"], own["held"], own["balance"]) == ("HOLD", "2.00", None)
    assert own["reference"] == str(job.pk)
    assert lines[member] == []
    assert [line["available"] for line in lines[world.admin]] == ["8.00", "10.00"]
    holds = api(world.admin).get(f"/api/accounts/{world.account.pk}/holds/").json()["results"]
    assert [(h["job"], h["amount"]) for h in holds] == [(str(job.pk), "2.00")]
    assert api(member).get(f"/api/accounts/{world.account.pk}/holds/").json()["results"] == []


def test_group_administrators_grant_and_take_back_once(world, api):
    client = api(world.admin)
    own = user_account(world.researcher)
    grants = f"/api/groups/{world.group.slug}/grants/"
    body = {"member": world.researcher.username, "amount": "3.5", "reason": "field campaign"}
    key = {"HTTP_IDEMPOTENCY_KEY": "march"}
    first, again = (client.post(grants, body, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["amount"] == "3.50"
    assert client.post(grants, {**body, "amount": "4"}, **key).status_code == 409
    assert balance(client, world.account.pk) == "6.50"
    assert balance(api(world.researcher), own.pk) == "3.50"

    backs = f"/api/groups/{world.group.slug}/take-backs/"
    assert client.post(backs, {**body, "amount": "3.6"}).status_code == 409
    assert client.post(backs, {**body, "amount": "1.5"}).status_code == 201
    assert balance(api(world.researcher), own.pk) == "2.00"
    assert client.post(grants, {**body, "amount": "9"}).status_code == 402
    assert findings() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "0.0000001"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"member": ""}, "member"),
    ],
)
def test_wrong_transfers_are_refused(world, api, change, field):
    body = {"member": world.researcher.username, "amount": "1", "reason": "r", **change}
    answer = api(world.admin).post(f"/api/groups/{world.group.slug}/grants/", body)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}
    unknown = {"member": "nobody", "amount": "1", "reason": "r"}
    answer = api(world.admin).post(f"/api/groups/{world.group.slug}/grants/", unknown)
    assert answer.status_code == 404


def test_caps_stop_a_member_and_can_be_lifted(world, api, run):
    admin, member = api(world.admin), api(world.researcher)
    address = f"/api/groups/{world.group.slug}/caps/{world.researcher.username}/"
    assert admin.put(address, {"limit": "3"}).json() == {
        "member": world.researcher.username,
        "limit": "3.00",
        "period": "",
        "used": "0.00",
        "held": "0.00",
    }
    assert member.post("/api/jobs/", run()).status_code == 201
    refused = member.post("/api/jobs/", run())
    assert (refused.status_code, refused.json()["code"]) == (402, "member_limit")
    assert member.get(address).json()["held"] == "2.00"
    assert member.put(address, {"limit": None}).status_code == 403
    assert admin.put(address, {"limit": "-1"}).status_code == 400
    assert admin.put(address, {}).status_code == 400
    assert admin.put(address, {"limit": None}).json()["limit"] is None
    assert member.post("/api/jobs/", run()).status_code == 201


def test_only_operators_issue_credit(world, api):
    address = f"/api/accounts/{world.account.pk}/issues/"
    body = {"amount": "5", "reason": "grant agreement 7"}
    key = {"HTTP_IDEMPOTENCY_KEY": "agreement-7"}
    operator = api(world.operator)
    assert [operator.post(address, body, **key).status_code for _ in range(2)] == [201, 200]
    assert balance(operator, world.account.pk) == "15.00"
    assert operator.post(address, {**body, "amount": "6"}, **key).status_code == 409
    assert api(world.admin).post(address, body).status_code == 403
    assert api(world.stranger).post(address, body).status_code == 404
    assert findings() == []


def test_lists_take_the_same_queries_whatever_their_length(
    world, api, django_assert_max_num_queries, django_assert_num_queries
):
    client = api(world.operator)
    addresses = ("/api/accounts/", f"/api/accounts/{world.account.pk}/statement/")
    client.get(addresses[0])
    taken = []
    for address in addresses:
        with django_assert_max_num_queries(5) as one:
            client.get(address)
        taken.append(len(one))
    for _ in range(MANY):
        user_account(make_user())
        give_credit(world.account, 1)
    for address, queries in zip(addresses, taken, strict=True):
        with django_assert_num_queries(queries):
            client.get(address)
