"""The states of a job, the transitions between them, and their phases. Pure data and functions."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    """Canonical states, common to every door and driver."""

    DRAFT = "DRAFT", _("draft")
    VALIDATED = "VALIDATED", _("validated")
    QUOTING = "QUOTING", _("asking for a quote")
    QUOTED = "QUOTED", _("quoted")
    QUOTE_REJECTED = "QUOTE_REJECTED", _("not quoted by the provider")
    QUOTE_FAILED = "QUOTE_FAILED", _("quote failed")
    SUBMITTED = "SUBMITTED", _("submitted")
    SUBMITTING = "SUBMITTING", _("being handed to the provider")
    SUBMIT_REJECTED = "SUBMIT_REJECTED", _("refused")
    SUBMIT_FAILED = "SUBMIT_FAILED", _("not handed over")
    ACCEPTED = "ACCEPTED", _("accepted")
    IN_PRODUCTION = "IN_PRODUCTION", _("running")
    SUSPENDED = "SUSPENDED", _("paused")
    CANCELLING = "CANCELLING", _("being dismissed")
    CANCELLED = "CANCELLED", _("dismissed")
    COMPLETED = "COMPLETED", _("succeeded")
    DOWNLOADED = "DOWNLOADED", _("downloaded")
    FAILED = "FAILED", _("failed")
    TERMINATED = "TERMINATED", _("ended")


FINAL = frozenset(
    {
        State.SUBMIT_REJECTED,
        State.SUBMIT_FAILED,
        State.CANCELLED,
        State.COMPLETED,
        State.DOWNLOADED,
        State.FAILED,
        State.TERMINATED,
    }
)
SUCCESSFUL = frozenset({State.COMPLETED, State.DOWNLOADED, State.TERMINATED})
# The provider has it and goes on with it.
RUNNING = frozenset({State.ACCEPTED, State.IN_PRODUCTION, State.SUSPENDED, State.CANCELLING})

S = State
TRANSITIONS: dict[State, frozenset[State]] = {
    S.DRAFT: frozenset({S.VALIDATED}),
    S.VALIDATED: frozenset({S.DRAFT, S.QUOTING, S.SUBMITTED}),
    S.QUOTING: frozenset({S.QUOTED, S.QUOTE_REJECTED, S.QUOTE_FAILED}),
    S.QUOTED: frozenset({S.SUBMITTED, S.DRAFT, S.VALIDATED}),
    S.QUOTE_REJECTED: frozenset({S.SUBMITTED, S.DRAFT}),
    S.QUOTE_FAILED: frozenset({S.QUOTING, S.SUBMITTED, S.DRAFT}),
    S.SUBMITTED: frozenset({S.SUBMITTING, S.SUBMIT_REJECTED, S.CANCELLED}),
    S.SUBMITTING: frozenset(
        {S.ACCEPTED, S.COMPLETED, S.SUBMIT_REJECTED, S.SUBMIT_FAILED, S.CANCELLED}
    ),
    S.SUBMIT_FAILED: frozenset({S.SUBMITTED}),
    S.ACCEPTED: frozenset({S.IN_PRODUCTION, S.SUSPENDED, S.CANCELLING, S.COMPLETED, S.FAILED}),
    S.IN_PRODUCTION: frozenset(
        {S.SUSPENDED, S.COMPLETED, S.FAILED, S.CANCELLING, S.ACCEPTED, S.TERMINATED}
    ),
    S.SUSPENDED: frozenset(
        {S.ACCEPTED, S.IN_PRODUCTION, S.CANCELLING, S.COMPLETED, S.FAILED, S.TERMINATED}
    ),
    S.CANCELLING: frozenset(
        {S.CANCELLED, S.ACCEPTED, S.IN_PRODUCTION, S.SUSPENDED, S.COMPLETED, S.FAILED}
    ),
    S.COMPLETED: frozenset({S.DOWNLOADED}),
}


def allowed(old: State, new: State) -> bool:
    """Whether a job may go from `old` to `new`."""
    return new in TRANSITIONS.get(old, frozenset())


# Steps that a provider's answer may leave out.
_BY_WAY_OF: dict[tuple[State, State], tuple[State, ...]] = {
    (S.SUBMITTING, S.IN_PRODUCTION): (S.ACCEPTED, S.IN_PRODUCTION),
    (S.SUBMITTING, S.SUSPENDED): (S.ACCEPTED, S.SUSPENDED),
    (S.SUBMITTING, S.FAILED): (S.ACCEPTED, S.FAILED),
    (S.ACCEPTED, S.CANCELLED): (S.CANCELLING, S.CANCELLED),
    (S.IN_PRODUCTION, S.CANCELLED): (S.CANCELLING, S.CANCELLED),
    (S.SUSPENDED, S.CANCELLED): (S.CANCELLING, S.CANCELLED),
}
# A provider that falls back is not followed: progress never goes back.
_BACKWARDS = frozenset(
    {
        (S.IN_PRODUCTION, S.ACCEPTED),
        (S.SUSPENDED, S.ACCEPTED),
        (S.CANCELLING, S.ACCEPTED),
        (S.CANCELLING, S.IN_PRODUCTION),
        (S.CANCELLING, S.SUSPENDED),
    }
)


def way(old: State, told: State) -> tuple[State, ...]:
    """The transitions that follow a provider's word `told`; empty when it changes nothing."""
    if (old, told) in _BACKWARDS:
        return ()
    if (old, told) in _BY_WAY_OF:
        return _BY_WAY_OF[old, told]
    return (told,) if allowed(old, told) else ()
