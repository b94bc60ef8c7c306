"""The main job in a browser: from signing in to the exact charge, against the running stack."""

from __future__ import annotations

import re
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import rasterio.warp
from lxml import etree
from owslib.wps import WebProcessingService
from playwright.sync_api import Browser, expect

from tests.journeys.person import DRAWN_BOX, LAYER_BOXES, Person, amount
from tests.stack import RunningStack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(400)]

NDVI = "demo.ndvi"
QUOTED = Decimal("1.10")  # 0.50 a job, and 36 an hour for the 60 s that a run is expected to take
CHANGE_QUOTED = Decimal("1.09")  # by the provider itself: 9 s of CPU


def test_the_main_job(browser: Browser, stack: RunningStack) -> None:
    with Person(browser, stack, "researcher") as rosa:
        before = home(rosa)
        workspace(rosa)
        form(rosa)
        wrong_values_are_told_at_the_field(rosa)
        box_and_numbers_agree(rosa)
        cost(rosa, before)
        job = rosa.run()
        ended_without_reloading(rosa)
        results(rosa, job)
        charged = settlement(rosa, job)
        catalogue(rosa, job)
        charged += progress(rosa)
        dismissal(rosa, before - charged)
        statement(rosa, before, charged)
    stack.check_ledger()


def home(rosa: Person) -> Decimal:
    """The balance of the group's account in the header and on the page; the application's card."""
    page = rosa.page
    (account,) = [a for a in rosa.api("/api/accounts/")["results"] if a["kind"] == "GROUP"]
    before = Decimal(account["available"])
    assert rosa.balance() == before > 0
    expect(page.get_by_role("region", name="Credit")).to_contain_text(f"{before:.2f}")
    rosa.picture("1-home")
    page.get_by_role("main").get_by_role("link", name="Land cover of the demo city").click()
    return before


def workspace(rosa: Person) -> None:
    """The scenes lie on the map, as outline and as picture; beside it the services with prices."""
    page, stack = rosa.page, rosa.stack
    rosa.shows_picture("map")
    scenes = rosa.api("/stac/collections/demo-scenes/items")["features"]
    assert scenes
    for kind in ("image", "footprint"):
        shown = page.evaluate(LAYER_BOXES, ["map", kind])
        assert all(scene["bbox"] in shown for scene in scenes), kind
    assert rosa.answered("/static/demo-scene/", "image/png")
    rosa.picture("2-workspace")
    offers = page.locator("article.service")
    listed = {process.identifier for process in provider(stack).processes}
    assert offers.count() == len(listed)
    ndvi = offers.filter(has=page.get_by_role("link", name="Vegetation, water and built-up index"))
    for text in ("Demo processing centre", "0.50 CRD per job", "36.00 CRD per CPU core hour"):
        expect(ndvi).to_contain_text(text)
    expect(ndvi).to_contain_text("normalised difference index")
    ndvi.get_by_role("link").click()


def provider(stack: RunningStack) -> WebProcessingService:
    return WebProcessingService(stack.demo["provider_url"])


def form(rosa: Person) -> None:
    """Every input that the provider describes, with its choices and its default."""
    described = provider(rosa.stack).describeprocess("ndvi").dataInputs
    fields = rosa.page.locator("fieldset[data-field]")
    expect(fields).to_have_count(len(described))
    for number, wanted in enumerate(described):
        field = rosa.page.locator(f"#in-{number}")
        expect(field.locator("legend")).to_contain_text(wanted.title)
        expect(field).to_contain_text(wanted.abstract)
        required = field.locator(".required").count() == 1
        assert required == (int(wanted.minOccurs) > 0)
        if wanted.dataType == "BoundingBoxData":
            continue
        control = field.locator(f"#in-{number}-0")
        assert control.input_value() == str(wanted.defaultValue)
        choices = [o for o in control.locator("option").all_inner_texts() if o != "–"]
        assert choices == wanted.allowedValues
    units = rosa.page.get_by_label("Unit").locator("option").all_inner_texts()
    assert units == ["ha", "m2"]


def wrong_values_are_told_at_the_field(rosa: Person) -> None:
    page = rosa.page
    page.fill("#in-3-0", "7")
    page.fill("#in-0-0-north", "91")
    rosa.calculate()
    expect(page.locator("#in-3-errors")).to_contain_text("between -1 and 1")
    expect(page.locator("#in-0-errors")).to_contain_text("outside the globe")
    expect(page.locator("#in-1-errors")).to_be_empty()
    assert page.locator("#submit-run").count() == 0
    rosa.picture("3-wrong", whole=True)
    page.fill("#in-3-0", "0.4")


def box_and_numbers_agree(rosa: Person) -> None:
    """The box is dragged and the numbers follow; a number is typed and the box follows."""
    page = rosa.page
    dragged = rosa.draw_box((400, 90), (460, 150))
    assert rosa.corners() == pytest.approx(dragged, abs=2e-5)
    page.fill("#in-0-0-east", f"{dragged[2] + 0.002:.5f}")
    assert page.evaluate(DRAWN_BOX, "in-0-0-map") == pytest.approx(rosa.corners(), abs=1e-6)


def cost(rosa: Person, before: Decimal) -> None:
    """Price lines, the balance before and after; no submission without a price that is right."""
    page = rosa.page
    submit = page.locator("#submit-run")
    assert submit.count() == 0
    rosa.calculate()
    expect(submit).to_be_enabled()
    shown = page.locator("#cost")
    lines = shown.locator("tbody td.end").all_inner_texts()
    assert [amount(line) for line in lines] == [Decimal("0.50"), Decimal("0.60")]
    expect(shown).to_contain_text(f"{before:.2f} CRD")
    expect(shown).to_contain_text(f"{before - QUOTED:.2f} CRD")
    expect(submit).to_contain_text("1.10 credits")
    page.fill("#in-3-0", "0.35")
    expect(submit).to_be_disabled()
    rosa.calculate()
    expect(submit).to_be_enabled()
    rosa.picture("4-cost")
    assert rosa.api("/api/accounts/")["results"][0]["held"] == "0.00", "asking costs nothing"


def ended_without_reloading(rosa: Person) -> None:
    page = rosa.page
    page.evaluate("window.sameWindow = true")
    live = page.locator("#job-live")
    expect(live).to_contain_text("results are ready", timeout=60_000)
    expect(page.locator("#job-events")).to_contain_text("succeeded")
    assert page.evaluate("window.sameWindow")
    rosa.picture("5-job")


def results(rosa: Person, job: str) -> None:
    """Pictures come to the map by themselves; values are text; files are the provider's own."""
    page = rosa.page
    page.get_by_role("link", name="See results").click()
    rosa.shows_picture("result-map")
    assert rosa.answered(f"/jobs/{job}/outputs/1/preview", "image/png")
    (place,) = page.evaluate(LAYER_BOXES, ["result-map", "image"])
    assert place in page.evaluate(LAYER_BOXES, ["result-map", "footprint"])
    rosa.picture("6-results", whole=True)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Mean index"))
    assert Decimal("-1") < amount(row.locator("td").first.inner_text()) < Decimal("1")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Download Result").click()
    path = caught.value.path()
    assert caught.value.suggested_filename.endswith(".tif")
    with rasterio.open(path) as raster:
        assert raster.crs.to_epsg() == 32633
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        west, south, east, north = rasterio.warp.transform_bounds(
            raster.crs, "EPSG:4326", *raster.bounds
        )
    assert place == pytest.approx([west, south, east, north], abs=1e-3)
    made = (rosa.stack.folder / "provider" / "outputs").rglob("*.tif")
    assert path.read_bytes() in [file.read_bytes() for file in made]


def settlement(rosa: Person, job: str) -> Decimal:
    """The cost tab completes itself; the charge is what the usage record comes to, by hand."""
    page = rosa.page
    page.get_by_role("link", name="Cost", exact=True).click()
    charged_step = page.get_by_role("heading", name=re.compile("^Charged"))
    expect(charged_step).to_be_visible(timeout=60_000)
    told = rosa.api(f"/api/jobs/{job}/cost/")
    charged = by_hand(told, per_job="0.5")
    story = page.locator(".story")
    for text in (
        "Quoted: at most 1.10 credits",
        "Held: 1.10 credits on Urban Observatory",
        "Usage reported by the provider",
        f"Charged: {charged:.2f} credits",
        f"{QUOTED - charged:.2f} credits of the hold were released",
    ):
        expect(story).to_contain_text(text)
    expect(story.locator("code")).to_have_text(told["records"][0]["local_job_id"])
    expect(story.locator("li").nth(2).locator("table")).to_contain_text(f"{charged:.2f}")
    rosa.picture("7-cost", whole=True)
    return charged


def by_hand(told: dict[str, Any], *, per_job: str) -> Decimal:
    """The charge from the usage record: a price per job and 36 an hour of CPU."""
    (record,) = told["records"]
    used = Decimal(per_job) + Decimal(record["cpu_seconds"]) * 36 / 3600
    charged = min(used, Decimal(told["quote"]["total"]))
    assert Decimal(told["bill"]["charged"]) == charged > 0
    return charged


def catalogue(rosa: Person, job: str) -> None:
    """The entry has OWS Context documents that answer and lead to the result."""
    page = rosa.page
    page.get_by_role("link", name="Catalogue", exact=True).last.click()
    atom = page.get_by_role("link", name="OWS Context, Atom").get_attribute("href")
    geojson = page.get_by_role("link", name="OWS Context, GeoJSON").get_attribute("href")
    rosa.picture("8-catalogue")
    answer = rosa.context.request.get(str(atom))
    assert answer.ok
    feed = etree.parse(BytesIO(answer.body())).getroot()
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    links = feed.findall(".//{http://www.w3.org/2005/Atom}link[@rel='enclosure']")
    assert any(f"/jobs/{job}/outputs/1" in str(link.get("href")) for link in links)
    answer = rosa.context.request.get(str(geojson))
    assert answer.ok
    document = answer.json()
    assert document["type"] == "FeatureCollection"
    assert len(document["features"]) >= 6
    rosa.open("/catalogue/").get_by_role("link", name="Vegetation, water").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vegetation")


def progress(rosa: Person) -> Decimal:
    """A longer run: percent and the provider's words change on the open page."""
    job = rosa.start("demo.change", Time_to_wait="6")
    page = rosa.page
    page.evaluate("window.sameWindow = true")
    seen: list[tuple[int, str]] = []

    def look() -> bool:
        text = page.inner_text("#job-live")
        percent = re.search(r"(\d+) %", text)
        words = re.search(r"Compared \d+ of 20 strips", text)
        if percent and words and (int(percent[1]), words[0]) not in seen:
            seen.append((int(percent[1]), words[0]))
            rosa.picture("9-running")
        return "results are ready" in text

    wait_until(look, seconds=90, what="the end of the run")
    assert len(seen) >= 2, seen
    assert [p for p, _words in seen] == sorted(p for p, _words in seen)
    assert page.evaluate("window.sameWindow")
    page.get_by_role("link", name="Cost", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^Charged"))).to_be_visible(timeout=60_000)
    told = rosa.api(f"/api/jobs/{job}/cost/")
    assert Decimal(told["quote"]["total"]) == CHANGE_QUOTED
    assert told["quote"]["source"] == "provider"
    return by_hand(told, per_job="1")


def dismissal(rosa: Person, available: Decimal) -> None:
    """Dismissed while it runs: it ends as dismissed, and the credit is back."""
    page = rosa.page
    rosa.start("demo.change", Time_to_wait="30")
    live = page.locator("#job-live")
    expect(live).to_contain_text("Compared")
    page.reload()
    assert rosa.balance() == available - CHANGE_QUOTED
    page.get_by_text("Dismiss", exact=True).click()
    page.get_by_role("button", name="Yes, dismiss it").click()
    expect(live.locator(".badge")).to_have_text("dismissed", timeout=60_000)
    expect(page.get_by_role("button", name="Yes, dismiss it")).to_have_count(0)
    rosa.picture("10-dismissed")
    page.get_by_role("link", name="Cost", exact=True).click()
    expect(page.get_by_text("Released: nothing was charged")).to_be_visible(timeout=60_000)
    assert rosa.balance() == available


def statement(rosa: Person, before: Decimal, charged: Decimal) -> None:
    """Hold, charge and release of the first run stand there with their amounts."""
    page = rosa.open("/credit/")
    assert rosa.balance() == before - charged
    rows = page.locator("tr", has_text="Vegetation, water and built-up index")
    hold, charge, release = (
        rows.filter(has=page.locator("strong", has_text=kind)).first
        for kind in ("Hold", "Charge", "Release")
    )
    ndvi = amount(charge.locator("[data-label=Amount]").inner_text())
    assert amount(hold.locator("[data-label=Held]").inner_text()) == QUOTED
    assert amount(release.locator("[data-label=Held]").inner_text()) == -ndvi - QUOTED
    rosa.picture("11-statement", whole=True)
    (account,) = [a for a in rosa.api("/api/accounts/")["results"] if a["kind"] == "GROUP"]
    assert Decimal(account["balance"]) == before - charged
    assert Decimal(account["held"]) == 0
