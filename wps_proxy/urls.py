"""WPS 1.0.0. Version 2.0 will be at `wps/2.0`, which no provider's slug can be: it has a dot."""

from django.urls import path

from wps_proxy import views

urlpatterns = [
    path("wps", views.service, name="wps"),
    path("wps/jobs/<uuid:job_id>/status.xml", views.status, name="wps_status"),
    path("wps/jobs/<uuid:job_id>/outputs/<int:number>", views.output, name="wps_output"),
    path("wps/<slug:provider>", views.service, name="wps_of_provider"),
    path(
        "wps/<slug:provider>/jobs/<uuid:job_id>/status.xml",
        views.status,
        name="wps_status_of_provider",
    ),
]
