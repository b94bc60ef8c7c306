"""Every figure of statements and spending is the ledger's: on pages, in files, and through REST."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from accounting.accounts import system_account
from accounting.ledger import post
from accounting.models import Entry, Phase, TransferKind
from accounting.statements.monthly import close_due
from accounting.statements.pdf import MOST_LINES
from common.money import credits as in_credits
from common.money import show
from people.models import Membership
from tests.factories import give_credit, make_user
from tests.pages.conftest import client_of
from tests.pages.quarter import MONTHS, NAME, base, cells, entries, number, opened, paper, table
from tests.pages.stage import Stage

HEAD = "date,transfer id,kind,reference,job,service,counterparty,member,debit,credit,balance,reason"


def test_pages_csv_pdf_and_rest_say_what_the_ledger_says(quarter: Stage) -> None:
    client, balance = client_of(quarter.admin), 0
    for month in MONTHS:
        rows = entries(quarter, month)
        assert rows, month
        name = f"{month:%Y-%m}"
        credited = sum(e.amount for e in rows if e.amount > 0)
        debited = -sum(e.amount for e in rows if e.amount < 0)
        totals = [balance, credited, debited, balance + credited - debited]

        _page_says(client, f"{base(quarter)}/statements/{name}/", totals, rows)
        _csv_says(client, f"{base(quarter)}/statements/{name}.csv", rows)
        told = client.get(f"/api/accounts/{quarter.account.pk}/statements/{name}/").json()
        _rest_says(told, totals, rows)
        printed = paper(client, f"{base(quarter)}/statements/{name}.pdf")
        for e in rows:
            assert show(abs(e.amount)) in printed
            assert show(e.balance_after) in printed
        assert all(show(total) in printed for total in totals)
        assert (told["seal"] is None) == (month == MONTHS[-1])
        assert told["seal"] is None or told["seal"] in printed
        balance = totals[-1]
    quarter.account.refresh_from_db()
    assert balance == quarter.account.posted
    listed = opened(client, f"{base(quarter)}/statements/")
    assert cells(listed, "Closing") == [
        show(sum(e.amount for m in MONTHS[: n + 1] for e in entries(quarter, m))) for n in (1, 0)
    ]
    every = table(client, f"{base(quarter)}/statement.csv")
    assert [line["transfer id"] for line in every] == [str(e.transfer_id) for e in entries(quarter)]


def _page_says(client: Client, address: str, totals: list[int], rows: list[Entry]) -> None:
    page = opened(client, address)
    shown = [number(dd.text_content()) for dd in page.xpath('//dl[@class="stats"]//dd')]
    opening, credited, debited, closing = totals
    assert shown == [in_credits(v) for v in (opening, credited, -debited, closing)]
    booked = zip(cells(page, "Debit"), cells(page, "Credit"), strict=True)
    amounts = [number(debit or credit) for debit, credit in booked]
    assert amounts == [in_credits(e.amount) for e in rows]
    after = [in_credits(e.balance_after) for e in rows]
    assert [number(text) for text in cells(page, "Balance")] == after


def _csv_says(client: Client, address: str, rows: list[Entry]) -> None:
    lines = table(client, address)
    assert [line["transfer id"] for line in lines] == [str(e.transfer_id) for e in rows]
    for line, e in zip(lines, rows, strict=True):
        amount = Decimal(line["credit"] or 0) - Decimal(line["debit"] or 0)
        assert (amount, Decimal(line["balance"])) == (
            in_credits(e.amount),
            in_credits(e.balance_after),
        )


def _rest_says(told: dict[str, Any], totals: list[int], rows: list[Entry]) -> None:
    names = ("opening", "credits", "debits", "closing")
    assert [told[one] for one in names] == [show(v) for v in totals]
    assert [(line["debit"], line["credit"], line["balance"]) for line in told["lines"]] == [
        (show(max(0, -e.amount)), show(max(0, e.amount)), show(e.balance_after)) for e in rows
    ]


def test_the_csv_has_its_columns_and_starts_no_formula(quarter: Stage) -> None:
    answer = client_of(quarter.admin).get(f"{base(quarter)}/statements/2026-03.csv")
    text = b"".join(answer.streaming_content).decode()
    assert text.splitlines()[0] == HEAD
    charge, grant = csv.DictReader(io.StringIO(text))
    assert grant["credit"] == "2.333333"
    assert grant["reason"] == "'+SUM(A1)"
    assert (charge["job"], charge["service"], charge["member"]) == (
        "Berlin, again",
        "Vegetation index",
        "Ada Meadow",
    )
    assert charge["date"] == "2026-03-09T10:00:00Z"
    january = table(client_of(quarter.admin), f"{base(quarter)}/statements/2026-01.csv")
    assert january[1]["job"] == "'=HYPERLINK(1)"


def test_names_on_paper_are_readable_and_nothing_disappears(quarter: Stage) -> None:
    printed = paper(client_of(quarter.admin), f"{base(quarter)}/statements/2026-02.pdf")
    assert "Łukasz Ünal [U+674E][U+1F600]" in printed
    assert "Reed & <water>" in printed
    assert "Page 1 of 1" in printed
    assert "Wetland watch" in printed
    assert "1 February 2026 – 28 February 2026" in printed


def test_paper_is_bounded_and_says_so(quarter: Stage) -> None:
    post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.DEPOSIT,
        debit=system_account("issue"),
        credit=quarter.account,
        amount=1,
        reason="why? " * 5000,
    )
    for _number in range(MOST_LINES):
        give_credit(quarter.account, 1)
    answer = client_of(quarter.admin).get(f"{base(quarter)}/statements/2026-03.pdf")
    pages = PdfReader(io.BytesIO(answer.content)).pages
    last = " ".join(pages[-1].extract_text().split())
    assert f"Only the first {MOST_LINES} lines are printed" in last
    assert f"Page {len(pages)} of {len(pages)}" in last
    everything = table(client_of(quarter.admin), f"{base(quarter)}/statements/2026-03.csv")
    assert len(everything) == MOST_LINES + 3


def test_members_see_their_own_lines_and_no_balances(quarter: Stage) -> None:
    client = client_of(quarter.colleague)
    listed = opened(client, f"{base(quarter)}/statements/")
    assert "Only your own lines" in listed.text_content()
    assert cells(listed, "Closing") == []
    page = opened(client, f"{base(quarter)}/statements/2026-01/")
    assert "Nothing was booked" in page.text_content()
    assert not page.xpath('//dl[@class="stats"]')
    page = opened(client, f"{base(quarter)}/statements/2026-02/")
    assert len(cells(page, "Debit")) == 2
    assert cells(page, "Balance") == []
    lines = table(client, f"{base(quarter)}/statement.csv")
    assert [line["kind"] for line in lines] == ["CHARGE", "REFUND"]
    assert {line["balance"] for line in lines} == {""}
    assert table(client, f"{base(quarter)}/statements/2026-01.csv") == []
    printed = paper(client, f"{base(quarter)}/statements/2026-02.pdf")
    assert "Opening balance" not in printed
    assert "Ada" not in printed
    rest = f"/api/accounts/{quarter.account.pk}"
    (february, _january) = client.get(f"{rest}/statements/").json()["results"]
    assert {february[name] for name in ("opening", "closing", "credits", "debits")} == {None}
    assert client.get(f"{rest}/statements/2026-01/").json()["lines"] == []
    assert len(client.get(f"{rest}/statements/2026-02/").json()["lines"]) == 2
    rows = client.get(f"{rest}/spending/").json()
    assert [row["member"] for row in rows] == [quarter.colleague.username]
    (chart,) = opened(client, f"{base(quarter)}/charts").xpath("//figure[@data-chart]")
    assert "Ada" not in chart.text_content()


def test_anybody_can_check_the_seals_with_what_the_api_tells(quarter: Stage) -> None:
    """By the rule in the documentation, with nothing of the portal's code."""
    client, rest = client_of(quarter.admin), f"/api/accounts/{quarter.account.pk}"
    rows, address = [], f"{rest}/entries/?limit=2"
    while address:
        told = client.get(address).json()
        rows, address = rows + told["entries"], told["next"]
    assert told["form"] == 1
    previous = "0" * 64
    sealed = client.get(f"{rest}/seals/").json()["results"]
    for seal in sealed:
        text = previous + "\n"
        for row in rows[seal["from_version"] - 1 : seal["to_version"]]:
            text += json.dumps(list(row.values()), ensure_ascii=False, separators=(",", ":")) + "\n"
        assert seal["previous_hash"] == previous
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert seal["hash"] == previous
    assert sealed[-1]["hash"] == client.get(f"{rest}/statements/2026-02/").json()["seal"]
    assert NAME not in json.dumps(rows), "people are numbers in what is sealed"


def test_long_months_are_paged_by_key(quarter: Stage) -> None:
    for _number in range(150):
        give_credit(quarter.account, 1)
    client, address, found = client_of(quarter.admin), f"{base(quarter)}/statements/2026-03/", []
    path = address
    while address:
        page = opened(client, address)
        found += [number(text) for text in cells(page, "Balance")]
        following = page.xpath('//a[@rel="next"]/@href')
        address = path + following[0] if following else ""
    assert found == [in_credits(e.balance_after) for e in entries(quarter, MONTHS[2])]
    assert client.get(f"{path}?after=-1").status_code == 400
    assert client.get(f"{path}?after={10**30}").status_code == 400
    rest = f"/api/accounts/{quarter.account.pk}"
    for wrong in ("statements/2026-13/", "statements/2025-12/", "statements/2026-04/"):
        assert client.get(f"{rest}/{wrong}").status_code == 404
    for wrong in ("first=2026-05&last=2026-04", "first=2020-01", "last=9999-12", "last=x"):
        assert client.get(f"{rest}/spending/?{wrong}").status_code == 400
    for wrong in ("month=x", "until=9999-12", "month=2026-1"):
        assert client.get(f"{base(quarter)}/spending/?{wrong}").status_code == 400


@pytest.mark.parametrize(
    "part", ["statements/", "statements/2026-02/", "spending/", "charts", "statements/2026-02.pdf"]
)
def test_the_number_of_queries_does_not_grow(
    quarter: Stage, clock: Callable[..., None], part: str
) -> None:
    client = client_of(quarter.admin)
    client.get(f"{base(quarter)}/{part}")
    with CaptureQueriesContext(connection) as before:
        client.get(f"{base(quarter)}/{part}")
    clock(2026, 3, 20)
    for number_ in range(5):
        member = make_user()
        Membership.objects.create(group=quarter.group, user=member)
        quarter.researcher = member
        quarter.succeeded(f"More {number_}")
    clock(2026, 6, 2)
    close_due(timezone.now())
    clock(2026, 3, 21)
    with CaptureQueriesContext(connection) as after:
        client.get(f"{base(quarter)}/{part}")
    assert len(after) <= len(before)
