"""Every page in a browser: accessible in both themes, silent, at home on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.stage import Stage


def pages_of(stage: Stage) -> dict[str, list[str]]:
    """Role → pages to look at."""
    done, running, failed = stage.succeeded(), stage.running(), stage.failed()
    job = f"/jobs/{done.pk}/"
    app = f"/apps/{stage.app.slug}/"
    group = f"/groups/{stage.group.slug}/"
    return {
        "researcher": [
            "/", "/apps/", app, f"{app}services/{stage.service.public_identifier}/", "/jobs/",
            f"/jobs/{running.pk}/", f"/jobs/{failed.pk}/", job,
            *(f"{job}?tab={t}" for t in ("results", "inputs", "cost", "catalogue", "log", "script")),
            "/catalogue/", "/catalogue/scenes/scene-1/", f"/credit/{stage.account.pk}/",
            "/groups/", group, "/providers/", "/profile/", "/help/",
        ],
        "admin": [group, f"{group}credit/"],
        "operator": [f"/providers/{stage.provider.slug}/", "/operator/"],
        "stranger": ["/", "/apps/", "/jobs/", "/credit/", "/groups/"],
        "": ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"],
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_and_silent(stage: Stage, window: Any, scheme: str) -> None:
    wrong = {}
    for role, addresses in pages_of(stage).items():
        shown = window(getattr(stage, role) if role else None, color_scheme=scheme)
        for address in addresses:
            shown.open(address)
            found = [*shown.violations(), *shown.complaints]
            shown.complaints.clear()
            if found:
                wrong[f"{role} {address}"] = found
    assert wrong == {}


def test_nothing_scrolls_sideways(stage: Stage, window: Any) -> None:
    wrong = []
    for role, addresses in pages_of(stage).items():
        shown = window(getattr(stage, role) if role else None, reduced_motion="reduce")
        for address in addresses:
            page = shown.open(address)
            for width in (320, 390, 768, 1440):
                page.set_viewport_size({"width": width, "height": 800})
                reach = page.evaluate("document.documentElement.scrollWidth")
                if reach > width:
                    wrong.append((role, address, width, reach))
    assert wrong == []
