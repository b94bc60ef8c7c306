"""The tab of the open page is in sight on a window that is narrower than the tabs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.stage import Stage

IN_SIGHT = """() => [...document.querySelectorAll('.tabs a[aria-current]')].every(tab => {
    const [t, s] = [tab.getBoundingClientRect(), tab.closest('.tabs').getBoundingClientRect()];
    return t.left >= s.left - 1 && t.right <= s.right + 1;
})"""


@pytest.mark.parametrize("part", ["", "grants/", "settings/"])
def test_the_open_tab_is_in_sight(stage: Stage, window: Any, part: str) -> None:
    shown = window(stage.admin, viewport={"width": 390, "height": 800})
    page = shown.open(f"/groups/{stage.group.slug}/credit/{part}")
    assert page.locator(".tabs a[aria-current]").count() >= 2
    assert page.evaluate(IN_SIGHT)
    assert not shown.complaints


def test_statements_of_a_group_and_who_pays_for_usage(stage: Stage, window: Any) -> None:
    narrow = {"viewport": {"width": 390, "height": 800}}
    for user, address in (
        (stage.admin, f"/credit/{stage.account.pk}/spending/"),
        (stage.operator, "/usage/names/"),
    ):
        page = window(user, **narrow).open(address)
        assert page.evaluate(IN_SIGHT), address
