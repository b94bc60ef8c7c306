"""The pages of OGC API – Processes in a browser, and the way a person takes through them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.pages.stage import Stage


def test_accessible_silent_and_never_too_wide(stage: Stage, window: Any) -> None:
    """axe in both themes; no complaint of the browser, no other host; 320 to 1440 px."""
    done, running = stage.succeeded(), stage.running()
    process = quote(stage.service.public_identifier, safe="")
    roots = ("/ogcapi/", f"/apps/{stage.app.slug}/ogcapi/")
    under = ("", "conformance", "api", "processes", f"processes/{process}", "jobs")
    addresses = [f"{root}{path}" for root in roots for path in under]
    addresses += [f"/ogcapi/jobs/{one.pk}" for one in (done, running)]
    addresses += [f"/ogcapi/jobs/{done.pk}/results", "/ogcapi/processes?limit=1"]
    wrong = {}
    shown = window(stage.researcher, reduced_motion="reduce")
    for address in addresses:
        page = shown.open(address)
        found = []
        for scheme in ("light", "dark"):
            shown.show_in(scheme)
            found += [f"{scheme}: {text}" for text in shown.violations()]
        for width in (320, 390, 768, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            reach = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{reach} px wide at {width} px"] if reach > width else []
        found += shown.complaints
        shown.complaints.clear()
        if found:
            wrong[address] = found
    assert wrong == {}


def test_a_person_reads_on_from_page_to_page(stage: Stage, window: Any) -> None:
    stage.succeeded()
    page = window(stage.researcher).open("/ogcapi/")
    page.get_by_role("link", name="Processes", exact=True).click()
    page.get_by_role("link", name=stage.service.title, exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == stage.service.title
    page.get_by_role("link", name="Its jobs").click()
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Results").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Results"
    page.get_by_role("link", name="JSON").click()
    assert page.url.endswith("f=json")
