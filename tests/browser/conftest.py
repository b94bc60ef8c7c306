"""One Chromium for the run, one clean window per test; what it complains about fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from people.models import User
from tests.pages.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "static" / "vendor" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
DRAWN = """
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
        .then(() => Promise.all(document.getAnimations().map(a => a.finished.catch(() => 0))))
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop in this thread


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.fspath).parts:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    if not AXE.is_file():
        pytest.skip("the browser files are not fetched: run python -m portal.assets")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        started.close()


class Window:
    """A window of a user: opens pages and remembers what went wrong in them."""

    def __init__(self, browser: Browser, base: str, user: User | None, **options: Any) -> None:
        self.base = base
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(**options)
        if user is not None:
            self._sign_in(user)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def open(self, address: str) -> Page:
        answer = self.page.goto(self.base + address)
        assert answer is not None
        assert answer.ok, address
        self.page.wait_for_function(
            "[...document.querySelectorAll('map-view')].every(m => m.querySelector('.ol-viewport'))"
        )
        return self.page

    def show_in(self, scheme: str) -> None:
        """Switch to the light or dark theme, and wait until it is drawn."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_function(
            "s => matchMedia(`(prefers-color-scheme: ${s})`).matches", arg=scheme
        )
        self.page.evaluate(DRAWN)

    def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA on the open page."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
        )
        assert found["passes"], "axe looked at nothing"
        return [
            f"{v['id']}: {v['help']} at {[n['target'] for n in v['nodes']][:3]}"
            for v in found["violations"]
        ]

    def _sign_in(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.base}]
        )

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and not request.url.startswith(self.base):
            self.complaints.append(f"asked another host: {request.url}")


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Any]:
    opened: list[Window] = []

    def make(user: User | None = None, **options: Any) -> Window:
        made = Window(browser, live_server.url, user, **options)
        opened.append(made)
        return made

    make.base = live_server.url  # type: ignore[attr-defined]
    yield make
    for one in opened:
        one.context.close()


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return Stage()
