"""Seals show what somebody changed behind the ledger's back."""

from __future__ import annotations

import hashlib
import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection

from accounting.accounts import user_account
from accounting.check import findings
from accounting.models import Entry, Seal
from accounting.statements import entries, seals
from accounting.statements.entries import chunks
from accounting.statements.seals import seal, seal_due, verify
from tests.accounting.postings import START, book
from tests.accounting.scene import Scene
from tests.factories import make_user
from tests.flush import triggers_off


@pytest.mark.django_db
def test_seals_follow_each_other_and_are_made_once(clock) -> None:
    account = user_account(make_user())
    assert seal(account) is None
    for amount in (1, 2, 3):
        book(account, amount)
    first = seal(account)
    assert first is not None
    assert (first.from_version, first.to_version, first.previous_hash) == (1, 3, seals.BEFORE_ALL)
    assert seal(account) == first
    book(account, 4)
    assert seal_due(START) == 1  # the issuing account; this one was sealed today
    clock(START + timedelta(days=1))
    assert seal_due(START + timedelta(days=1)) == 1
    second = account.seals.last()
    assert (second.from_version, second.previous_hash) == (4, first.hash)
    assert seal_due(START + timedelta(days=1)) == 0
    assert verify(account) == []


# What only the owner of the database can do, and never shows in any sum.
DAMAGE = (
    "UPDATE acc_transfer SET reason = 'other' WHERE id = {transfer}",
    "UPDATE acc_transfer SET member_id = 4711 WHERE id = {transfer}",
    "UPDATE acc_transfer SET actor = 'user:1' WHERE id = {transfer}",
    "UPDATE acc_transfer SET created_at = '2024-01-10 13:00:00' WHERE id = {transfer}",
    "UPDATE acc_transfer SET effective_at = '2024-01-09 12:00:00' WHERE id = {transfer}",
    "UPDATE acc_transfer SET reference = 'job' WHERE id = {transfer}",
    "UPDATE acc_transfer SET fingerprint = '' WHERE id = {transfer}",
    "UPDATE acc_entry SET amount = amount + 1, balance_after = balance_after + 1"
    " WHERE transfer_id = {transfer}",
    "DELETE FROM acc_entry WHERE transfer_id = {transfer}",
    "UPDATE acc_entry SET version = version + 100 WHERE transfer_id = {transfer}",
    "UPDATE acc_seal SET hash = previous_hash WHERE account_id = {account}",
    "UPDATE acc_seal SET form = 2 WHERE account_id = {account}",
    "DELETE FROM acc_seal WHERE account_id = {account} AND from_version = 1",
)


@pytest.mark.django_db
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_row_changed_by_the_owner_is_found(clock, damage: str) -> None:
    account = user_account(make_user())
    victim = [book(account, amount) for amount in (10, 20, 30)][1]
    seal(account)
    book(account, 40)
    seal(account)
    assert verify(account) == []
    connection.check_constraints()
    key = victim.pk.hex if connection.vendor == "sqlite" else str(victim.pk)
    with triggers_off() as cursor:
        cursor.execute(damage.format(transfer=f"'{key}'", account=account.pk))
    found = verify(account)
    assert found
    assert all(account.code in text for text in found)
    assert set(found) <= set(findings())


@pytest.mark.django_db
def test_the_form_of_a_sealed_line_never_changes(clock) -> None:
    account = user_account(make_user())
    booked = book(account, 1_500_000, reason='=1+"ł"\n', member_id=7, actor="user:3")
    seal(account)
    line = (
        f'[1,1500000,1500000,"{booked.pk}","single","GRANT",{booked.debit_id},{account.pk},1500000,'
        f'null,null,false,7,"user:3","=1+\\"ł\\"\\n","","{booked.fingerprint}",'
        '"2024-01-10T12:00:00.000000Z","2024-01-10T12:00:00.000000Z"]'
    )
    text = f"{'0' * 64}\n{line}\n"
    assert account.seals.get().hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.django_db
def test_memory_does_not_grow_with_the_entries(clock, monkeypatch) -> None:
    scene = Scene(credits=1)

    def peak(count: int) -> int:
        for _number in range(count):
            book(scene.account, 1)
        tracemalloc.start()
        list(map(len, chunks(scene.account, 1, count)))
        verify(scene.account)
        seal(scene.account)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    monkeypatch.setattr(seals, "_CHUNK", 100)
    monkeypatch.setattr(entries, "CHUNK", 100)
    small, large = peak(300), peak(1200)
    assert Seal.objects.filter(account=scene.account).count() == 2
    assert Entry.objects.filter(account=scene.account).count() == 1501
    assert large < small * 1.5
