"""Every page in a browser: accessible in both themes, silent, at home on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from common.clock import now
from tests.pages.catalogues import coast, records_sent
from tests.pages.people import something_of_each
from tests.pages.stage import Stage

TABS = ("results", "inputs", "cost", "sharing", "catalogue", "log", "script")


def pages_of(stage: Stage) -> dict[str, list[str]]:
    """Role → pages to look at."""
    done, running, failed = stage.succeeded(), stage.running(), stage.failed()
    job = f"/jobs/{done.pk}/"
    app = f"/apps/{stage.app.slug}/"
    group = f"/groups/{stage.group.slug}/"
    provider = f"/providers/{stage.provider.slug}/"
    request, charge = something_of_each(stage, done)
    source, package = coast(stage)
    run = records_sent(stage)
    requests = [f"{group}credit/requests/?tab={tab}" for tab in ("credit", "disputes", "holds")]
    return {
        "researcher": [
            "/", "/apps/", app, f"{app}services/{stage.service.public_identifier}/", "/jobs/",
            f"/jobs/{running.pk}/", f"/jobs/{failed.pk}/", job,
            *(f"{job}?tab={tab}" for tab in TABS),
            "/catalogue/", "/catalogue/scenes/scene-1/", "/catalogue/?source=portal&source=coast",
            "/sources/", f"/sources/{source.slug}/", f"/sources/{source.slug}/results",
            f"/sources/{source.slug}/entry?collection=mosaics&id=mosaic-3",
            "/packages/", f"/packages/{package.pk}/", f"/credit/{stage.account.pk}/",
            "/groups/", group, "/providers/", "/profile/", "/accounts/sessions/",
            "/help/",
            f"/credit/{stage.account.pk}/requests/ask?quote={done.quote_id}", request, charge,
        ],
        "provider_owner": [
            f"{provider}requests/", charge, f"{provider}harvest/",
            f"{provider}harvest/{run.source_id}/", f"{provider}harvest/{run.source_id}/preview/",
            f"{provider}harvest/{run.source_id}/runs/{run.pk}/",
        ],
        "admin": [
            *requests, request, group, f"{group}credit/",
            *(f"{group}credit/{part}/" for part in ("members", "grants", "settings")),
            *(f"/credit/{stage.account.pk}/{part}/" for part in ("statements", "spending")),
            f"/credit/{stage.account.pk}/statements/{now():%Y-%m}/",
        ],
        "operator": [
            "/operator/requests/", "/operator/requests/?tab=approvals",
            f"{provider}prices/?edit=ndvi", "/operator/prices/",
            f"{provider}services/{stage.service.pk}/estimate/",
            f"/sources/{source.slug}/", provider, f"{provider}settings/",
            "/operator/", "/operator/accounts/", "/operator/setup/",
            f"{provider}settings/?section=connection", f"{provider}settings/?section=trust",
            f"{provider}history/", f"{provider}history/?view=readings", f"{provider}maintenance/",
            f"{provider}services/{stage.service.pk}/", "/providers/",
        ],
        "stranger": ["/", "/apps/", "/jobs/", "/credit/", "/groups/"],
        "": ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "role", ["researcher", "admin", "provider_owner", "operator", "stranger", ""]
)
def test_accessible_silent_and_never_too_wide(stage: Stage, window: Any, role: str) -> None:
    """axe in both themes; no complaint of the browser, no other host; 320 to 1440 px."""
    user = getattr(stage, role) if role else None
    wrong = {}
    shown = window(user, reduced_motion="reduce")
    for address in pages_of(stage)[role]:
        page = shown.open(address)
        found = []
        for scheme in ("light", "dark"):
            shown.show_in(scheme)
            found += [f"{scheme}: {text}" for text in shown.violations()]
        for width in (320, 390, 768, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            reach = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{reach} px wide at {width} px"] if reach > width else []
        found += shown.complaints
        shown.complaints.clear()
        if found:
            wrong[address] = found
    assert wrong == {}
