"""Doors of protocols, operations, and the addresses of django-allauth."""

from __future__ import annotations

from tests.permissions.scene import (
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

CAPABILITIES = "service=WPS&version=1.0.0&request=GetCapabilities"


def execute(s: Scene) -> str:
    return (
        "service=WPS&version=1.0.0&request=Execute&storeExecuteResponse=true&status=true"
        f"&identifier={s.service.public_identifier}&DataInputs=message=x"
    )


DOORS = (
    Row("health_live", public()),
    Row("health_ready", public()),
    Row("metrics", statuses(404, anonymous=404, operator=200)),
    # A capabilities document cannot be empty, so there is none for who may run nothing.
    Row("wps", door(stranger=403), query=lambda _: CAPABILITIES),
    Row("wps", door(400, **{**for_group(200), PROVIDER: 402, OPERATOR: 402}), query=execute),
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
    Row("stac", public()),
    Row("stac_conformance", public()),
    Row("stac_api", public()),
    Row("stac_collections", public()),
    Row("stac_search", public()),
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
    Row("owc_job", of_result(200), arguments=lambda s: {"job_id": s.done.pk, "form": "atom"}),
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
