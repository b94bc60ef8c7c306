"""Quotes: what they promise, and when they no longer stand."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.conf import settings

from accounting.accounts import user_account
from accounting.bills import open_bill
from accounting.models import Quote, Unit
from accounting.models.ledger import MOST
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.prices.quotes import check_quote
from common import clock
from common.errors import InvalidInput, QuoteExpired
from tests.accounting.scene import PROVIDER, SERVICE, Scene
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


def check(scene: Scene, quote: Quote, **changes: object) -> Quote:
    given = {"member": scene.member, "account": scene.account, "fingerprint": "f" * 64}
    return check_quote(changes.pop("quote_id", quote.pk), **{**given, **changes})  # type: ignore[arg-type]


def test_a_quote_lists_a_line_per_rate_and_says_where_its_quantity_comes_from(scene: Scene) -> None:
    quote = scene.quote()
    (line,) = quote.lines
    assert (line["unit"], line["quantity"], line["basis"]) == ("CPU_CORE_HOUR", "60", "expected")
    assert (line["price"], line["amount"], quote.total) == (360_000, 6_000, 6_000)
    assert quote.expires_at - quote.created_at == timedelta(seconds=settings.QUOTE_SECONDS)
    assert check(scene, quote, service_id=SERVICE) == quote


def test_a_service_without_rates_is_free(scene: Scene) -> None:
    assert (scene.quote(service_id=SERVICE + 1).total, scene.quote(provider_id=77).total) == (0, 0)
    assert scene.quote(provider_id=77).price_list is None


def test_the_promise_holds_when_prices_change(scene: Scene) -> None:
    quote = scene.quote()
    publish_rates(
        actor="x", provider_id=PROVIDER, rates={(SERVICE, Unit.CPU_CORE_HOUR): RateSpec(1)}
    )
    assert check(scene, quote).total == 6_000
    assert scene.quote().total == 1


def test_a_price_beyond_all_accounts_is_refused(scene: Scene) -> None:
    most = scene.quote(quantities={Unit.CPU_CORE_HOUR: (MOST // 100, "huge")})
    assert most.total == MOST
    with pytest.raises(InvalidInput):
        scene.quote(quantities={Unit.CPU_CORE_HOUR: (MOST // 100 + 1, "huge")})


def test_a_quote_for_anything_else_does_not_stand(scene: Scene) -> None:
    quote = scene.quote()
    for change in (
        {"member": make_user()},
        {"account": user_account(scene.member)},
        {"fingerprint": "0" * 64},
        {"service_id": SERVICE + 1},
        {"quote_id": uuid.uuid4()},
        {"quote_id": "no uuid"},
    ):
        with pytest.raises(QuoteExpired):
            check(scene, quote, **change)
    assert check(scene, quote, quote_id=str(quote.pk)) == quote


def test_a_quote_ends_at_its_second(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    quote = scene.quote()
    monkeypatch.setattr(
        "accounting.prices.quotes.now", lambda: quote.expires_at - timedelta(microseconds=1)
    )
    assert check(scene, quote) == quote
    monkeypatch.setattr("accounting.prices.quotes.now", lambda: quote.expires_at)
    with pytest.raises(QuoteExpired):
        check(scene, quote)
    assert clock.now() < quote.expires_at


def test_a_quote_is_used_once(scene: Scene) -> None:
    quote = scene.quote()
    open_bill(job_id=uuid.uuid4(), quote=quote, charge_unsuccessful=False, actor="test")
    with pytest.raises(QuoteExpired):
        check(scene, quote)
