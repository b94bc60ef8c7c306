"""One of two who want the last credits: waits for a line on its input, then asks for its hold."""

from __future__ import annotations

import sys
from uuid import uuid4

import django

django.setup()

from accounting.ledger import post  # noqa: E402 (Django's models need it set up)
from accounting.models import Account, Phase, TransferKind  # noqa: E402
from common.errors import InsufficientCredit  # noqa: E402

payer = Account.objects.get(code="provider:1")
payee = Account.objects.get(code="provider:2")
print("ready", flush=True)  # noqa: T201
sys.stdin.readline()
try:
    post(
        id=uuid4(),
        phase=Phase.PENDING,
        kind=TransferKind.HOLD,
        debit=payer,
        credit=payee,
        amount=60,
    )
    print("held", flush=True)  # noqa: T201
except InsufficientCredit as refusal:
    print(f"refused {refusal.data['shortfall']}", flush=True)  # noqa: T201
