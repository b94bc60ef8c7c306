"""The ledger against a plain one in Python: every answer and every balance, for years.

LEDGER_OPERATIONS sets the number, LEDGER_SEED the game.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from accounting.check import findings
from accounting.models import Entry, Transfer
from tests.accounting.game import Game

OPERATIONS = int(os.environ.get("LEDGER_OPERATIONS", "20000"))
SEED = int(os.environ.get("LEDGER_SEED", "20260714"))


@pytest.mark.timeout(3000)  # a minute on a free machine, many on a busy one
@pytest.mark.django_db(transaction=True)
def test_every_answer_and_balance_is_that_of_a_plain_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # no crash is tested here: save the waiting
            cursor.execute("SET synchronous_commit = off")
    game = Game(SEED)
    monkeypatch.setattr(timezone, "now", lambda: game.at)
    answers: Counter[str] = Counter()
    while game.operations < OPERATIONS:
        game.tick()
        if game.chance(1.7):
            game.rule()
        answers += game.several() if game.chance(1.5) else game.one()
        if game.chance(0.1):
            game.compare()
    game.compare()
    assert findings() == []
    assert Transfer.objects.count() == len(game.book.done) == answers["True"]
    assert Entry.objects.count() == sum(h.version for h in game.book.holders.values())
    # The game was a real one: everything happened, and often.
    assert answers["True"] > OPERATIONS / 3
    assert game.most_caps > 8
    for happened in (
        *("False", "batch", "refused batch"),
        *("Conflict", "InsufficientCredit", "MemberLimitReached", "InvalidInput"),
    ):
        assert answers[happened] > 20, answers
    assert answers["NotFound"] > 20
