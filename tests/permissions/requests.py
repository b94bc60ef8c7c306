"""What people ask for and others decide, through the API; the pages are in pages.py."""

from __future__ import annotations

from tests.permissions.scene import (
    OPERATOR,
    Row,
    asked,
    charge,
    disputed,
    door,
    for_charge,
    for_group,
    for_job,
    job,
    own_account,
    proposed,
    shared_account,
)

TEXT = {"text": "r"}
MORE = {"amount": "1", "reason": "r"}

REQUESTS = (
    Row("api:top-ups", door()),
    Row(
        "api:top-up-ask",
        door(404, member=201, owner=409, admin=201, operator=403),
        "POST",
        arguments=shared_account,
        body=lambda _: MORE,
    ),
    Row(
        "api:top-up-ask",
        door(404, owner=201, operator=403),
        "POST",
        arguments=own_account,
        body=lambda _: MORE,
    ),
    Row("api:top-up", door(404, **for_job(200)), arguments=asked),
    Row(
        "api:top-up-decision",
        door(404, owner=403, admin=200, operator=200),
        "POST",
        arguments=asked,
        body=lambda _: {"decision": "grant"},
    ),
    Row(
        "api:top-up-answer",
        door(404, owner=409, admin=403, operator=403),
        "POST",
        arguments=asked,
        body=lambda _: TEXT,
    ),
    Row(
        "api:top-up-withdrawal",
        door(404, owner=200, admin=403, operator=403),
        "POST",
        arguments=asked,
    ),
    Row("api:charge", door(404, **for_charge(200)), arguments=charge),
    Row(
        "api:charge-refunds",
        door(404, owner=403, admin=403, provider=201, operator=201),
        "POST",
        arguments=charge,
        body=lambda _: {"amount": "0.1", "reason": "r"},
    ),
    Row(
        "api:charge-disputes",
        door(404, owner=409, admin=409, provider=403, operator=403),
        "POST",
        arguments=charge,
        body=lambda _: TEXT,
    ),
    Row("api:disputes", door()),
    Row("api:dispute", door(404, **for_charge(200)), arguments=disputed),
    Row(
        "api:dispute-resolution",
        door(404, owner=403, admin=403, provider=200, operator=200),
        "POST",
        arguments=disputed,
        body=lambda _: {"state": "ACCEPTED", "answer": "r"},
    ),
    Row("api:adjustments", door()),
    Row(
        "api:adjustments",
        door(404, **{**for_group(403), OPERATOR: 201}),
        "POST",
        body=lambda s: {"account": s.account.pk, **MORE},
    ),
    Row("api:adjustment", door(404, operator=200), arguments=proposed),
    Row("api:adjustment-approval", door(404, operator=200), "POST", arguments=proposed),
    Row(
        "api:adjustment-refusal",
        door(404, operator=200),
        "POST",
        arguments=proposed,
        body=lambda _: {"reason": "r"},
    ),
    Row("api:holds", door()),
    Row(
        "api:hold-release",
        door(404, member=403, owner=403, admin=409, provider=200, operator=200),
        "POST",
        arguments=job,
        body=lambda _: {"reason": "r"},
    ),
)
