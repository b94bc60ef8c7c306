"""Charts of spending: drawn under the policy, in both themes, and readable without them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.pages.stage import Stage

COLOURS = """Object.values(Chart.instances).map(
    chart => chart.getDatasetMeta(0).data.at(-1).options.backgroundColor)"""


def test_charts_are_drawn_and_told_as_tables(stage: Stage, window: Any) -> None:
    stage.succeeded()
    shown = window(stage.admin, reduced_motion="reduce", color_scheme="light")
    page = shown.open(f"/credit/{stage.account.pk}/")
    figures = page.locator("[data-chart]")
    expect(figures).to_have_count(2)  # they come after the page
    expect(figures.first.locator("canvas")).to_be_visible()
    values = page.evaluate("Object.values(Chart.instances)[0].data.datasets[0].data")
    assert values[-1] == 2.05
    light = page.evaluate(COLOURS)
    shown.show_in("dark")
    assert page.evaluate(COLOURS) != light
    # The pointer is told what the table says.
    figures.first.locator("canvas").hover(position={"x": 10, "y": 10})
    table = figures.first.locator("table")
    expect(table).to_be_hidden()
    figures.first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(table).to_be_visible()
    expect(table.locator("tbody tr").first).to_contain_text("2.05")
    assert shown.violations() == []
    assert shown.complaints == []


def test_the_filter_of_the_spending_page(stage: Stage, window: Any) -> None:
    stage.succeeded()
    shown = window(stage.admin, reduced_motion="reduce")
    page = shown.open(f"/credit/{stage.account.pk}/spending/")
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    page.select_option("#f-member", label="Ada Meadow")
    page.wait_for_url("**member=*")
    expect(page.locator("tfoot").last).to_contain_text("2.05")
    assert shown.complaints == []


def test_without_a_script_the_figures_are_a_table(stage: Stage, window: Any) -> None:
    stage.succeeded()
    shown = window(stage.admin, java_script_enabled=False)
    page = shown.context.pages[0]
    page.goto(f"{window.base}/credit/{stage.account.pk}/")
    page.click("text=By member, service and month")
    expect(page.locator("[data-chart] table").first).to_be_visible()
    expect(page.locator("[data-chart] canvas").first).to_be_hidden()
