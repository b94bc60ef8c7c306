"""The REST addresses of requests for credit, refunds, disputes and holds."""

from __future__ import annotations

from django.urls import path

from accounting.api import requests

urlpatterns = [
    path("accounts/<int:account_id>/top-ups/", requests.AccountTopUps.as_view(), name="top-up-ask"),
    path("top-ups/", requests.TopUps.as_view(), name="top-ups"),
    path("top-ups/<uuid:pk>/", requests.TopUpDetail.as_view(), name="top-up"),
    path("top-ups/<uuid:pk>/decision/", requests.TopUpDecision.as_view(), name="top-up-decision"),
    path("top-ups/<uuid:pk>/answer/", requests.TopUpAnswer.as_view(), name="top-up-answer"),
    path(
        "top-ups/<uuid:pk>/withdrawal/",
        requests.TopUpWithdrawal.as_view(),
        name="top-up-withdrawal",
    ),
    path("charges/<uuid:pk>/", requests.ChargeDetail.as_view(), name="charge"),
    path("charges/<uuid:pk>/refunds/", requests.ChargeRefunds.as_view(), name="charge-refunds"),
    path("charges/<uuid:pk>/disputes/", requests.ChargeDisputes.as_view(), name="charge-disputes"),
    path("disputes/", requests.Disputes.as_view(), name="disputes"),
    path("disputes/<uuid:pk>/", requests.DisputeDetail.as_view(), name="dispute"),
    path(
        "disputes/<uuid:pk>/resolution/",
        requests.DisputeResolution.as_view(),
        name="dispute-resolution",
    ),
    path("adjustments/", requests.Adjustments.as_view(), name="adjustments"),
    path("adjustments/<uuid:pk>/", requests.AdjustmentDetail.as_view(), name="adjustment"),
    path(
        "adjustments/<uuid:pk>/approval/",
        requests.AdjustmentApproval.as_view(),
        name="adjustment-approval",
    ),
    path(
        "adjustments/<uuid:pk>/refusal/",
        requests.AdjustmentRefusal.as_view(),
        name="adjustment-refusal",
    ),
    path("holds/", requests.Holds.as_view(), name="holds"),
    path("holds/<uuid:job_id>/release/", requests.HoldRelease.as_view(), name="hold-release"),
]
