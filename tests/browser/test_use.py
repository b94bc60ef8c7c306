"""Using the pages: the form with its map, the price, the live job, the theme, the keyboard."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

from jobs.models import Job
from jobs.states import State
from providers.ports import RemoteState
from tests.pages.stage import BOX, Stage, outputs


def form_of(stage: Stage) -> str:
    return f"/apps/{stage.app.slug}/services/{stage.service.public_identifier}/"


def corners(page: Page) -> list[float]:
    return [float(page.input_value(f"#in-0-0-{s}")) for s in ("west", "south", "east", "north")]


def priced(page: Page) -> None:
    """Fill the form in, wrongly and then rightly, up to a price that can be accepted."""
    page.fill("[name=in-1-0]", "7")
    page.click("#calculate")
    expect(page.locator("#in-1-errors")).to_contain_text("not allowed")
    expect(page.locator("#in-2-errors")).to_contain_text("required")
    expect(page.locator("[name=in-1-0]")).to_have_attribute("aria-invalid", "true")
    assert page.locator("#submit-run").count() == 0
    page.fill("[name=in-1-0]", "0.3")
    page.check("#in-2-0-0")
    page.click("#calculate")
    expect(page.locator("#submit-run")).to_have_text("Run for 2.10 credits")
    expect(page.locator("#in-1-errors")).to_be_empty()
    expect(page.locator("[name=in-1-0]")).not_to_have_attribute("aria-invalid", "true")
    page.fill("[name=in-1-0]", "0.35")
    expect(page.locator("#submit-run")).to_be_disabled()
    page.click("#calculate")
    expect(page.locator("#submit-run")).to_be_enabled()


def test_from_the_form_to_the_live_result(stage: Stage, window: Any) -> None:
    shown = window(stage.researcher)
    page = shown.open(form_of(stage))
    assert corners(page) == list(BOX)
    priced(page)
    page.dblclick("#submit-run")
    page.wait_for_url("**/jobs/*/")
    job = Job.objects.get()

    expect(page.locator("#job-live")).to_contain_text("submitted")
    stage.sent(job)
    stage.told(job, RemoteState.RUNNING, percent=35, message="Reading the bands")
    expect(page.locator("#job-live")).to_contain_text("35 %")
    expect(page.locator("#job-live")).to_contain_text("Reading the bands")
    expect(page.locator("[data-announcer]")).to_have_text("running")
    stage.told(job, RemoteState.SUCCEEDED, percent=100, outputs=outputs())
    expect(page.locator("#job-live")).to_contain_text("3 results are ready")
    expect(page.locator("#job-events")).to_contain_text("succeeded")
    expect(page.locator("#job-actions")).not_to_contain_text("Dismiss")
    expect(page.locator("#job-values")).to_contain_text("0.42")
    page.click("text=See results")
    expect(page.locator("map-view .ol-viewport")).to_be_visible()
    assert shown.complaints == []


def test_a_page_that_is_told_of_changes_does_not_ask_for_them(stage: Stage, window: Any) -> None:
    job = stage.running()
    shown = window(stage.researcher)
    page, asked = shown.page, []
    page.on("request", lambda r: asked.append(r.url) if "/live?" in r.url else None)
    with page.expect_response("**/events?*"):
        shown.open(f"/jobs/{job.pk}/")
    page.evaluate("window.loadedOnce = true")
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(4500)  # twice as long as a page waits that asks
    assert asked == []
    stage.told(job, RemoteState.RUNNING, percent=77, message="Writing the file")
    expect(page.locator("#job-live")).to_contain_text("77 %")
    assert len(asked) == 1
    stage.told(job, RemoteState.SUCCEEDED, percent=100, outputs=outputs())
    expect(page.locator("#job-live")).to_contain_text("3 results are ready")
    assert page.evaluate("window.loadedOnce")
    assert shown.complaints == []


def test_a_box_by_mouse_and_by_keyboard(stage: Stage, window: Any) -> None:
    page = window(stage.researcher).open(form_of(stage))
    page.click("text=Draw box")
    canvas = page.locator(".map__canvas").first
    area = canvas.bounding_box()
    assert area is not None
    page.mouse.click(area["x"] + 200, area["y"] + 70)
    page.mouse.move(area["x"] + 300, area["y"] + 150)
    page.mouse.click(area["x"] + 300, area["y"] + 150)
    page.wait_for_function("document.getElementById('in-0-0-west').value !== '13.2'")
    west, south, east, north = corners(page)
    assert west < east
    assert south < north
    expect(page.locator("text=Draw box")).to_have_attribute("aria-pressed", "false")

    page.fill("#in-0-0-east", str(east + 0.1))
    drawn = page.evaluate(
        "document.querySelector('map-view').box.getSource().getFeatures().map("
        "f => ol.proj.transformExtent(f.getGeometry().getExtent(), 'EPSG:3857', 'EPSG:4326')[2])"
    )
    assert abs(drawn[0] - east - 0.1) < 1e-6
    # The map is one stop of the keyboard among others, not a trap.
    canvas.focus()
    page.keyboard.press("ArrowRight")
    for _step in range(8):
        page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('map-view')")


def test_an_outline_is_drawn_into_the_text(stage: Stage, window: Any) -> None:
    page = window(stage.researcher).open(form_of(stage))
    canvas = page.locator("#in-7-0-map .map__canvas")
    page.click("#in-7-0-map >> text=Draw outline")
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    assert area is not None
    for x, y in ((200, 80), (300, 80), (250, 160), (250, 160)):
        page.mouse.click(area["x"] + x, area["y"] + y)
    page.wait_for_function("document.getElementById('in-7-0').value !== ''")
    drawn = json.loads(page.input_value("#in-7-0"))
    (feature,) = drawn["features"]
    assert feature["geometry"]["type"] == "Polygon"
    assert len(feature["geometry"]["coordinates"][0]) == 4
    page.click("#in-7-0-map >> text=Clear")
    assert page.input_value("#in-7-0") == ""


def test_several_values_are_added_and_taken_away(stage: Stage, window: Any) -> None:
    page = window(stage.researcher).open(form_of(stage))
    notes = page.locator("#in-6")
    notes.get_by_role("button", name="Add another").click()
    notes.get_by_role("button", name="Add another").click()
    assert notes.locator("input[type=text]").count() == 3
    expect(notes.get_by_role("button", name="Add another")).to_be_disabled()
    notes.locator("input[type=text]").nth(2).fill("kept")
    notes.get_by_role("button", name="Remove").first.click()
    page.check("#in-2-0-0")
    page.click("#calculate")
    page.click("#submit-run")
    page.wait_for_url("**/jobs/*/")
    assert [v.value for v in Job.objects.get().input_values if v.identifier == "note"] == ["kept"]


def test_without_a_script_a_job_is_started_watched_and_ended(stage: Stage, window: Any) -> None:
    page = window(stage.researcher, java_script_enabled=False).context.pages[0]
    page.goto(window.base + form_of(stage))
    page.check("#in-2-0-0")
    page.click("#calculate")
    page.click("#submit-run")
    job = Job.objects.get()
    assert page.url.endswith(f"/jobs/{job.pk}/")
    assert "submitted" in page.inner_text("#job-live")
    page.click("summary:has-text('Dismiss')")
    page.click("text=Yes, dismiss it")
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_the_theme_is_chosen_and_kept(stage: Stage, window: Any) -> None:
    shown = window(stage.researcher, color_scheme="light")
    page = shown.open("/")
    page.click("summary[aria-label^='Account of']")
    button = page.locator("[data-theme-switch]")
    button.click()
    button.click()
    expect(button).to_contain_text("dark")
    shown.open("/jobs/")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_a_portal_that_stops_answering_is_said(stage: Stage, window: Any) -> None:
    job = stage.running()
    page = window(stage.researcher).open(f"/jobs/{job.pk}/")
    expect(page.locator("[data-stale]")).to_be_hidden()
    for address in ("**/live*", "**/events*"):
        page.route(address, lambda route: route.abort())
    page.reload()
    expect(page.locator("[data-stale]")).to_be_visible()
