"""Credit in a group: given, taken back, limited; whoever lacks it reads what is missing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.person import Person, amount
from tests.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(400)]

NEWCOMER = "newcomer"
PASSWORD = "a long and winding phrase"


def test_credit_in_a_group(browser: Browser, stack: RunningStack) -> None:
    with (
        Person(browser, stack, NEWCOMER, new_password=PASSWORD) as nina,
        Person(browser, stack, "group-admin") as gita,
    ):
        account = next(a for a in gita.api("/api/accounts/")["results"] if a["kind"] == "GROUP")
        before = Decimal(account["balance"])
        taken_in(gita, nina)
        given(gita, "1.00")
        refused_for_lack_of_credit(nina)
        taken_back_and_limited(gita)
        refused_for_the_limit(nina)
        spent = within_the_limit(nina)
        who_spent_what(gita, before - Decimal("0.50"), spent)
    stack.check_ledger()


def taken_in(gita: Person, nina: Person) -> None:
    """A person who came by herself sees no application until a group takes her in."""
    expect(nina.open("/").get_by_text("No application yet")).to_be_visible()
    page = gita.open(f"/groups/{gita.stack.demo['group']}/")
    page.get_by_label("User name or e-mail address").fill(NEWCOMER)
    page.get_by_role("button", name="Add", exact=True).click()
    gita.is_told("is a member now")
    expect(nina.open("/").get_by_role("link", name="Land cover of the demo city")).to_be_visible()


def console(gita: Person) -> Locator:
    """The row of the newcomer in the console of the group's credit."""
    page = gita.open(f"/groups/{gita.stack.demo['group']}/credit/members/")
    members = page.get_by_role("region", name="Members")
    return members.get_by_role("row").filter(has=page.get_by_role("rowheader", name=NEWCOMER))


def given(gita: Person, credits: str) -> None:
    row = console(gita)
    row.get_by_label("Amount for").fill(credits)
    row.get_by_label("Reason, for").fill("a first try")
    row.get_by_role("button", name="Give").click()
    gita.is_told("Credit was given")
    expect(console(gita).locator("[data-label='Own credit']")).to_have_text(credits)


def refused_for_lack_of_credit(nina: Person) -> None:
    """The own account has 1.00, the run costs up to 1.10: what is missing is said."""
    page = nina.open(f"/apps/{nina.stack.demo['app']}/services/demo.ndvi/")
    own = page.get_by_label("Pay from").locator("option", has_text="(1.00 CRD)")
    page.get_by_label("Pay from").select_option(own.get_attribute("value"))
    nina.calculate()
    refusal = page.locator("#cost").get_by_role("alert")
    expect(refusal).to_contain_text("0.10 credits are missing")
    expect(refusal).to_contain_text("The run costs up to 1.10 credits; 1.00 are available")
    no_way_to_submit(nina)
    nina.picture("1-missing")


def no_way_to_submit(nina: Person) -> None:
    page = nina.page
    assert page.locator("#submit-run").count() == 0
    assert page.locator("button[value=submit]:enabled").count() == 0
    expect(page.get_by_role("button", name="Run for 1.10 credits")).to_be_disabled()


def taken_back_and_limited(gita: Person) -> None:
    """Half is taken back, never more than is there; and a limit is set on the group's account."""
    for credits, told in (("5", "at most 1.00 credits"), ("0.5", "Credit was taken back")):
        row = console(gita)
        row.get_by_label("Amount for").fill(credits)
        row.get_by_label("Reason, for").fill("not needed")
        row.get_by_role("button", name="Take back").click()
        gita.is_told(told)
    expect(console(gita).locator("[data-label='Own credit']")).to_have_text("0.50")
    row = console(gita)
    row.get_by_label("Limit of").fill("0.5")
    row.get_by_role("button", name="Set").click()
    gita.is_told("The limit of")
    expect(console(gita).locator("[data-label=Limit]")).to_contain_text("0.00 of 0.50")
    gita.picture("1-limit", whole=True)


def refused_for_the_limit(nina: Person) -> None:
    page = nina.open(f"/apps/{nina.stack.demo['app']}/services/demo.ndvi/")
    pay_from_the_group(nina)
    nina.calculate()
    refusal = page.locator("#cost").get_by_role("alert")
    expect(refusal).to_contain_text("Your limit is 0.60 credits too low")
    expect(refusal).to_contain_text("0.50 are left of your limit")
    expect(refusal).to_contain_text("Gita Group")
    no_way_to_submit(nina)
    nina.picture("2-limited")


def pay_from_the_group(nina: Person) -> None:
    choice = nina.page.get_by_label("Pay from")
    group = choice.locator("option", has_text="Urban Observatory")
    choice.select_option(group.get_attribute("value"))


def within_the_limit(nina: Person) -> Decimal:
    page = nina.open(f"/apps/{nina.stack.demo['app']}/services/demo.hello/")
    page.get_by_label("Name", exact=True).fill("Nina")
    pay_from_the_group(nina)
    nina.calculate()
    job = nina.run()
    expect(page.locator("#job-values")).to_contain_text("Hello Nina", timeout=60_000)
    return nina.charged(job)


def who_spent_what(gita: Person, before: Decimal, spent: Decimal) -> None:
    assert spent == Decimal("0.10")
    row = console(gita)
    expect(row.locator("[data-label=Spent]")).to_have_text("0.10")
    expect(row.locator("[data-label=Limit]")).to_contain_text("0.10 of 0.50")
    page = gita.open(f"/groups/{gita.stack.demo['group']}/credit/")
    spending = page.get_by_role("region", name="Spending")
    for text in (NEWCOMER, "0.10", "Hello"):
        expect(spending).to_contain_text(text)
    account = page.get_by_role("region", name="Account").locator(".stat").first
    assert amount(account.inner_text().split("\n")[-1]) == before - spent
    gita.picture("2-who-spent-what", whole=True)
