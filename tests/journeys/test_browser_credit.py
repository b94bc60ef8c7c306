"""Credit from lacking it to the statement: refused, asked for, granted, charged, disputed, seen.

The researcher has no mouse: she opens an address or a link, goes on by Tab, types, presses Enter.
"""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.person import Person, amount
from tests.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(400)]

NAME = "wetlander"
PASSWORD = "a long and winding phrase"
LIMIT = Decimal("0.05")  # of her on the group's account
PRICE = Decimal("0.10")  # of a run of the service
BACK = Decimal("0.04")  # what comes back of it
WRONG = "It greets somebody else."


def test_from_lacking_credit_to_the_statement(browser: Browser, stack: RunningStack) -> None:
    with (
        Person(browser, stack, NAME, new_password=PASSWORD) as wanda,
        Person(browser, stack, "group-admin") as gita,
        Person(browser, stack, "provider") as piet,
        Person(browser, stack, "operator") as olga,
    ):
        taken_in(gita)
        refused(wanda)
        asked(wanda)
        granted(gita)
        job = run(wanda)
        disputed(wanda, job)
        accepted_in_part(piet)
        on_the_statement(wanda)
        in_the_console(olga, job)
    stack.check_ledger()


# --- a keyboard ----------------------------------------------------------------------------------


def reach(who: Person, wanted: Locator) -> None:
    """Press Tab until it has the focus."""
    expect(wanted).to_have_count(1)
    for _press in range(150):
        if wanted.evaluate("e => e === document.activeElement"):
            return
        who.page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


def enter(who: Person, wanted: Locator, text: str) -> None:
    reach(who, wanted)
    who.page.keyboard.press("Control+A")
    who.page.keyboard.type(text)


def choose(who: Person, wanted: Locator, text: str) -> None:
    """Press the arrow until the choice has this text."""
    reach(who, wanted)
    chosen = wanted.locator("option:checked")
    for _press in range(wanted.locator("option").count()):
        if text in chosen.inner_text():
            return
        who.page.keyboard.press("ArrowDown")
    raise AssertionError(f"{text} cannot be chosen")


def press(who: Person, wanted: Locator) -> None:
    reach(who, wanted)
    who.page.keyboard.press("Enter")


# --- the story -----------------------------------------------------------------------------------


def taken_in(gita: Person) -> None:
    """She becomes a member, who may spend a little of the group's credit."""
    place = f"/groups/{gita.stack.demo['group']}/"
    page = gita.open(place)
    page.get_by_label("User name or e-mail address").fill(NAME)
    page.get_by_role("button", name="Add", exact=True).click()
    gita.is_told("is a member now")
    page = gita.open(f"{place}credit/members/")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=NAME))
    row.get_by_label("Limit of").fill(str(LIMIT))
    row.get_by_role("button", name="Set").click()
    gita.is_told("The limit of")


def priced(wanda: Person, payer: str = "") -> None:
    """The form of the service, and what it costs `payer`, or the only account that she has."""
    page = wanda.open(f"/apps/{wanda.stack.demo['app']}/services/demo.hello/")
    enter(wanda, page.get_by_label("Name", exact=True), "Wanda")
    if payer:
        choose(wanda, page.get_by_label("Pay from"), payer)
    press(wanda, page.get_by_role("button", name="Calculate cost"))


def refused(wanda: Person) -> None:
    priced(wanda)
    page = wanda.page
    refusal = page.locator("#cost").get_by_role("alert")
    expect(refusal).to_contain_text("Your limit is 0.05 credits too low")
    assert page.locator("#submit-run").count() == 0
    wanda.picture("1-refused", whole=True)
    press(wanda, refusal.get_by_role("link", name="Request credit"))


def asked(wanda: Person) -> None:
    """Not for a higher limit, but for credit of her own; the lines of the price go along."""
    page = wanda.page
    expect(page.get_by_role("region", name="What the run would cost")).to_contain_text("0.10")
    expect(page.get_by_label("Credits")).to_have_value(str(PRICE - LIMIT))
    enter(wanda, page.get_by_label("Credits"), str(PRICE))
    reach(wanda, page.get_by_label("a higher limit"))
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("credit of my own")).to_be_checked()
    enter(wanda, page.get_by_label("What for"), "A greeting for the reed belt")
    press(wanda, page.get_by_role("button", name="Send the request"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Request for 0.10 credits")
    expect(page.get_by_text("waiting for a decision")).to_be_visible()


def granted(gita: Person) -> None:
    """The administrator finds it in the group's requests, sees what for, and grants it."""
    page = gita.open(f"/groups/{gita.stack.demo['group']}/credit/requests/")
    page.get_by_role("link", name="A greeting for the reed belt").click()
    expect(page.get_by_role("region", name="What the run would cost")).to_contain_text("0.10")
    gita.picture("1-request", whole=True)
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_role("heading", name="Granted: 0.10 credits")).to_be_visible()


def run(wanda: Person) -> str:
    """Now it is covered. The job's identifier, when it is charged."""
    priced(wanda, NAME)
    page = wanda.page
    submit = page.get_by_role("button", name="Run for 0.10 credits")
    expect(submit).to_be_enabled()
    press(wanda, submit)
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}/$"))
    expect(page.locator("#job-values")).to_contain_text("Hello Wanda", timeout=60_000)
    press(wanda, page.get_by_role("link", name="Cost", exact=True))
    step = page.get_by_role("heading", name=re.compile("^Charged"))
    expect(step).to_be_visible(timeout=120_000)
    assert amount(step.inner_text()) == PRICE
    return page.url.split("/jobs/")[1][:36]


def disputed(wanda: Person, job: str) -> None:
    page = wanda.page
    press(wanda, page.get_by_role("link", name="Dispute this charge"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Charge of 0.10 credits")
    enter(wanda, page.get_by_label("What is wrong"), WRONG)
    press(wanda, page.get_by_role("button", name="Dispute this charge"))
    wanda.is_told("Your dispute is on its way")
    expect(page.get_by_text("waits for an answer by the provider")).to_be_visible()


def accepted_in_part(piet: Person) -> None:
    (provider,) = piet.api("/api/providers/")["results"]
    page = piet.open(f"/providers/{provider['slug']}/requests/")
    page.get_by_role("link", name=WRONG).click()
    page.get_by_label("Accept in part").check()
    page.get_by_label("Credits to give back").fill(str(BACK))
    page.get_by_role("textbox", name="Answer").fill("Half of it was right.")
    piet.picture("1-dispute", whole=True)
    page.get_by_role("button", name="Send the answer").click()
    piet.is_told("Answered")
    page = piet.open(f"/providers/{provider['slug']}/revenue/")
    expect(page.get_by_role("region", name="By month")).to_contain_text("−0.04")


def on_the_statement(wanda: Person) -> None:
    """Her account from the first grant to what came back: every line, and what they add up to."""
    (own,) = [a for a in wanda.api("/api/accounts/")["results"] if a["kind"] == "USER"]
    page = wanda.open("/credit/")
    tab = page.get_by_role("navigation", name="Accounts").get_by_role("link", name=NAME)
    press(wanda, tab)
    lines = page.get_by_role("region", name="Statement").locator("tbody tr")
    refund = lines.filter(has=page.get_by_text("Refund", exact=True))
    expect(refund.locator("[data-label=Amount]")).to_have_text("+0.04")
    expect(refund).to_contain_text("Half of it was right.")
    amounts = [text for text in lines.locator("[data-label=Amount]").all_inner_texts() if text]
    assert sum(amount(text) for text in amounts) == Decimal(own["balance"]) == BACK
    press(wanda, page.get_by_role("link", name="Monthly statements"))
    closing = page.locator(".stat").filter(has_text="Balance now").locator("dd")
    expect(closing).to_have_text("0.04")
    wanda.picture("2-statement", whole=True)


def in_the_console(olga: Person, job: str) -> None:
    """The record that the charge came from, at its job; nothing of it waits for somebody."""
    page = olga.open("/operator/")
    page.get_by_role("link", name="Usage", exact=True).click()
    row = page.get_by_role("region", name="By provider").get_by_role("row").nth(1)
    assert amount(row.locator("[data-label='Price, CRD']").inner_text()) >= PRICE
    page.get_by_role("link", name="Records", exact=True).click()
    page.get_by_label("State").select_option("CHARGED")
    page.wait_for_url("**state=CHARGED*")
    record = page.get_by_role("row").filter(has=page.locator(f"a[href='/jobs/{job}/']"))
    expect(record.locator("[data-label=CRD]")).to_have_text("0.10")
    olga.picture("1-records", whole=True)
