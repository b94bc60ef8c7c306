"""The transition table and what a provider's words make of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.states import FINAL, TRANSITIONS, State, allowed, way

states = st.sampled_from(list(State))


def test_the_table_has_its_48_transitions() -> None:
    assert sum(len(new) for new in TRANSITIONS.values()) == 48


@given(states, states)
def test_a_way_is_made_of_allowed_steps_and_ends_where_it_was_told(old: State, told: State) -> None:
    steps = way(old, told)
    for before, after in zip((old, *steps), steps, strict=False):
        assert allowed(before, after)
    assert not steps or steps[-1] == told


def test_final_states_are_left_only_by_a_download_or_a_resubmission() -> None:
    left = {(old, new) for old in FINAL for new in TRANSITIONS.get(old, frozenset())}
    assert left == {
        (State.COMPLETED, State.DOWNLOADED),
        (State.SUBMIT_FAILED, State.SUBMITTED),
    }
