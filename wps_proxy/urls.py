"""WPS 1.0.0 and 2.0: of all providers, of one, and of one application.

No provider's slug is `2.0`: a slug has no dot. A service is there with a slash at its end too, as
people write addresses.
"""

from django.urls import include, path, re_path

from wps_proxy.views import nothing, outputs, wps1, wps2

STATUS = "jobs/<uuid:job_id>/status.xml"
PROVIDER, APPLICATION = "wps/<slug:provider>", "apps/<slug:application>/wps"
OF_PROVIDER, OF_APPLICATION = r"(?P<provider>[-\w]+)/?$", r"^apps/(?P<application>[-\w]+)/wps"

urlpatterns = [
    path("", include("wps_proxy.ogcapi.urls")),
    re_path("^wps/?$", wps1.service, name="wps"),
    path(f"wps/{STATUS}", wps1.status, name="wps_status"),
    path("wps/jobs/<uuid:job_id>/outputs/<int:number>", outputs.output, name="wps_output"),
    re_path("^wps/2[.]0/?$", wps2.service, name="wps2"),
    re_path(f"^wps/2[.]0/{OF_PROVIDER}", wps2.service, name="wps2_of_provider"),
    re_path(f"^wps/{OF_PROVIDER}", wps1.service, name="wps_of_provider"),
    path(f"{PROVIDER}/{STATUS}", wps1.status, name="wps_status_of_provider"),
    re_path(f"{OF_APPLICATION}/?$", wps1.service, name="wps_of_application"),
    re_path(f"{OF_APPLICATION}/2[.]0/?$", wps2.service, name="wps2_of_application"),
    path(f"{APPLICATION}/{STATUS}", wps1.status, name="wps_status_of_application"),
    re_path(r"^(?:apps/[-\w]+/)?wps/2[.]0/(?P<rest>[\s\S]+)$", nothing.wps2, name="wps2_nothing"),
    re_path(r"^(?:apps/[-\w]+/)?wps/(?P<rest>[\s\S]+)$", nothing.wps1, name="wps_nothing"),
]
