"""The page of the API's documentation in a browser, under the portal's own content policy."""

import os
import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_works_under_the_content_policy(live_server, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    messages, hosts = [], set()
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except sync_api.Error:
            pytest.skip("there is no Chromium")
        page = browser.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{live_server.url}/api/docs/")
        page.get_by_text("/api/jobs/{job_id}/dismiss/").wait_for(timeout=60_000)
        page.get_by_text("/api/quotes/", exact=True).click()
        page.get_by_text("Price a run").wait_for()
        browser.close()
    assert hosts == {live_server.url.removeprefix("http://")}
    assert [m for m in messages if "Content Security Policy" in m] == []
