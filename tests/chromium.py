"""One Chromium for a test process, as it is installed on the machine; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
AXE = ROOT / "static" / "vendor" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Skips where there is no Chromium; under TEP_CI that is a failure."""
    names = (os.environ.get("CHROMIUM"), *NAMES)
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        _missing("no Chromium is installed")
    if not AXE.is_file():
        _missing("the browser files are not fetched: run python -m portal.assets")
    # Playwright runs a loop in this thread, which Django takes for asynchronous code.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        started.close()


# What Chromium advises the map's library, about speed and now and then; nothing is wrong.
ADVICE = "Canvas2D: Multiple readback operations"


def complaints_of(page: Page, base: str) -> list[str]:
    """Grows by whatever goes wrong in the page: console, scripts, requests to other hosts."""
    found: list[str] = []

    def heard(message: Any) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(ADVICE):
            found.append(f"{message.type}: {message.text}")

    def asked(request: Any) -> None:
        scheme = urlsplit(request.url).scheme
        if scheme in ("http", "https") and not request.url.startswith(f"{base}/"):
            found.append(f"asked another host: {request.url}")

    page.on("console", heard)
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("request", asked)
    return found


def _missing(reason: str) -> None:
    if os.environ.get("TEP_CI"):
        pytest.fail(reason)
    pytest.skip(reason)
