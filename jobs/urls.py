"""The addresses of jobs for programs."""

from django.urls import re_path

from jobs import owc_views

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

urlpatterns = [
    re_path(
        rf"^owc/jobs/(?P<job_id>{UUID})\.(?P<form>atom|geojson)$", owc_views.job, name="owc_job"
    ),
]
