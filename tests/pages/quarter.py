"""A quarter of a group's credit, and how to read its figures off pages, files and REST."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html
from pypdf import PdfReader

from accounting.credit.transfers import issue_credit
from accounting.ledger import post
from accounting.models import Entry, Phase, Transfer, TransferKind
from accounting.statements.monthly import close_due
from jobs.models import Job
from people.models import Membership
from tests.factories import CREDIT, make_user
from tests.pages.stage import Stage

MONTHS = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
HEAD = "date,transfer id,kind,reference,job,service,counterparty,member,debit,credit,balance,reason"
NAME = "Łukasz Ünal 李😀"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def move(*at: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: datetime(*at, tzinfo=UTC))

    return move


@pytest.fixture
def quarter(db: None, clock: Callable[..., None]) -> Stage:
    """Two closed months and a running one, with two members, refunds and hostile texts."""
    clock(2026, 1, 5)
    stage = Stage()
    stage.succeeded("=HYPERLINK(1)")
    stage.colleague = make_user(first_name="Łukasz", last_name="Ünal 李😀")  # type: ignore[attr-defined]
    Membership.objects.create(group=stage.group, user=stage.colleague)
    stage.researcher, ada = stage.colleague, stage.researcher
    clock(2026, 2, 7)
    job = stage.succeeded("Reed & <water>")
    clock(2026, 2, 8)
    give_back(job)
    stage.researcher = ada
    clock(2026, 3, 9, 10)
    stage.succeeded("Berlin, again")
    give(stage, "+SUM(A1)")
    close_due(timezone.now())
    return stage


def give_back(job: Job) -> None:
    charge = Transfer.objects.get(reference=str(job.pk), kind=TransferKind.CHARGE)
    post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.REFUND,
        debit=charge.credit,
        credit=charge.debit,
        amount=charge.amount // 3,
        reverses=charge,
        reference=charge.reference,
    )


def give(stage: Stage, reason: str) -> None:
    issue_credit(
        actor=stage.operator, account=stage.account, amount=7 * CREDIT // 3, reason=reason, key="k"
    )


def entries(stage: Stage, month: date | None = None, kind: str = "") -> list[Entry]:
    rows = Entry.objects.filter(account=stage.account).select_related("transfer")
    if month is not None:
        at = {"transfer__created_at__year": month.year, "transfer__created_at__month": month.month}
        rows = rows.filter(**at)
    return list((rows.filter(transfer__kind=kind) if kind else rows).order_by("version"))


def base(stage: Stage) -> str:
    return f"/credit/{stage.account.pk}"


def cells(page: html.HtmlElement, heading: str) -> list[str]:
    """The texts of a column, by the label that each cell bears."""
    found = page.xpath(f'//td[@data-label="{heading}"]')
    return [" ".join(cell.text_content().split()) for cell in found]


def number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-"))


def opened(client: Client, address: str) -> html.HtmlElement:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return html.fromstring(answer.content.decode())


def table(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(csv.DictReader(io.StringIO(content.decode())))


def paper(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())
