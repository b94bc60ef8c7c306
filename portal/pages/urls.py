"""The addresses of the pages."""

from __future__ import annotations

from django.urls import path

from portal.pages import (
    apps,
    catalogue,
    credit,
    group_credit,
    groups,
    home,
    jobs,
    operator,
    outputs,
    profile,
    provider_settings,
    providers,
    rates,
    run,
)

app_name = "pages"
urlpatterns = [
    path("", home.home, name="home"),
    path("help/", home.help_page, name="help"),
    path("apps/", apps.apps, name="apps"),
    path("apps/<slug:slug>/", apps.app, name="app"),
    path("apps/<slug:slug>/services/<path:public>/", run.run, name="run"),
    path("services/<path:public>/", run.run, name="run_alone"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/", jobs.job, name="job"),
    path("jobs/<uuid:job_id>/live", jobs.live, name="job_live"),
    path("jobs/<uuid:job_id>/dismiss", jobs.dismiss, name="job_dismiss"),
    path("jobs/<uuid:job_id>/outputs/<int:number>", outputs.output, name="output"),
    path("jobs/<uuid:job_id>/outputs/<int:number>/preview", outputs.preview, name="preview"),
    path("catalogue/", catalogue.catalogue, name="catalogue"),
    path("catalogue/<str:collection>/<str:identifier>/", catalogue.entry, name="entry"),
    path("credit/", credit.credit, name="credit"),
    path("credit/<int:account_id>/", credit.account, name="account"),
    path("credit/<int:account_id>/statement.csv", credit.statement_csv, name="statement_csv"),
    path("groups/", groups.groups, name="groups"),
    path("groups/<slug:slug>/", groups.group, name="group"),
    path("groups/<slug:slug>/members/", groups.add_member, name="group_add"),
    path("groups/<slug:slug>/members/<int:user_id>/", groups.change_member, name="group_member"),
    path("groups/<slug:slug>/credit/", group_credit.group_credit, name="group_credit"),
    path(
        "groups/<slug:slug>/credit/<int:user_id>/move",
        group_credit.move_credit,
        name="group_move",
    ),
    path("groups/<slug:slug>/credit/<int:user_id>/cap", group_credit.set_cap, name="group_cap"),
    path("providers/", providers.providers, name="providers"),
    path("providers/<slug:slug>/", providers.provider, name="provider"),
    path("providers/<slug:slug>/settings/", provider_settings.settings, name="provider_settings"),
    path("providers/<slug:slug>/act", providers.act, name="provider_act"),
    path(
        "providers/<slug:slug>/services/<int:service_id>/switch",
        providers.switch,
        name="service_switch",
    ),
    path(
        "providers/<slug:slug>/services/<int:service_id>/rates",
        rates.set_rates,
        name="service_rates",
    ),
    path("profile/", profile.profile, name="profile"),
    path("profile/keys/", profile.create_key, name="key_create"),
    path("profile/keys/<int:key_id>/revoke", profile.revoke_key, name="key_revoke"),
    path("operator/", operator.desk, name="operator"),
    path("operator/check", operator.check_ledger, name="operator_check"),
    path("operator/issue", operator.issue, name="operator_issue"),
]
