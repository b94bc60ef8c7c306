"""Asking for credit and deciding about it: whole stories on pages, with the mails."""

from __future__ import annotations

import re

import pytest

from accounting.accounts import user_account
from accounting.check import findings
from accounting.credit.transfers import set_cap
from accounting.models import (
    TopUp,
    TopUpState,
)
from accounting.requests import topups
from common.errors import Conflict
from tests.factories import CREDIT, give_credit, make_user
from tests.pages.conftest import client_of
from tests.pages.people import (
    available,
    follow,
    key_in,
    letters,
    open_page,
    post,
)
from tests.pages.stage import Stage
from tests.pages.test_run import quoted


def asked_from_a_run(stage: Stage) -> TopUp:
    """The researcher calculates a cost that is not covered, follows the button there, and asks."""
    html = quoted(client_of(stage.researcher), stage).content.decode()
    ask = re.search(rf'href="(/credit/{stage.account.pk}/requests/ask\?quote=[\w-]+)"', html)
    assert ask is not None, "no button at the refusal"
    form = open_page(stage.researcher, ask[1])
    assert "What the run would cost" in form
    quote = re.search(r'name="quote" value="([^"]+)"', form)
    assert quote is not None
    assert 'name="amount" value="2.10"' in form
    data = {"amount": "2.10", "reason": "March", "key": key_in(form), "quote": quote[1]}
    for _twice in range(2):
        assert "March" in post(stage.researcher, ask[1].partition("?")[0], **data)
    return TopUp.objects.get()


def test_from_a_run_that_is_not_covered_to_credit(db: None) -> None:
    stage = Stage(credits=0)
    row = asked_from_a_run(stage)
    own = user_account(stage.researcher)
    assert (row.account, row.source) == (own, stage.account)
    asked = letters()
    assert set(asked) == {stage.admin.email}
    assert "What the run would cost" in follow(stage.admin, asked[stage.admin.email][0])
    page = f"/credit/requests/{row.pk}/"
    assert "does not cover" in post(stage.admin, page, action="grant", amount="2.10")
    give_credit(stage.account, 20)
    post(stage.admin, page, action="grant", amount="12,5", text="With some to spare.")
    [told] = letters()[stage.researcher.email]
    assert told.subject == "Granted: 12.50 credits"
    assert "With some to spare." in follow(stage.researcher, told)
    own.refresh_from_db()
    assert own.posted == 12_500_000
    assert available(stage.account) == 7
    assert "granted already" in post(stage.admin, page, action="refuse", text="too late")
    assert "granted already" in post(stage.researcher, page, action="withdraw")
    assert letters() == {}
    assert findings() == []


def test_a_group_asks_the_operators_who_ask_back(db: None) -> None:
    stage = Stage(credits=0)
    ask = f"/credit/{stage.account.pk}/requests/ask"
    key = key_in(open_page(stage.admin, ask))
    post(stage.admin, ask, amount="500", reason="Spring campaign", key=key)
    row = TopUp.objects.get()
    assert (row.account, row.source) == (stage.account, None)
    assert set(letters()) == {stage.operator.email}
    assert "Spring campaign" in open_page(stage.operator, "/operator/requests/")
    assert "1 open" in open_page(stage.operator, "/operator/")
    page = f"/credit/requests/{row.pk}/"
    assert client_of(stage.admin).post(page, {"action": "grant", "amount": "9"}).status_code == 403
    assert "Say why." in post(stage.operator, page, action="ask_back", text=" ")
    post(stage.operator, page, action="ask_back", text="For how long?")
    assert "For how long?" in letters()[stage.admin.email][0].body
    assert "not answered yet" in post(stage.operator, page, action="ask_back", text="And why?")
    post(stage.admin, page, action="answer", text="Until June.")
    assert "Until June." in letters()[stage.operator.email][0].body
    post(stage.operator, page, action="grant", amount="400", text="Rather less.")
    assert "Granted: 400.00 credits" in letters()[stage.admin.email][0].subject
    assert available(stage.account) == 400
    assert "1 open" not in open_page(stage.operator, "/operator/")
    html = open_page(stage.admin, f"/groups/{stage.group.slug}/credit/requests/")
    assert "400.00" in html


def test_nobody_decides_what_he_asked_for(stage: Stage) -> None:
    mine = user_account(stage.operator)
    row = topups.ask(actor=stage.operator, account=mine, amount=CREDIT, reason="Why not?")
    page = f"/credit/requests/{row.pk}/"
    assert 'value="grant"' not in open_page(stage.operator, page)
    for act in ("grant", "refuse", "ask_back"):
        said = client_of(stage.operator).post(page, {"action": act, "amount": "1", "text": "x"})
        assert said.status_code == 403
    topups.grant(actor=make_user(is_staff=True), top_up=row)
    assert available(mine) == 1


def test_a_member_at_the_limit_asks_for_a_higher_one(stage: Stage) -> None:
    group, member = stage.group, stage.researcher
    set_cap(actor=stage.admin, group=group, member=member, limit=1 * CREDIT)
    address = f"/credit/{stage.account.pk}/requests/ask"
    form = open_page(member, address)
    assert 'value="limit"' in form
    data = {"amount": "4", "reason": "More tiles", "way": "limit", "key": key_in(form)}
    post(member, address, **data)
    row = TopUp.objects.get()
    assert row.as_limit
    again = {"actor": member, "account": stage.account, "amount": 4 * CREDIT, "key": data["key"]}
    assert topups.ask(**again, reason="More tiles", as_limit=True) == row
    with pytest.raises(Conflict):
        topups.ask(**again, reason="More tiles")
    post(stage.admin, f"/credit/requests/{row.pk}/", action="grant", amount="4")
    row.refresh_from_db()
    assert (row.state, row.transfer, row.granted) == (TopUpState.GRANTED, None, 4 * CREDIT)
    cap = stage.account.caps.get(member_id=member.pk)
    assert cap.limit_amount == 5 * CREDIT
    assert 'value="limit"' not in open_page(stage.admin, address)


def test_one_open_request_at_a_time_and_what_is_wrong_is_said(stage: Stage) -> None:
    member, address = stage.researcher, f"/credit/{stage.account.pk}/requests/ask"

    def ask(**changes: str) -> tuple[int, str]:
        data = {"amount": "5", "reason": "Tiles", "key": make_user().username, **changes}
        answer = client_of(member).post(address, data, follow=True)
        return answer.status_code, answer.content.decode()

    for wrong in ({"amount": "-3"}, {"amount": "many"}, {"amount": "1e99"}, {"reason": " "}):
        status, html = ask(**wrong)
        assert status == 400, wrong
        assert "errorlist" in html
    assert ask(quote="00000000-0000-0000-0000-000000000001")[0] == 404
    assert ask()[0] == 200
    status, html = ask()
    assert status == 400
    assert "You have asked already" in html
    page = f"/credit/requests/{TopUp.objects.get().pk}/"
    assert "needed to refuse" in open_page(stage.admin, page)
    assert "Say why." in post(stage.admin, page, action="refuse", text="")
    post(stage.admin, page, action="refuse", text="Not this month.")
    assert "Not this month." in letters()[member.email][0].body
    assert ask()[0] == 200
    second = TopUp.objects.get(state=TopUpState.REQUESTED)
    post(member, f"/credit/requests/{second.pk}/", action="withdraw")
    second.refresh_from_db()
    assert second.state == TopUpState.WITHDRAWN
    for person in (stage.stranger, stage.provider_owner):
        assert client_of(person).get(page).status_code == 404
    for who, action in ((member, "grant"), (stage.admin, "withdraw"), (stage.admin, "answer")):
        answer = client_of(who).post(page, {"action": action, "amount": "5", "text": "x"})
        assert answer.status_code == 403, action
