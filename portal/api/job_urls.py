"""The addresses of the REST API under /api/jobs/."""

from __future__ import annotations

from django.urls import path

from jobs import api as jobs
from jobs import api_publishing as publishing
from jobs import api_results as job_results
from jobs import api_sharing as job_sharing
from portal.api import root as api

urlpatterns = [
    path("", jobs.Jobs.as_view(), name="jobs"),
    path("<uuid:job_id>/", jobs.JobDetail.as_view(), name="job"),
    path("<uuid:job_id>/dismiss/", jobs.JobDismissal.as_view(), name="job-dismiss"),
    path("<uuid:job_id>/events/", jobs.JobEvents.as_view(), name="job-events"),
    path("<uuid:job_id>/outputs/", jobs.JobOutputs.as_view(), name="job-outputs"),
    path(
        "<uuid:job_id>/outputs/<int:number>/content/",
        api.OutputContent.as_view(),
        name="job-output-content",
    ),
    path(
        "<uuid:job_id>/outputs/<int:number>/copy/",
        job_results.OutputCopy.as_view(),
        name="job-output-copy",
    ),
    path("<uuid:job_id>/outputs.zip", job_results.JobArchive.as_view(), name="job-archive"),
    path("<uuid:job_id>/events", job_results.JobStream.as_view(), name="job-stream"),
    path("<uuid:job_id>/rerun/", jobs.JobRerun.as_view(), name="job-rerun"),
    path("<uuid:job_id>/shares/", job_sharing.JobShares.as_view(), name="job-shares"),
    path(
        "<uuid:job_id>/shares/<int:share_id>/",
        job_sharing.JobShareDetail.as_view(),
        name="job-share",
    ),
    path("<uuid:job_id>/entry/", publishing.JobEntry.as_view(), name="job-entry"),
    path(
        "<uuid:job_id>/publications/",
        publishing.JobPublications.as_view(),
        name="job-publications",
    ),
    path(
        "<uuid:job_id>/publications/<int:target_id>/",
        publishing.JobPublication.as_view(),
        name="job-publication",
    ),
    path(
        "<uuid:job_id>/publications/<int:target_id>/retry/",
        publishing.JobPublicationRetry.as_view(),
        name="job-publication-retry",
    ),
    path("<uuid:job_id>/labels/", job_sharing.JobLabels.as_view(), name="job-labels"),
    path("callback-secret/", job_results.CallbackSecret.as_view(), name="callback-secret"),
    path("<uuid:job_id>/cost/", jobs.JobCost.as_view(), name="job-cost"),
]
