"""The page of the API's documentation in a browser, under the portal's own content policy."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.chromium import complaints_of


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_works_under_the_content_policy(browser: Browser, live_server: Any) -> None:
    page = browser.new_page()
    complaints = complaints_of(page, live_server.url)
    page.goto(f"{live_server.url}/api/docs/")
    page.locator("#operations-tag-jobs").click(timeout=60_000)
    page.get_by_text("/api/jobs/{job_id}/dismiss/").wait_for(timeout=60_000)
    page.locator("#operations-tag-quotes").click()
    page.locator("#operations-quotes-quotes_create").click()
    page.get_by_text("Price a run").wait_for()
    page.close()
    assert [c for c in complaints if "Content Security Policy" in c or "another host" in c] == []
