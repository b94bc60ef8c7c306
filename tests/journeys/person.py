"""A person at a browser before the running stack."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser, Page, Response, expect

from tests.chromium import complaints_of
from tests.stack import RunningStack

PICTURES = os.environ.get("JOURNEY_PICTURES")  # a folder for pictures of the main steps
SIZE = {"width": 1440, "height": 900}
SIDES = ("west", "south", "east", "north")
# Distinct colours in the middle of a map: a plain base map has a few, a picture many.
COLOURS = """map => {
    const found = new Set();
    for (const canvas of map.querySelectorAll("canvas")) {
        const [w, h] = [canvas.width, canvas.height];
        const pixels = canvas.getContext("2d").getImageData(w / 2 - 60, h / 2 - 60, 120, 120).data;
        for (let i = 0; i < pixels.length; i += 4) {
            if (pixels[i + 3]) found.add(pixels.slice(i, i + 3).join());
        }
    }
    return found.size;
}"""
LAYER_BOXES = """([map, type]) => [...document.getElementById(map).named.values()]
    .filter(l => l.get("bbox") && (type === "image") === (l instanceof ol.layer.Image))
    .map(l => l.get("bbox"))"""
AT_PIXEL = """([map, x, y]) => ol.proj.toLonLat(
    document.getElementById(map).map.getCoordinateFromPixel([x, y]))"""
DRAWN_BOX = """map => document.getElementById(map).box.getSource().getFeatures().map(
    f => ol.proj.transformExtent(f.getGeometry().getExtent(), "EPSG:3857", "EPSG:4326"))[0]"""


class Person:
    """Signs in, or up as a new user with this password; hears every complaint of the browser."""

    def __init__(
        self, browser: Browser, stack: RunningStack, name: str, *, new_password: str = ""
    ) -> None:
        self.stack = stack
        self.name = name
        self.new = bool(new_password)
        self.password = new_password or stack.password(name)
        self.context = browser.new_context(viewport=SIZE, color_scheme="light", locale="en-GB")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        self.complaints = complaints_of(self.page, stack.base)
        self.responses: list[Response] = []
        self.page.on("response", self._answered)

    def __enter__(self) -> Self:
        self.page.goto(self.stack.base)
        if self.new:
            self._sign_up()
        else:
            self.page.fill("[name=login]", self.name)
            self.page.fill("[name=password]", self.password)
            self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator(".avatar")).to_be_visible()
        return self

    def _sign_up(self) -> None:
        self.page.get_by_role("link", name="Create one").click()
        values = {"username": self.name, "email": f"{self.name}@journey.example"}
        values |= {"password1": self.password, "password2": self.password}
        for name, value in values.items():
            self.page.fill(f"[name={name}]", value)
        self.page.get_by_role("button", name="Create account").click()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.picture("failed")
        self.context.close()
        if error is None:
            assert not self.complaints, self.complaints
            broken = [r.url for r in self.responses if r.status >= 500]
            assert not broken, broken

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.stack.base + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        return self.page

    def picture(self, name: str, *, whole: bool = False) -> None:
        if PICTURES:
            path = Path(PICTURES) / f"{self.name}-{name}.png"
            self.page.screenshot(path=path, full_page=whole)

    def answered(self, part: str, media_type: str) -> bool:
        """Whether an address with that part in it was answered 200 with that type."""
        return any(
            part in r.url and r.status == 200 and r.headers.get("content-type") == media_type
            for r in self.responses
        )

    def shows_picture(self, map_id: str) -> None:
        """Wait until the middle of the map is covered by a picture."""
        self.page.locator(f"#{map_id} .ol-viewport").wait_for(timeout=60_000)
        self.page.wait_for_function(
            f"id => ({COLOURS})(document.getElementById(id)) > 60", arg=map_id
        )

    def balance(self) -> Decimal:
        """What the header says is available."""
        return amount(self.page.inner_text(".balance strong"))

    def is_told(self, text: str) -> None:
        """A message of the page says so."""
        expect(self.page.locator(".toast", has_text=text).first).to_be_visible()

    def _answered(self, response: Response) -> None:
        self.responses.append(response)

    # --- a service's form ------------------------------------------------------------------

    def corners(self) -> list[float]:
        return [float(self.page.input_value(f"#in-0-0-{side}")) for side in SIDES]

    def draw_box(self, start: tuple[int, int], end: tuple[int, int]) -> list[float]:
        """Drag a box over the form's map; gives the corners that the map has there, in degrees."""
        page, map_id = self.page, "in-0-0-map"
        page.get_by_role("button", name="Draw box").click()
        canvas = page.locator(f"#{map_id} .map__canvas")
        canvas.scroll_into_view_if_needed()
        area = canvas.bounding_box()
        assert area is not None
        page.mouse.move(area["x"] + start[0], area["y"] + start[1])
        page.mouse.down()
        page.mouse.move(area["x"] + end[0], area["y"] + end[1], steps=6)
        page.mouse.up()
        west, north = page.evaluate(AT_PIXEL, [map_id, *start])
        east, south = page.evaluate(AT_PIXEL, [map_id, *end])
        return [west, south, east, north]

    def calculate(self) -> None:
        with self.page.expect_response(lambda r: r.request.method == "POST"):
            self.page.get_by_role("button", name="Calculate cost").click()

    def run(self) -> str:
        """Press the button with the price; gives the job's identifier."""
        self.page.locator("#submit-run").click()
        self.page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}/$"))
        return self.page.url.rstrip("/").rsplit("/", 1)[1]

    def start(self, service: str, **fields: str) -> str:
        """Fill the fields in by their labels, price and run."""
        self.open(f"/apps/{self.stack.demo['app']}/services/{service}/")
        for label, value in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)
        self.calculate()
        return self.run()

    def charged(self, job: str) -> Decimal:
        """Wait on the job's page until its cost tab says what was charged."""
        self.page.get_by_role("link", name="Cost", exact=True).click()
        step = self.page.get_by_role("heading", name=re.compile("^Charged"))
        expect(step).to_be_visible(timeout=120_000)
        told = Decimal(self.api(f"/api/jobs/{job}/cost/")["bill"]["charged"])
        assert amount(step.inner_text()) == told > 0
        return told

    def api(self, path: str) -> Any:
        """What the REST API tells the same person, with the session of the browser."""
        answer = self.context.request.get(self.stack.base + path)
        assert answer.ok, f"{path}: {answer.status}"
        return answer.json()


def amount(text: str) -> Decimal:
    """The first number of a text, with the signs and separators of the pages."""
    found = re.search(r"[−-]?[\d,\u202f]+(\.\d+)?", text)
    assert found is not None, text
    return Decimal(found[0].replace("−", "-").replace(",", "").replace("\u202f", ""))
