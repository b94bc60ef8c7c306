"""Every address of the portal."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path

from portal import health, metrics
from portal.api.usage import PartnerRecords

# Operators sign in as everybody does: counted attempts, second factor, identity provider.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "portal.views.bad_request"
handler403 = "portal.views.forbidden"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/", include("portal.api.urls")),
    # Where TEP centres have always sent their records.
    re_path(
        r"^accounting/partners/(?P<provider>[-\w]+)/quantity/record/?$",
        PartnerRecords.as_view(),
        name="partner_records",
    ),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("wps_proxy.urls")),
    path("", include("catalogue_client.urls")),
    path("", include("thematic_apps.urls")),
    path("", include("jobs.urls")),
    path("", include("portal.pages.urls")),
]
