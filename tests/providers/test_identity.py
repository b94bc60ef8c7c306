"""Who runs a job: what is told to whom, and that nobody else can say it."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from people.models import User
from providers import identity
from providers.identity import for_users, introduced, without_reserved
from providers.models import Provider
from providers.process import (
    ComplexDomain,
    ExecuteRequest,
    Identity,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    ProcessDescription,
)
from tests.factories import make_group, make_provider

ASKED = ExecuteRequest("p", (LiteralValue("n", "1"),))
FULL = ProcessDescription(
    "p",
    inputs=(
        InputDescription("n", LiteralDomain("integer")),
        *(InputDescription(one, LiteralDomain()) for one in sorted(identity.INPUTS)),
        InputDescription("quotation", LiteralDomain("boolean"), min_occurs=0),
    ),
)


def trusted(owner: User, **fields: object) -> Provider:
    return make_provider(owner, trusted=True, **fields)


def test_users_do_not_see_what_is_the_portals_to_fill() -> None:
    assert [one.identifier for one in for_users(FULL).inputs] == ["n"]


@pytest.mark.parametrize("quotable", [True, False])
def test_what_a_user_sends_for_it_is_taken_away(quotable: bool) -> None:
    sent = [LiteralValue(one.identifier, "x") for one in FULL.inputs]
    kept = [value.identifier for value in without_reserved(sent, quotable=quotable)]
    assert kept == (["n"] if quotable else ["n", "quotation"])


@pytest.mark.django_db
def test_a_trusted_provider_is_told() -> None:
    user = User.objects.create_user("ada", "ada@example.org", "a long pass phrase")
    group = make_group(members=(user,))
    sent = introduced(
        ASKED, provider=trusted(user), process=FULL, user=user, group=group, title="Prague"
    )
    assert sent.identity == Identity("ada", group.slug, "member", "X-Remote-")
    assert {value.identifier: value.value for value in sent.inputs} == {  # type: ignore[union-attr]
        "n": "1",
        "_T2InternalJobTitle": "Prague",
        "_T2Username": "ada",
        "_T2UserEmail": "ada@example.org",
        "_T2ResultsAnalysis": "none",
    }


@pytest.mark.django_db
def test_only_what_the_process_lists_is_filled() -> None:
    user = User.objects.create_user("ada", "", "a long pass phrase")
    inputs = (
        InputDescription("_T2Username", ComplexDomain()),
        InputDescription("_T2UserEmail", LiteralDomain()),
    )
    process = ProcessDescription("p", inputs=inputs)
    sent = introduced(ASKED, provider=trusted(user), process=process, user=user, group=None)
    assert sent.inputs == ASKED.inputs
    assert sent.identity == Identity("ada", "", "user", "X-Remote-")


PLAIN = "http://centre.example.org/wps"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "opened", "told"),
    [
        ({"trusted": False}, [], False),
        ({"trusted": True}, [], True),
        ({"trusted": True, "url": PLAIN}, [], False),
        ({"trusted": True, "url": PLAIN}, ["centre.example.org:80"], True),
        ({"trusted": True, "url": "http://10.1.2.3:8080/wps"}, ["10.0.0.0/8"], True),
        ({"trusted": True, "url": "http://10.1.2.3:8080/wps"}, ["192.168.0.0/16"], False),
    ],
)  # fmt: skip
def test_nobody_else_is_told(
    settings: Settings, fields: dict[str, object], opened: list[str], told: bool
) -> None:
    settings.OUTBOUND_ALLOW = opened
    user = User.objects.create_user("ada", "ada@example.org", "a long pass phrase")
    provider = make_provider(user, **fields)  # type: ignore[arg-type]
    sent = introduced(ASKED, provider=provider, process=FULL, user=user, group=None)
    assert (sent != ASKED) is told


def test_headers_carry_any_name() -> None:
    named = Identity("Žofie Nováková", "group 1", "admin", "Remote-").headers()
    assert named == {
        "Remote-User": "%C5%BDofie%20Nov%C3%A1kov%C3%A1",
        "Remote-Domain": "group%201",
        "Remote-Role": "admin",
    }
    assert Identity("ada@x+y.org").headers() == {"X-Remote-User": "ada@x+y.org"}
    assert Identity("a\r\nX-Other: 1").headers()["X-Remote-User"] == "a%0D%0AX-Other:%201"
