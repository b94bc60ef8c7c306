"""Doors of protocols, operations, and the addresses of django-allauth."""

from __future__ import annotations

from collections.abc import Callable

from tests.permissions.scene import (
    ANON,
    OPERATOR,
    PROVIDER,
    Row,
    Scene,
    door,
    first_output,
    for_group,
    for_job,
    for_users_of_the_app,
    item,
    job,
    of_result,
    page,
    public,
    statuses,
)

SCENE = (
    '{"type": "Feature", "id": "s", "geometry": {"type": "Point", "coordinates": [0, 0]},'
    ' "properties": {"datetime": "2026-01-01T00:00:00Z"}, "links": [], "assets": {}}'
)
CAPABILITIES_2 = "service=WPS&version=2.0.0&request=GetCapabilities"
CAPABILITIES = "service=WPS&version=1.0.0&request=GetCapabilities"


def execute(s: Scene) -> str:
    return (
        "service=WPS&version=1.0.0&request=Execute&storeExecuteResponse=true&status=true"
        f"&identifier={s.service.public_identifier}&DataInputs=message=x"
    )


def application(s: Scene) -> dict[str, str]:
    return {"application": s.app.slug}


def of_job(operation: str, which: str = "done") -> Callable[[Scene], str]:
    start = f"service=WPS&version=2.0.0&request={operation}&jobID="
    return lambda s: f"{start}{getattr(s, which).pk}"


DOORS = (
    Row("health_live", public()),
    Row("health_ready", public()),
    Row("metrics", statuses(404, anonymous=404, operator=200)),
    # The portal's own process is everybody's, so no list is empty.
    Row("wps", door(), query=lambda _: CAPABILITIES),
    # From a browser's session nothing is started by GET; whoever may not run it learns no more.
    Row("wps", door(400, **{**for_group(403), PROVIDER: 403, OPERATOR: 403}), query=execute),
    Row(
        "wps_of_provider",
        door(404, **for_users_of_the_app(200, 200)),
        arguments=lambda s: {"provider": s.provider.slug},
        query=lambda _: CAPABILITIES,
    ),
    Row("wps_status", door(404, **for_job(200)), arguments=job),
    Row("wps_output", door(404, **for_job(200)), arguments=first_output),
    Row(
        "wps_status_of_provider",
        door(404, **for_job(200)),
        arguments=lambda s: {"provider": s.provider.slug, "job_id": s.done.pk},
    ),
    Row(
        "wps_of_application",
        door(404, **for_group(200)),
        arguments=application,
        query=lambda _: CAPABILITIES,
    ),
    Row(
        "wps_of_application",
        door(404, **{**for_group(403), OPERATOR: 403}),
        arguments=application,
        query=execute,
    ),
    Row(
        "wps_status_of_application",
        door(404, **for_job(200)),
        arguments=lambda s: {**application(s), "job_id": s.done.pk},
    ),
    Row("wps_nothing", public(404), arguments=lambda _: {"rest": "a/b"}),
    Row("wps2_nothing", public(404), arguments=lambda _: {"rest": "a/b"}),
    Row("wps2", door(), query=lambda _: CAPABILITIES_2),
    Row("wps2", door(400, **for_job(200)), query=of_job("GetStatus")),
    Row("wps2", door(400, **for_job(200)), query=of_job("GetResult")),
    Row("wps2", door(400, owner=403, admin=403, operator=403), query=of_job("Dismiss", "running")),
    Row(
        "wps2_of_provider",
        door(404, **for_users_of_the_app(200, 200)),
        arguments=lambda s: {"provider": s.provider.slug},
        query=lambda _: CAPABILITIES_2,
    ),
    Row(
        "wps2_of_application",
        door(404, **for_group(200)),
        arguments=application,
        query=lambda _: CAPABILITIES_2,
    ),
    Row("oai", public(), query=lambda _: "verb=Identify"),
    Row("csw", public(), query=lambda _: "service=CSW&request=GetCapabilities"),
    Row("opensearch", public()),
    *(
        Row("opensearch_search", public(), arguments=lambda _, form=form: {"form": form})
        for form in ("atom", "geojson")
    ),
    Row("waf", public()),
    Row("waf_folder", public(), arguments=lambda _: {"identifier": "results"}),
    Row("waf_page", public(404), arguments=lambda _: {"identifier": "results", "number": "2"}),
    Row("waf_file", of_result(200), arguments=item),
    Row("pages:sitemap", public()),
    Row("pages:sitemap_part", public(404), arguments=lambda _: {"number": 2}),
    Row("pages:robots", public()),
    Row("stac", public()),
    Row("stac_conformance", public()),
    Row("stac_api", public()),
    Row("stac_collections", public()),
    Row("stac_search", public()),
    Row("stac_queryables", public()),
    Row("stac_queryables_of", public(), arguments=lambda _: {"identifier": "results"}),
    # The collection of results is nobody's: operators add to it; results follow their jobs.
    Row(
        "stac_items",
        door(403, operator=201),
        "POST",
        arguments=lambda _: {"identifier": "results"},
        body=lambda _: SCENE,
    ),
    *(
        Row("stac_item", door(403), method, arguments=item, body=lambda _: SCENE)
        for method in ("PUT", "PATCH", "DELETE")
    ),
    *(
        Row(name, of_result(200), arguments=lambda s, more=more: {**item(s), **more})
        for name, more in (
            ("stac_item", {}),
            ("owc_item", {"form": "atom"}),
            ("owc_item", {"form": "geojson"}),
        )
    ),
    Row("stac_collection", public(), arguments=lambda _: {"identifier": "results"}),
    Row("stac_items", public(), arguments=lambda _: {"identifier": "results"}),
    # The entry's document for who sees the entry; else the job's own for who sees the job.
    *(
        Row(
            "owc_job",
            {**door(404, **for_job(200)), ANON: 404},
            arguments=lambda s, name=name: {"job_id": getattr(s, name).pk, "form": "atom"},
        )
        for name in ("done", "running")
    ),
    *(
        Row(
            "owc_application",
            door(404, **for_group(200)),
            arguments=lambda s, form=form: {"slug": s.app.slug, "form": form},
        )
        for form in ("atom", "geojson")
    ),
)

# --- django-allauth ------------------------------------------------------------------------

ACCOUNTS = (
    Row("account_login", statuses(302, anonymous=200)),
    Row("account_signup", statuses(302, anonymous=200)),
    Row("account_logout", statuses(200, anonymous=302)),
    Row("account_inactive", public()),
    Row("account_reauthenticate", page()),
    Row("account_email", page()),
    Row("account_email_verification_sent", public()),
    Row("account_confirm_email", public(), arguments=lambda _: {"key": "x"}),
    Row("account_change_password", page()),
    Row("account_set_password", page(302)),
    Row("account_reset_password", public()),
    Row("account_reset_password_done", public()),
    Row("account_reset_password_from_key_done", public()),
    Row(
        "account_reset_password_from_key",
        public(),
        arguments=lambda _: {"uidb36": "1", "key": "set-password"},
    ),
    Row("account_confirm_login_code", public(302)),
    Row("mfa_index", page()),
    Row("usersessions_list", page()),
    Row("mfa_authenticate", public(302)),
    Row("mfa_reauthenticate", page(302)),
    Row("mfa_activate_totp", page(302)),
    Row("mfa_deactivate_totp", page(404)),
    Row("mfa_view_recovery_codes", page(404)),
    Row("mfa_generate_recovery_codes", page(302)),
    Row("mfa_download_recovery_codes", page(404)),
    Row("socialaccount_login_cancelled", public()),
    Row("socialaccount_login_error", public(401)),
    Row("socialaccount_signup", public(302)),
    Row("socialaccount_connections", page()),
    Row("openid_connect_login", public(404), arguments=lambda _: {"provider_id": "none"}),
    Row("openid_connect_callback", public(404), arguments=lambda _: {"provider_id": "none"}),
)
