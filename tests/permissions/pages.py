"""The pages: whoever is not signed in is sent to sign in."""

from __future__ import annotations

from typing import Any

from catalogue_client.models import Item, Viewer
from catalogue_client.viewers.selectors import sendable
from tests.permissions.scene import (
    OPERATOR,
    Row,
    Scene,
    app,
    asked,
    charge,
    first_output,
    for_admins,
    for_charge,
    for_group,
    for_job,
    for_provider,
    for_users_of_the_app,
    group,
    job,
    key,
    member_id,
    offered,
    own_account,
    page,
    proposed,
    provider,
    public,
    running,
    second_output,
    shared_account,
    this_month,
)

VIEWER = {
    "label": "Maps", "code": "maps", "adapter": "geonode", "address": "http://127.0.0.1:9/maps",
    "options": "{}", "media_types": "text/plain",
}  # fmt: skip
NEW = {**VIEWER, "code": "other"}


def entry(s: Scene) -> dict[str, Any]:
    return {"collection": "results", "identifier": s.item}


def viewer(s: Scene) -> dict[str, Any]:
    del s
    place = {"label": "Maps", "adapter": "geonode", "address": "http://127.0.0.1:9/maps"}
    made, _ = Viewer.objects.get_or_create(code="maps", defaults=place)
    return {"viewer_id": made.pk}


def shown(s: Scene) -> dict[str, Any]:
    """The first file of the entry, for a viewer that takes whatever it is."""
    item = Item.objects.get(job_id=s.done.pk)
    file = next(sendable(item))
    viewer(s)
    Viewer.objects.update(media_types=[file.media_type])
    return {"viewer": "maps", "asset": file.key}


PAGES = (
    Row("pages:home", page()),
    Row("pages:help", page()),
    Row("pages:apps", page()),
    Row("pages:app", page(404, **for_group(200)), arguments=app),
    Row(
        "pages:run",
        page(404, **for_group(200)),
        arguments=lambda s: {**app(s), "public": s.service.public_identifier},
    ),
    Row(
        "pages:run_alone",
        page(404, **for_users_of_the_app(200, 200)),
        arguments=lambda s: {"public": s.service.public_identifier},
    ),
    Row("pages:jobs", page()),
    Row("pages:job", page(404, **for_job(200)), arguments=job),
    Row("pages:job_live", page(404, **for_job(200)), arguments=running),
    Row(
        "pages:job_dismiss",
        page(404, owner=302, admin=403, operator=302),
        "POST",
        arguments=running,
    ),
    Row("pages:output", page(404, **for_job(200)), arguments=first_output),
    Row("pages:preview", page(404, **for_job(200)), arguments=second_output),
    Row("pages:catalogue", page()),
    Row("pages:collection", public(), arguments=lambda _: {"identifier": "results"}),
    Row(
        "pages:collection",
        page(404),
        arguments=lambda _: {"identifier": "nothing"},
    ),
    Row(
        "pages:entry",
        page(404, owner=200, operator=200),
        arguments=lambda s: {"collection": "results", "identifier": s.item},
    ),
    Row("pages:entry_map", page(404, owner=200, operator=200), arguments=entry),
    Row("pages:entry_views", page(404, owner=200, operator=200), arguments=entry),
    Row("pages:entry_view", page(404, owner=302, operator=302), "POST", entry, shown),
    Row("pages:viewers", page(404, operator=200)),
    Row("pages:viewer_new", page(404, operator=200)),
    Row("pages:viewer_new", page(404, operator=302), "POST", body=lambda _: NEW),
    Row("pages:viewer", page(404, operator=200), arguments=viewer),
    Row("pages:viewer", page(404, operator=302), "POST", viewer, lambda _: VIEWER),
    Row("pages:viewer_act", page(404, operator=302), "POST", viewer, lambda _: {"action": "off"}),
    Row("pages:credit", page()),
    Row("pages:account", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:account", page(404, owner=200, operator=200), arguments=own_account),
    Row("pages:statement_csv", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:statement_csv", page(404, owner=200, operator=200), arguments=own_account),
    Row("pages:account_charts", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:account_charts", page(404, owner=200, operator=200), arguments=own_account),
    Row("pages:statements", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:statements", page(404, owner=200, operator=200), arguments=own_account),
    Row("pages:statement", page(404, **for_group(200)), arguments=this_month),
    Row("pages:statement_month_csv", page(404, **for_group(200)), arguments=this_month),
    Row("pages:statement_pdf", page(404, **for_group(200)), arguments=this_month),
    Row("pages:spending", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:spending", page(404, owner=200, operator=200), arguments=own_account),
    Row("pages:account_usage", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:account_usage", page(404, owner=200, operator=200), arguments=own_account),
    Row("pages:account_usage_csv", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:spending_csv", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:account_requests", page(404, **for_group(200)), arguments=shared_account),
    Row("pages:account_requests", page(404, owner=200, operator=200), arguments=own_account),
    Row(
        "pages:top_up_ask",
        page(404, **{**for_group(200), OPERATOR: 403}),
        arguments=shared_account,
    ),
    Row(
        "pages:top_up_ask",
        page(404, owner=302, operator=403),
        "POST",
        arguments=own_account,
        body=lambda _: {"amount": "1", "reason": "r", "key": "k2"},
    ),
    Row("pages:top_up", page(404, **for_job(200)), arguments=asked),
    Row(
        "pages:top_up",
        page(404, owner=403, admin=302, operator=302),
        "POST",
        arguments=asked,
        body=lambda _: {"action": "grant", "amount": "1"},
    ),
    Row(
        "pages:top_up",
        page(404, owner=302, admin=403, operator=403),
        "POST",
        arguments=asked,
        body=lambda _: {"action": "withdraw"},
    ),
    Row("pages:charge", page(404, **for_charge(200)), arguments=charge),
    Row(
        "pages:charge",
        page(404, owner=302, admin=302, provider=403, operator=403),
        "POST",
        arguments=charge,
        body=lambda _: {"action": "dispute", "text": "wrong"},
    ),
    Row(
        "pages:charge",
        page(404, owner=403, admin=403, provider=302, operator=302),
        "POST",
        arguments=charge,
        body=lambda _: {"action": "refund", "amount": "1", "reason": "r"},
    ),
    Row(
        "pages:hold_release",
        page(404, member=403, owner=403, admin=302, provider=302, operator=302),
        "POST",
        arguments=job,
        body=lambda _: {"reason": "r"},
    ),
    Row("pages:group_requests", page(404, **for_admins(200)), arguments=group),
    Row("pages:provider_requests", page(404, **for_provider(200)), arguments=provider),
    Row("pages:operator_requests", page(404, operator=200)),
    Row(
        "pages:operator_adjust",
        page(404, operator=302),
        "POST",
        body=lambda _: {"account": "x", "amount": "1", "reason": "r"},
    ),
    Row(
        "pages:operator_decide",
        page(404, operator=302),
        "POST",
        arguments=proposed,
        body=lambda _: {"action": "approve"},
    ),
    Row("pages:groups", page()),
    Row("pages:group", page(404, **for_group(200)), arguments=group),
    Row(
        "pages:group_add",
        page(404, **for_admins(302)),
        "POST",
        arguments=group,
        body=lambda s: {"name": s.stranger.username},
    ),
    Row(
        "pages:group_member",
        page(404, **for_admins(302)),
        "POST",
        arguments=member_id,
        body=lambda _: {"action": "remove"},
    ),
    Row("pages:group_credit", page(404, **for_admins(200)), arguments=group),
    Row("pages:group_limits", page(404, **for_admins(200)), arguments=group),
    Row(
        "pages:group_move",
        page(404, **for_admins(302)),
        "POST",
        arguments=member_id,
        body=lambda _: {"amount": "1", "reason": "r", "key": "k", "direction": "grant"},
    ),
    Row(
        "pages:group_cap",
        page(404, **for_admins(302)),
        "POST",
        arguments=member_id,
        body=lambda _: {"limit": "1"},
    ),
    Row("pages:providers", page()),
    Row("pages:provider", page(404, **for_provider(200)), arguments=provider),
    Row(
        "pages:provider_act",
        page(404, provider=403, operator=302),
        "POST",
        arguments=provider,
        body=lambda _: {"action": "suspend"},
    ),
    Row("pages:service_switch", page(404, **for_provider(302)), "POST", arguments=offered),
    Row("pages:service_estimate", page(404, **for_provider(200)), arguments=offered),
    Row(
        "pages:service_estimate",
        page(404, **for_provider(302)),
        "POST",
        arguments=offered,
        body=lambda _: {"action": "expected", "wall": "60", "cpu": "60"},
    ),
    Row("pages:provider_prices", page(404, **for_provider(200)), arguments=provider),
    Row(
        "pages:provider_prices",
        page(404, **for_provider(302)),
        "POST",
        arguments=provider,
        body=lambda _: {"unit-0": "JOB", "price-0": "1"},
    ),
    Row(
        "pages:provider_prices_withdraw",
        page(404, **for_provider(302)),
        "POST",
        arguments=lambda s: {**provider(s), "version": 1},
    ),
    Row("pages:default_prices", page(404, operator=200)),
    Row(
        "pages:default_prices",
        page(404, operator=302),
        "POST",
        body=lambda _: {"unit-0": "JOB", "price-0": "1"},
    ),
    Row("pages:default_prices_withdraw", page(404), "POST", arguments=lambda _: {"version": 9}),
    Row("pages:provider_settings", page(404, **for_provider(200)), arguments=provider),
    Row(
        "pages:provider_settings",
        page(404, **for_provider(200)),
        "POST",
        arguments=provider,
        body=lambda _: {"url": "not an address"},
    ),
    Row("pages:profile", page()),
    Row("pages:key_create", page(), "POST", body=lambda _: {"name": "k", "scopes": ["read"]}),
    Row("pages:key_revoke", page(404, owner=302), "POST", arguments=key),
    Row("pages:operator", page(404, operator=200)),
    Row("pages:operator_check", page(404, operator=200), "POST"),
    Row("pages:operator_setup", page(404, operator=200)),
    Row("pages:operator_issue", page(404, operator=200), "POST"),
)
