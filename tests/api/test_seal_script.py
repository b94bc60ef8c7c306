"""The script in docs/statements.md checks a chain of seals, as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from accounting.credit.transfers import issue_credit
from accounting.models import Seal
from accounting.statements import seals
from people.services import create_api_key
from tests.factories import CREDIT, World

DOCUMENT = Path(__file__).parents[2] / "docs" / "statements.md"


@pytest.mark.django_db(transaction=True)
def test_the_printed_script_finds_a_seal_that_does_not_hold(live_server):
    world = World()
    for number in range(2):
        gift = {"amount": CREDIT, "reason": "more", "key": f"k{number}"}
        issue_credit(actor=world.operator, account=world.account, **gift)
        seals.seal(world.account)
    assert Seal.objects.filter(account=world.account).count() == 2
    _, key = create_api_key(user=world.admin, name="seals", scopes=["read"])
    place = f"{live_server.url}/api/accounts/{world.account.pk}"
    known = {**os.environ, "ACCOUNT": place, "API_KEY": key}
    [script] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)

    def run(text: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", text]
        return subprocess.run(
            command, check=False, env=known, capture_output=True, text=True, timeout=60
        )

    good = run(script)
    assert (good.returncode, good.stderr) == (0, "")
    wrong = run(script.replace('"0" * 64', '"1" * 64'))
    assert "AssertionError: entries 1 to" in wrong.stderr
