"""A second provider: registered, priced, approved, put into an application, used and paid."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.person import Person
from tests.stack import ROOT, RunningStack, free_port, running_stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(400)]

SECOND = "second"


@pytest.fixture(scope="module")
def second_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def stack(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, second_port: int
) -> Iterator[RunningStack]:
    """A stack that may call a second provider, too."""
    port = free_port()
    allowed = f"127.0.0.1:{port},127.0.0.1:{second_port}"
    folder = tmp_path_factory.mktemp("roles")
    with running_stack(folder, PROVIDER_PORT=str(port), OUTBOUND_ALLOW=allowed) as running:
        yield running


@contextmanager
def running_provider(stack: RunningStack, port: int) -> Iterator[Path]:
    """Another WPS on this machine; gives the folder of its usage queue."""
    folder = stack.folder / SECOND
    command = [sys.executable, "-m", "portal.demo.provider", "--port", str(port)]
    command += ["--dir", str(folder), "--scene", str(stack.folder / "scene")]
    command += ["--usage-queue", str(folder / "queue")]
    folder.mkdir()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until(lambda: answers(port), what="the second provider")
        yield folder / "queue"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def answers(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/wps?service=WPS&request=GetCapabilities"
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def test_a_second_provider(browser: Browser, stack: RunningStack, second_port: int) -> None:
    with (
        running_provider(stack, second_port) as queue,
        Person(browser, stack, "provider") as piet,
        Person(browser, stack, "operator") as olga,
        Person(browser, stack, "researcher") as rosa,
    ):
        registered(piet, second_port)
        switched_on_and_priced(piet)
        assert not offered(rosa)
        approved(olga, queue)
        assert not offered(rosa), "it is in no application yet"
        put_into_the_application(olga)
        assert offered(rosa)
        before = rosa.balance()
        used(rosa)
        rosa.open("/")
        assert rosa.balance() == before - Decimal("0.25")
        income(piet)
        ledger_checked(olga)
    stack.check_ledger()


def registered(piet: Person, port: int) -> None:
    """By its address alone; what it offers is read at once, and is off."""
    page = piet.open("/providers/")
    page.get_by_label(re.compile("^Name")).fill("Second centre")
    page.get_by_label("Short name").fill(SECOND)
    page.get_by_label("Address").fill(f"http://127.0.0.1:{port}/wps")
    page.get_by_role("button", name="Register and read services").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second centre")
    switches = page.get_by_role("switch")
    expect(switches).to_have_count(7)
    assert {one.get_attribute("aria-checked") for one in switches.all()} == {"false"}
    expect(page.get_by_text("An operator of the portal has to approve")).to_be_visible()
    piet.picture("1-registered", whole=True)


def hello(piet: Person) -> Locator:
    return piet.page.locator("li", has=piet.page.get_by_role("switch", name="Hello"))


def switched_on_and_priced(piet: Person) -> None:
    hello(piet).get_by_role("switch").click()
    piet.is_told("is switched on")
    expect(hello(piet).get_by_role("switch")).to_have_attribute("aria-checked", "true")
    hello(piet).get_by_role("link", name="Prices").click()
    piet.page.get_by_label("Unit of price 1").select_option("JOB")
    piet.page.get_by_label("Price 1 in credits").fill("0.25")
    piet.page.get_by_role("button", name="Publish prices").click()
    piet.is_told("Version 1 of the prices is published")
    piet.open(f"/providers/{SECOND}/")
    expect(hello(piet)).to_contain_text("0.25 CRD")
    piet.picture("2-priced", whole=True)


def offered(rosa: Person) -> bool:
    page = rosa.open(f"/apps/{rosa.stack.demo['app']}/")
    return page.locator("article.service", has_text="Second centre").count() == 1


def approved(olga: Person, queue: Path) -> None:
    """In the administration: where its usage comes from, and the approval."""
    page = olga.open("/admin/providers/provider/")
    page.get_by_role("link", name="Second centre").click()
    page.get_by_label("Usage queue").fill(str(queue))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Second centre")
    row.get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("approve")
    page.get_by_role("button", name=re.compile("Run|Go")).click()
    expect(page.locator(".messagelist")).to_contain_text("1 approved")
    olga.picture("1-approved")


def put_into_the_application(olga: Person) -> None:
    page = olga.open("/admin/thematic_apps/thematicapp/")
    page.get_by_role("link", name="Land cover of the demo city").click()
    available = page.locator("#id_services_from")
    service = available.locator("option", has_text=f"({SECOND}.hello)")
    available.select_option(service.get_attribute("value"))
    page.locator("#id_services_add, #id_services_add_link").first.click()
    expect(page.locator("#id_services_to option", has_text=SECOND)).to_have_count(1)
    olga.picture("2-application", whole=True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def used(rosa: Person) -> None:
    job = rosa.start(f"{SECOND}.hello", Name="Rosa")
    expect(rosa.page.locator("#job-values")).to_contain_text("Hello Rosa", timeout=60_000)
    assert rosa.charged(job) == Decimal("0.25")


def income(piet: Person) -> None:
    page = piet.open(f"/providers/{SECOND}/")
    expect(page.get_by_role("region", name="Usage and income")).to_contain_text("0.25")


def ledger_checked(olga: Person) -> None:
    page = olga.open("/operator/")
    page.get_by_role("button", name="Check the ledger now").click()
    checked = page.get_by_role("region", name="Ledger check")
    expect(checked).to_contain_text("Every transfer balances")
    olga.picture("3-ledger")
