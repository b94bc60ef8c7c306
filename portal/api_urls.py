"""Every address of the REST API."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

import portal.openapi  # noqa: F401  tells the schema of our authentication
from accounting import api as accounts
from jobs import api as jobs
from people import api as people
from portal import api
from providers import api as providers
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
    path("jobs/", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>/", jobs.JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/dismiss/", jobs.JobDismissal.as_view(), name="job-dismiss"),
    path("jobs/<uuid:job_id>/events/", jobs.JobEvents.as_view(), name="job-events"),
    path("jobs/<uuid:job_id>/outputs/", jobs.JobOutputs.as_view(), name="job-outputs"),
    path(
        "jobs/<uuid:job_id>/outputs/<int:number>/content/",
        api.OutputContent.as_view(),
        name="job-output-content",
    ),
    path("jobs/<uuid:job_id>/cost/", jobs.JobCost.as_view(), name="job-cost"),
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
        accounts.AccountSpending.as_view(),
        name="account-spending",
    ),
    path("accounts/<int:account_id>/issues/", accounts.Issue.as_view(), name="account-issues"),
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
    path("groups/<slug:slug>/caps/<username:username>/", accounts.Cap.as_view(), name="group-cap"),
    path("usage-records/", api.UsageRecords.as_view(), name="usage-records"),
    path("providers/", providers.Providers.as_view(), name="providers"),
    path("providers/<slug:slug>/", providers.ProviderDetail.as_view(), name="provider"),
    path("providers/<slug:slug>/discovery/", providers.Discovery.as_view(), name="discovery"),
    path("providers/<slug:slug>/approval/", providers.Approval.as_view(), name="approval"),
    path("providers/<slug:slug>/suspension/", providers.Suspension.as_view(), name="suspension"),
    path(
        "providers/<slug:slug>/services/",
        providers.OfferedServices.as_view(),
        name="provider-services",
    ),
    path(
        "providers/<slug:slug>/services/<int:service_id>/",
        providers.OfferedService.as_view(),
        name="provider-service",
    ),
    path("providers/<slug:slug>/prices/", api.Prices.as_view(), name="prices"),
    path("api-keys/", people.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<int:key_id>/", people.ApiKeyDetail.as_view(), name="api-key"),
]
