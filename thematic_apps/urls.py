"""The addresses of applications for programs."""

from django.urls import re_path

from thematic_apps import owc_views

urlpatterns = [
    re_path(
        r"^owc/apps/(?P<slug>[-\w]+)\.(?P<form>atom|geojson)$",
        owc_views.application,
        name="owc_application",
    ),
]
