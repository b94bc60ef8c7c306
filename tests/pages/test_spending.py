"""Spending by member, service and month is the ledger's, in charts, tables, CSV and REST."""

from __future__ import annotations

import json
from decimal import Decimal

from accounting.models import TransferKind
from common.money import credits as in_credits
from common.money import show
from tests.pages.conftest import client_of
from tests.pages.quarter import MONTHS, NAME, base, cells, entries, number, opened, table
from tests.pages.stage import Stage


def test_spending_says_what_the_ledger_says(quarter: Stage) -> None:
    client = client_of(quarter.admin)
    spent = {
        month: -sum(
            e.amount
            for kind in (TransferKind.CHARGE, TransferKind.REFUND)
            for e in entries(quarter, month, kind)
        )
        for month in MONTHS
    }
    assert entries(quarter, MONTHS[1], TransferKind.REFUND)
    rows = table(client, f"{base(quarter)}/spending.csv")
    assert [(r["month"], r["member"], Decimal(r["credits"])) for r in rows] == [
        ("2026-03", "Ada Meadow", in_credits(spent[MONTHS[2]])),
        ("2026-02", NAME, in_credits(spent[MONTHS[1]])),
        ("2026-01", "Ada Meadow", in_credits(spent[MONTHS[0]])),
    ]
    page = opened(client, f"{base(quarter)}/spending/")
    assert [number(text) for text in cells(page, "CRD")] == [Decimal(r["credits"]) for r in rows]
    for address in (f"{base(quarter)}/spending/", f"{base(quarter)}/charts"):
        charts = opened(client, address).xpath("//figure[@data-chart]")
        assert len(charts) == 2
        for chart in charts:
            data = json.loads(chart.get("data-chart"))
            summed = [
                sum(column) for column in zip(*(s["values"] for s in data["series"]), strict=True)
            ]
            assert summed[-3:] == list(spent.values())
            assert sum(summed[:-3]) == 0
            together = chart.xpath(".//tbody/tr[position() <= 3]/td[last()]/text()")
            assert together == [show(spent[month]) for month in reversed(MONTHS)]
    one = table(client, f"{base(quarter)}/spending.csv?member={quarter.colleague.pk}")
    assert [r["month"] for r in one] == ["2026-02"]
    one = table(client, f"{base(quarter)}/spending.csv?month=2026-03&service={quarter.service.pk}")
    assert [r["month"] for r in one] == ["2026-03"]
    assert table(client, f"{base(quarter)}/spending.csv?service={quarter.echo.pk}") == []
    told = client.get(f"/api/accounts/{quarter.account.pk}/spending/").json()
    assert [(row["month"], row["amount"]) for row in told] == [
        (f"{month:%Y-%m}", show(spent[month])) for month in reversed(MONTHS)
    ]
    assert {row["service"] for row in told} == {quarter.service.pk}
