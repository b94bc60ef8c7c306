"""The REST addresses of harvest sources."""

from __future__ import annotations

from django.urls import include, path

from portal.api import harvest, harvest_push

_SOURCE = [
    path("", harvest.HarvestDetail.as_view(), name="harvest-source"),
    path("preview/", harvest.HarvestPreview.as_view(), name="harvest-preview"),
    path("runs/", harvest.HarvestRuns.as_view(), name="harvest-runs"),
    path("runs/<int:run_id>/", harvest.HarvestRunDetail.as_view(), name="harvest-run"),
    path("runs/<int:run_id>/faults/", harvest.HarvestFaults.as_view(), name="harvest-faults"),
    path("decision/", harvest.HarvestDecision.as_view(), name="harvest-decision"),
    path("approval/", harvest.HarvestApproval.as_view(), name="harvest-approval"),
    path("token/", harvest.HarvestToken.as_view(), name="harvest-token"),
    path("records/", harvest_push.HarvestRecords.as_view(), name="harvest-records"),
    path("records/<path:record>/", harvest_push.HarvestRecord.as_view(), name="harvest-record"),
]

urlpatterns = [
    path("harvest-sources/<int:source_id>/", include(_SOURCE)),
    path(
        "providers/<slug:slug>/harvest-sources/",
        harvest.ProviderHarvest.as_view(),
        name="harvest-sources",
    ),
    path(
        "providers/<slug:slug>/harvest-previews/",
        harvest.ProviderHarvestPreview.as_view(),
        name="harvest-previews",
    ),
]
