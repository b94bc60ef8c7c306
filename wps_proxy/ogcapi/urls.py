"""The addresses under a root. What an identifier of a process is made of is not known: it may have
slashes in it, which servers hand over decoded."""

from django.urls import include, path, re_path

from wps_proxy.ogcapi import views

_under = [
    path("", views.landing, name="landing"),
    path("conformance", views.conformance, name="conformance"),
    path("api", views.api, name="api"),
    path("processes", views.processes, name="processes"),
    path("processes/<path:identifier>/execution", views.execution, name="execution"),
    path("processes/<path:identifier>", views.process, name="process"),
    path("jobs", views.jobs, name="jobs"),
    path("jobs/<str:job_id>", views.job, name="job"),
    path("jobs/<str:job_id>/results", views.results, name="results"),
    path("jobs/<str:job_id>/results/<path:identifier>", views.result, name="result"),
    path("jobs/<str:job_id>/outputs/<int:number>", views.output, name="output"),
    # A provider's root without its slash is not refused: Django leads to it.
    re_path(r"^(?!providers/[-\w]+$)(?P<rest>[\s\S]+)$", views.nothing, name="nothing"),
]

urlpatterns = [
    path("ogcapi/providers/<slug:provider>/", include((_under, "ogcapi_provider"))),
    path("apps/<slug:application>/ogcapi/", include((_under, "ogcapi_app"))),
    path("ogcapi/", include((_under, "ogcapi"))),
]
