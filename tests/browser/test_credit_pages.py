"""Every page about credit, with a rich history and with none, as every kind of reader sees it.

With PAGE_PICTURES, a folder, a picture of each page is left there for both widths and themes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.credit_scene import CreditScene

PICTURES = os.environ.get("PAGE_PICTURES")
WIDTHS = (1440, 390)
# All rules of axe once for each width and each theme; elsewhere only what depends on both.
WHOLE = {(1440, "light"), (390, "dark")}
# Levels of the headings that somebody sees, in their order on the page.
HEADINGS = """[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
    .filter(h => h.checkVisibility()).map(h => Number(h.tagName[1]))"""
# Remembers what had the focus; afterwards, what can be used and never had it. Of a group of radio
# buttons one stands for all of them.
LISTEN = """window.had = new Set();
    document.addEventListener('focusin', event => window.had.add(event.target))"""
USABLE = """[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled
        && e.type !== 'hidden' && e.type !== 'radio')"""
NOT_REACHED = f"{USABLE}.filter(e => !window.had.has(e)).map(e => e.outerHTML.slice(0, 120))"

Use = Callable[[Page], None]


def price(page: Page, **most: str) -> None:
    """Ask what a run costs, on the form of a service."""
    page.check("#in-2-0-0")
    for value in most.values():
        page.fill("#max-cost", value)
    page.click("#calculate")
    expect(page.locator("#cost .facts")).to_be_visible()


def with_ceiling(page: Page) -> None:
    price(page, most="20")
    expect(page.locator("#submit-run")).to_contain_text("at most 20.00")


def below_the_price(page: Page) -> None:
    price(page, most="0.000001")
    expect(page.locator("#cost").get_by_role("alert")).to_contain_text("More than you would pay")


def without_credit(page: Page) -> None:
    page.get_by_label("Pay from").select_option(index=1)
    price(page)
    expect(page.get_by_role("link", name="Request credit")).to_be_visible()


def charts(page: Page) -> None:
    expect(page.locator("[data-chart] canvas").first).to_be_visible()


Looks = list[tuple[str, Use | None]]


def looks(scene: CreditScene) -> dict[str, Looks]:
    """Reader → the pages to look at, and what to do there first."""
    account, own, group = f"/credit/{scene.account.pk}/", f"/credit/{scene.own.pk}/", scene.group
    month = scene.month
    shared, provider = f"/groups/{group.slug}/credit/", f"/providers/{scene.provider.slug}/"
    service = f"/apps/{scene.app.slug}/services/{scene.service.public_identifier}/"
    asked, disputed = f"/credit/requests/{scene.asked.pk}/", f"/credit/charges/{scene.disputed.pk}/"
    usage = ("", "records/?state=all", "quarantine/", "messages/", "missing/", "sites/")
    bare = f"/groups/{scene.bare_group.slug}/credit/"
    return {
        "researcher": [
            ("/credit/", None),
            (own, None),
            (f"{own}statements/", None),
            (f"{own}settings/", None),
            (f"{own}requests/", None),
            (f"{account}requests/ask?quote={scene.done.quote_id}", None),
            (asked, None),
            (disputed, None),
            (f"/credit/charges/{scene.charge.pk}/", None),
            (f"/jobs/{scene.refunded.pk}/?tab=cost", None),
            (service, with_ceiling),
            (service, below_the_price),
            (service, without_credit),
        ],
        "admin": [
            (account, charts),
            (f"{account}statements/", None),
            (f"{account}statements/{month}/", None),
            (f"{account}spending/", charts),
            (shared, None),
            (f"{shared}members/", None),
            (f"{shared}grants/", None),
            (f"{shared}grants/?show=rules", None),
            (f"{shared}settings/", None),
            *((f"{shared}requests/?tab={tab}", None) for tab in ("credit", "disputes", "holds")),
            (asked, None),
        ],
        "provider_owner": [
            (f"{provider}requests/", None),
            (f"{provider}requests/?tab=holds", None),
            (f"{provider}prices/", None),
            (f"{provider}prices/?edit=ndvi", None),
            (f"{provider}services/{scene.service.pk}/estimate/", None),
            (f"{provider}revenue/", None),
            (f"{provider}settings/", None),
            (disputed, None),
            *((f"/usage/{part}", None) for part in usage),
        ],
        "operator": [
            ("/operator/", None),
            ("/operator/accounts/", None),
            *(
                (f"/operator/requests/?tab={t}", None)
                for t in ("credit", "approvals", "disputes", "holds")
            ),
            (f"/credit/requests/{scene.asked_of_operators.pk}/", None),
            ("/operator/prices/", None),
            ("/operator/usage/sources/", None),
            ("/operator/usage/sources/new/", None),
            (f"/operator/usage/sources/{scene.source.pk}/", None),
            (f"{own}grants/", None),
            *((f"/usage/{part}", None) for part in usage),
            ("/usage/records/?state=HELD_BACK", None),
            ("/usage/names/", None),
            (f"{provider}settings/", None),
            *((f"/usage/messages/{one}/", None) for one in scene.messages),
        ],
        "beginner": [
            ("/credit/", None),
            *(
                (f"{bare}{part}", None)
                for part in ("", "members/", "grants/", "settings/", "requests/")
            ),
            (f"/providers/{scene.bare_provider.slug}/revenue/", None),
            (f"/providers/{scene.bare_provider.slug}/prices/", None),
            (f"/providers/{scene.bare_provider.slug}/requests/", None),
            *((f"/usage/{part}", None) for part in usage),
        ],
    }


@pytest.mark.timeout(600)
def test_pages_about_credit(transactional_db: None, window: Any) -> None:
    """Accessible in both themes and widths, silent, by keyboard, never wider than the window."""
    scene = CreditScene()
    wrong: list[str] = []
    for reader, pages in looks(scene).items():
        shown = window(getattr(scene, reader), reduced_motion="reduce")
        for number, (address, use) in enumerate(pages):
            found = look_at(shown, address, use, f"{reader}-{number:02}")
            wrong += [f"{reader} at {address}: {text}" for text in found]
    assert not wrong, "\n".join(wrong)


def look_at(shown: Any, address: str, use: Use | None, name: str) -> list[str]:
    """What is wrong with a page."""
    shown.complaints.clear()
    shown.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page = shown.open(address)
    if use is not None:
        use(page)
    found = disorder(page.evaluate(HEADINGS)) + unreachable(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("scrollTo(0, 0)")  # nothing is behind the bar at the top
        for scheme in ("light", "dark"):
            shown.show_in(scheme)
            told = shown.violations(*([] if (width, scheme) in WHOLE else ["color-contrast"]))
            found += [f"{width} px, {scheme}: {text}" for text in told]
            if PICTURES:
                path = Path(PICTURES) / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=path, full_page=True)
        reach = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{reach} px wide at {width} px"] if reach > width else []
    return [*found, *shown.complaints]


def disorder(levels: list[int]) -> list[str]:
    """One heading of the first level, before all others; no level is left out on the way down."""
    right = levels[:1] == [1] and levels.count(1) == 1
    right &= all(after <= before + 1 for before, after in pairwise(levels))
    return [] if right else [f"headings {levels}"]


def unreachable(page: Page) -> list[str]:
    """What the Tab key does not come to."""
    page.evaluate(LISTEN)
    for _step in range(page.evaluate(f"{USABLE}.length") + 8):
        page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    return [f"not by keyboard: {text}" for text in page.evaluate(NOT_REACHED)]
