"""One Chromium for the run, one clean window per test; what it complains about fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from people.models import User
from tests.chromium import AXE, complaints_of
from tests.pages.stage import Stage

DRAWN = """
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
        .then(() => Promise.all(document.getAnimations().map(a => a.finished.catch(() => 0))))
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.fspath).parts:
            item.add_marker("browser")


class Window:
    """A window of a user: opens pages and remembers what went wrong in them."""

    def __init__(self, browser: Browser, base: str, user: User | None, **options: Any) -> None:
        self.base = base
        self.context: BrowserContext = browser.new_context(**options)
        if user is not None:
            self._sign_in(user)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints = complaints_of(self.page, base)

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

    def violations(self, *rules: str) -> list[str]:
        """What axe finds on the open page against these rules, or against WCAG 2.2 AA."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": RULES}
        found = self.page.evaluate(
            "only => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only
        )
        assert found["passes"], "axe looked at nothing"
        return [
            f"{v['id']} at {[n['target'] for n in nodes][:3]}: {nodes[0]['failureSummary']}"
            for v in found["violations"]
            if (nodes := v["nodes"])
        ]

    def _sign_in(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.base}]
        )


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
