"""Every address of the REST API."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

import portal.converters
import portal.openapi  # noqa: F401  tells the schema of our authentication
from accounting.api import accounts, credit, paid_usage, statements
from jobs import api as jobs
from people import api as people
from portal.api import prices, usage_looks, usage_names
from portal.api import providers as registered
from portal.api import root as api
from portal.api import statements as api_statements
from portal.api import usage as api_usage
from portal.api import usage_desk as api_usage_desk
from portal.api import usage_sources as api_usage_sources
from providers.api import offered, registrations, watch
from thematic_apps import api as apps

app_name = "api"


class UserNameConverter(StringConverter):
    """What Django lets a user name be."""

    regex = r"[\w.@+-]{1,150}"


register_converter(UserNameConverter, "username")

# How to use the API is no secret; what it answers is.
PUBLIC = {"authentication_classes": (), "permission_classes": (AllowAny,)}
schema = SpectacularAPIView.as_view(**PUBLIC)
openapi_page = SpectacularSwaggerSplitView.as_view(
    url_name="api:schema", template_name="api/docs.html", **PUBLIC
)

urlpatterns = [
    path("", api.Root.as_view(), name="root"),
    path("schema/", schema, name="schema"),
    path("docs/", openapi_page, name="docs"),
    path("services/", apps.Services.as_view(), name="services"),
    path("services/<int:service_id>/", apps.ServiceDetail.as_view(), name="service"),
    path("applications/", apps.Applications.as_view(), name="applications"),
    path("applications/<slug:slug>/", apps.ApplicationDetail.as_view(), name="application"),
    path("quotes/", jobs.Quotes.as_view(), name="quotes"),
    path("quotes/<uuid:quote_id>/", jobs.QuoteDetail.as_view(), name="quote"),
    path("jobs/", include("portal.api.job_urls")),
    path("accounts/", accounts.AccountList.as_view(), name="accounts"),
    path("accounts/<int:account_id>/", accounts.AccountDetail.as_view(), name="account"),
    path(
        "accounts/<int:account_id>/statement/",
        accounts.AccountStatement.as_view(),
        name="account-statement",
    ),
    path("accounts/<int:account_id>/holds/", accounts.AccountHolds.as_view(), name="account-holds"),
    path(
        "accounts/<int:account_id>/spending/",
        statements.Spending.as_view(),
        name="account-spending",
    ),
    path(
        "accounts/<int:account_id>/statements/",
        statements.Statements.as_view(),
        name="account-statements",
    ),
    path(
        "accounts/<int:account_id>/statements/<month:month>/",
        statements.Statement.as_view(),
        name="account-month",
    ),
    path(
        "accounts/<int:account_id>/statements/<month:month>/csv/",
        api_statements.StatementCsv.as_view(),
        name="account-month-csv",
    ),
    path(
        "accounts/<int:account_id>/statements/<month:month>/pdf/",
        api_statements.StatementPdf.as_view(),
        name="account-month-pdf",
    ),
    path(
        "accounts/<int:account_id>/usage/", paid_usage.AccountUsage.as_view(), name="account-usage"
    ),
    path(
        "accounts/<int:account_id>/usage/csv/",
        api_statements.UsageCsv.as_view(),
        name="account-usage-csv",
    ),
    path("accounts/<int:account_id>/seals/", statements.Seals.as_view(), name="account-seals"),
    path(
        "accounts/<int:account_id>/entries/", statements.Entries.as_view(), name="account-entries"
    ),
    path("accounts/<int:account_id>/issues/", accounts.Issue.as_view(), name="account-issues"),
    path("accounts/<int:account_id>/balance/", credit.Balance.as_view(), name="account-balance"),
    path("accounts/<int:account_id>/grants/", credit.Grants.as_view(), name="account-grants"),
    path("accounts/<int:account_id>/rules/", credit.Rules.as_view(), name="account-rules"),
    path("accounts/<int:account_id>/alerts/", credit.Alerts.as_view(), name="account-alerts"),
    path(
        "accounts/<int:account_id>/alerts/<int:alert_id>/",
        credit.AlertDetail.as_view(),
        name="account-alert",
    ),
    path("accounts/<int:account_id>/status/", credit.Status.as_view(), name="account-status"),
    path(
        "accounts/<int:account_id>/credit-limit/",
        credit.CreditLimit.as_view(),
        name="account-credit-limit",
    ),
    path(
        "accounts/<int:account_id>/overrun-policy/",
        credit.Policy.as_view(),
        name="account-overrun-policy",
    ),
    path("accounts/<int:account_id>/changes/", credit.Changes.as_view(), name="account-changes"),
    path("grants/<int:grant_id>/", credit.GrantDetail.as_view(), name="grant-detail"),
    path("grants/<int:grant_id>/cancellation/", credit.GrantCancellation.as_view(), name="grant"),
    path("rules/<int:rule_id>/", credit.Rule.as_view(), name="rule"),
    path("", include("portal.api.request_urls")),
    path("groups/", people.Groups.as_view(), name="groups"),
    path("groups/<slug:slug>/", people.GroupDetail.as_view(), name="group"),
    path("groups/<slug:slug>/members/", people.Members.as_view(), name="group-members"),
    path(
        "groups/<slug:slug>/members/<username:username>/",
        people.Member.as_view(),
        name="group-member",
    ),
    path("groups/<slug:slug>/grants/", accounts.Grant.as_view(), name="group-grants"),
    path("groups/<slug:slug>/take-backs/", accounts.TakeBack.as_view(), name="group-take-backs"),
    path("groups/<slug:slug>/caps/", credit.Caps.as_view(), name="group-caps"),
    path("groups/<slug:slug>/caps/<username:username>/", accounts.Cap.as_view(), name="group-cap"),
    path("usage-records/", api_usage.UsageRecords.as_view(), name="usage-records"),
    path("usage-records/rematch/", api_usage_desk.Rematch.as_view(), name="usage-records-rematch"),
    path(
        "usage-records/<int:record_id>/",
        usage_looks.UsageRecordDetail.as_view(),
        name="usage-record",
    ),
    path(
        "usage-records/<int:record_id>/assign/",
        api_usage_desk.RecordAssign.as_view(),
        name="usage-record-assign",
    ),
    path(
        "usage-records/<int:record_id>/release/",
        api_usage_desk.RecordRelease.as_view(),
        name="usage-record-release",
    ),
    path("usage-overview/", api_usage_desk.UsageOverview.as_view(), name="usage-overview"),
    path("usage-missing/", api_usage_desk.MissingUsage.as_view(), name="usage-missing"),
    path("usage-messages/", api_usage_desk.UsageMessages.as_view(), name="usage-messages"),
    path(
        "usage-messages/<str:message_id>/",
        api_usage_desk.UsageMessageDetail.as_view(),
        name="usage-message",
    ),
    path(
        "usage-messages/<str:message_id>/retry/",
        api_usage_desk.UsageMessageRetry.as_view(),
        name="usage-message-retry",
    ),
    path(
        "usage-messages/<str:message_id>/drop/",
        api_usage_desk.UsageMessageDrop.as_view(),
        name="usage-message-drop",
    ),
    path("usage-quarantine/", api_usage_desk.Quarantine.as_view(), name="usage-quarantine"),
    path(
        "usage-quarantine/<int:row_id>/",
        usage_looks.QuarantinedDetail.as_view(),
        name="usage-quarantined",
    ),
    path(
        "usage-quarantine/<int:row_id>/load/",
        api_usage_desk.QuarantinedLoad.as_view(),
        name="usage-quarantined-load",
    ),
    path(
        "usage-quarantine/<int:row_id>/drop/",
        api_usage_desk.QuarantinedDrop.as_view(),
        name="usage-quarantined-drop",
    ),
    path("usage-months/", usage_looks.UsageMonths.as_view(), name="usage-months"),
    path("usage-names/", usage_names.UsageNames.as_view(), name="usage-names"),
    path("usage-names/<int:name_id>/", usage_names.UsageNameDetail.as_view(), name="usage-name"),
    path("usage-sources/", api_usage_sources.UsageSources.as_view(), name="usage-sources"),
    path(
        "usage-sources/<int:source_id>/",
        api_usage_sources.UsageSourceDetail.as_view(),
        name="usage-source",
    ),
    path(
        "usage-sources/<int:source_id>/look/",
        api_usage_sources.UsageSourceLook.as_view(),
        name="usage-source-look",
    ),
    path("catalogue/", include("portal.api.catalogue_urls")),
    path("provider-trials/", watch.Trials.as_view(), name="provider-trials"),
    path("providers/", registered.Providers.as_view(), name="providers"),
    path("providers/<slug:slug>/", registrations.ProviderDetail.as_view(), name="provider"),
    path("providers/<slug:slug>/discovery/", registered.Discovery.as_view(), name="discovery"),
    path("providers/<slug:slug>/revenue/", api_usage_desk.Revenue.as_view(), name="revenue"),
    path("providers/<slug:slug>/approval/", registrations.Approval.as_view(), name="approval"),
    path(
        "providers/<slug:slug>/suspension/", registrations.Suspension.as_view(), name="suspension"
    ),
    path(
        "providers/<slug:slug>/changes/", registrations.Changes.as_view(), name="provider-changes"
    ),
    path(
        "providers/<slug:slug>/certificate/",
        registrations.Certificate.as_view(),
        name="provider-certificate",
    ),
    path(
        "providers/<slug:slug>/certificate/activation/",
        registrations.CertificateActivated.as_view(),
        name="provider-certificate-activation",
    ),
    path("providers/<slug:slug>/health/", watch.Health.as_view(), name="provider-health"),
    path("providers/<slug:slug>/trial/", watch.Trial.as_view(), name="provider-trial"),
    path(
        "providers/<slug:slug>/maintenance/", watch.Windows.as_view(), name="provider-maintenance"
    ),
    path(
        "providers/<slug:slug>/maintenance/<int:window_id>/",
        watch.Window.as_view(),
        name="provider-window",
    ),
    path(
        "providers/<slug:slug>/services/",
        offered.OfferedServices.as_view(),
        name="provider-services",
    ),
    path(
        "providers/<slug:slug>/services/<int:service_id>/",
        offered.OfferedService.as_view(),
        name="provider-service",
    ),
    path(
        "providers/<slug:slug>/services/<int:service_id>/versions/",
        offered.Versions.as_view(),
        name="provider-service-versions",
    ),
    path(
        "providers/<slug:slug>/services/<int:service_id>/versions/<int:number>/",
        offered.Version.as_view(),
        name="provider-service-version",
    ),
    path("", include("portal.api.harvest_urls")),
    path("providers/<slug:slug>/prices/", prices.Prices.as_view(), name="provider-prices"),
    path(
        "providers/<slug:slug>/prices/versions/",
        prices.PriceVersions.as_view(),
        name="provider-price-versions",
    ),
    path(
        "providers/<slug:slug>/prices/versions/<int:number>/",
        prices.PriceVersion.as_view(),
        name="provider-price-version",
    ),
    path(
        "providers/<slug:slug>/services/<int:service_id>/formulas/",
        prices.Formulas.as_view(),
        name="formulas",
    ),
    path("prices/", prices.Prices.as_view(), name="prices"),
    path("prices/versions/", prices.PriceVersions.as_view(), name="price-versions"),
    path("prices/versions/<int:number>/", prices.PriceVersion.as_view(), name="price-version"),
    path("api-keys/", people.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<int:key_id>/", people.ApiKeyDetail.as_view(), name="api-key"),
]
