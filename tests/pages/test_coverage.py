"""Whom a refused run sends to, by the account that was to pay."""

from __future__ import annotations

from html import unescape

from accounting.accounts import user_account
from accounting.credit.transfers import set_cap
from tests.factories import CREDIT
from tests.pages.conftest import client_of
from tests.pages.stage import Stage
from tests.pages.test_run import quoted


def test_whom_to_ask_depends_on_the_account(stage: Stage) -> None:
    """The own account is the operators' to fill; a group's administrators cannot fill theirs."""
    own = user_account(stage.researcher)
    html = quoted(client_of(stage.researcher), stage, account=str(own.pk)).content.decode()
    assert "This is your own account: the portal's operators decide" in unescape(html)
    assert "Or choose the account of a group above." in html
    assert "Bruno Hill" not in html
    set_cap(actor=stage.admin, group=stage.group, member=stage.admin, limit=1 * CREDIT)
    html = quoted(client_of(stage.admin), stage).content.decode()
    assert f'href="/groups/{stage.group.slug}/credit/members/"' in html
    poor = Stage(credits=1)
    html = quoted(client_of(poor.admin), poor).content.decode()
    assert "the portal's operators decide about more credit" in unescape(html)
    assert "Bruno Hill administers" not in html
    poor.group.memberships.filter(user=poor.admin).delete()
    html = quoted(client_of(poor.researcher), poor).content.decode()
    assert "The portal's operators decide about this account." in unescape(html)
