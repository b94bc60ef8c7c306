"""Many processes on few accounts, some of them killed: the books stay in order."""

from __future__ import annotations

import signal
from pathlib import Path
from uuid import uuid4

import pytest

from accounting.accounts import provider_account, system_account
from accounting.ledger import post
from accounting.models import Account, AccountChange, MemberCap, Phase, TransferKind
from common.clock import now
from tests.processes import SharedDatabase

STORMERS, VICTIMS = 8, 3
OPERATIONS = 700

# The invariants, in words of their own: nothing here comes from accounting.check.
INVARIANTS = {
    "money neither comes nor goes": """
        SELECT currency FROM acc_account GROUP BY currency HAVING sum(posted) <> 0""",
    "two entries that cancel out": """
        SELECT transfer_id FROM acc_entry GROUP BY transfer_id
        HAVING count(*) <> 2 OR sum(amount) <> 0""",
    "every movement has entries, nothing else does": """
        SELECT id FROM acc_transfer t WHERE (phase IN ('single', 'post'))
            <> EXISTS (SELECT 1 FROM acc_entry e WHERE e.transfer_id = t.id)""",
    "the entries tell what the transfer says": """
        SELECT e.id FROM acc_entry e JOIN acc_transfer t ON t.id = e.transfer_id
         WHERE e.amount <> CASE e.account_id WHEN t.debit_id THEN -t.amount
                                             WHEN t.credit_id THEN t.amount ELSE 0 END""",
    "posted is the sum of the entries, version their number": """
        SELECT code FROM acc_account a
         WHERE posted <> (SELECT coalesce(sum(amount), 0) FROM acc_entry WHERE account_id = a.id)
            OR version <> (SELECT count(*) FROM acc_entry WHERE account_id = a.id)""",
    "versions without a gap, balances that run": """
        SELECT e.id FROM acc_entry e LEFT JOIN acc_entry p
            ON p.account_id = e.account_id AND p.version = e.version - 1
         WHERE e.balance_after <> coalesce(p.balance_after, 0) + e.amount
            OR (p.id IS NULL AND e.version <> 1)""",
    "held is the sum of the open holds": """
        SELECT code FROM acc_account a WHERE held <> (
            SELECT coalesce(sum(amount), 0) FROM acc_transfer h
             WHERE h.debit_id = a.id AND h.phase = 'pending'
               AND h.id NOT IN (SELECT pending_id FROM acc_transfer WHERE pending_id IS NOT NULL))
        """,
    "nobody is below the floor": """
        SELECT code FROM acc_account WHERE floor IS NOT NULL AND posted - held < floor""",
    "a hold is resolved once": """
        SELECT pending_id FROM acc_transfer WHERE pending_id IS NOT NULL
         GROUP BY pending_id HAVING count(*) > 1""",
    "a member stays within the limit, which counts right": """
        SELECT member_id FROM acc_cap c
         WHERE used + held > limit_
            OR used <> (SELECT coalesce(sum(t.amount), 0) FROM acc_transfer t
                          LEFT JOIN acc_transfer h ON h.id = t.pending_id
                         WHERE t.debit_id = c.account_id AND t.phase IN ('single', 'post')
                           AND coalesce(t.member_id, h.member_id) = c.member_id)
            OR held <> (SELECT coalesce(sum(h.amount), 0) FROM acc_transfer h
                         WHERE h.debit_id = c.account_id AND h.phase = 'pending'
                           AND h.member_id = c.member_id AND NOT EXISTS (
                               SELECT 1 FROM acc_transfer r WHERE r.pending_id = h.id))""",
    "two transfers of one transaction stand or fall together": """
        SELECT reference FROM acc_transfer WHERE reference <> ''
         GROUP BY reference HAVING count(*) % 2 <> 0""",
}


@pytest.fixture
def accounts() -> list[Account]:
    """Four accounts with little credit."""
    issue = system_account("issue")
    made = [provider_account(number) for number in (1, 2, 3, 4)]
    for account in made:
        post(
            id=uuid4(),
            phase=Phase.SINGLE,
            kind=TransferKind.GRANT,
            debit=issue,
            credit=account,
            amount=100,
        )
        for member_id in (1, 2):
            MemberCap.objects.create(account=account, member_id=member_id, limit_amount=300)
            told = {"member": member_id, "limit": 300, "period": ""}
            AccountChange.objects.create(
                account=account, actor="test", at=now(), what="cap", before=None, after=told
            )
    return made


@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("accounts")
def test_a_storm_with_deaths_leaves_the_books_in_order(tmp_path: Path) -> None:
    shared = SharedDatabase(tmp_path)
    victims = [shared.start("tests.accounting.storm", str(n), "0") for n in range(VICTIMS)]
    workers = [
        shared.start("tests.accounting.storm", str(n), str(OPERATIONS))
        for n in range(VICTIMS, STORMERS)
    ]
    try:
        for process in (*victims, *workers):
            assert process.stdout.readline() == "under way\n"
        for number, worker in enumerate(workers):
            said, _nothing = worker.communicate(timeout=3000)
            assert worker.returncode == 0, said
            if number < VICTIMS:  # in the middle of whatever it does
                victims[number].kill()
                assert victims[number].wait() == -signal.SIGKILL
    finally:
        for process in (*victims, *workers):
            process.kill()
            process.communicate()

    for invariant, broken_by in INVARIANTS.items():
        assert shared.rows(broken_by) == [], invariant
    booked = dict(shared.rows("SELECT phase, count(*) FROM acc_transfer GROUP BY phase"))
    assert min(booked[phase] for phase in ("single", "pending", "post", "void")) > 20, booked
    check = shared.start("manage", "check_ledger")
    said, _nothing = check.communicate(timeout=300)
    assert check.returncode == 0, said


@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("accounts")
def test_of_two_holds_for_the_last_credits_one_is_given(tmp_path: Path) -> None:
    shared = SharedDatabase(tmp_path)
    both = [shared.start("tests.accounting.last_credits") for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=300)[0] for process in both)
    assert said == ["held\n", "refused 0.000020\n"]
    [(posted, held)] = shared.rows("SELECT posted, held FROM acc_account WHERE code = 'provider:1'")
    assert (posted, held) == (100, 60)
