"""The portal with views that fail in every way, to see what becomes of it."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.urls import path

import portal.urls
from common import errors
from portal.urls import handler400, handler403, handler404, handler500  # noqa: F401

RAISED = {
    "input": errors.InvalidInput("The threshold is too high.", locator="threshold"),
    "anonymous": errors.NotAuthenticated(),
    "forbidden": errors.Forbidden("Not with <b>this</b> role."),
    "absent": errors.NotFound(),
    "conflict": errors.QuoteExpired(),
    "credit": errors.InsufficientCredit("3 credits are missing."),
    "limited": errors.RateLimited(),
    "provider": errors.ProviderTimeout(),
    "django404": Http404("internal reason"),
    "django403": PermissionDenied("internal reason"),
    "django400": SuspiciousOperation("internal reason"),
    "broken": RuntimeError("internal reason /srv/portal/secret.py"),
}


def fail(request, what, job_id=None):
    raise RAISED[what]


urlpatterns = [
    *portal.urls.urlpatterns,
    path("api/fail/<what>", fail),
    path("fail/<what>", fail),
    path("fail/<what>/<uuid:job_id>", fail),
]
