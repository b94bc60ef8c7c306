"""The catalogue's addresses for programs."""

from django.urls import path, re_path

from catalogue_client import owc_views
from catalogue_client.stac_api import views

NAME = r"[A-Za-z0-9._-]+"
COLLECTION = rf"^stac/collections/(?P<identifier>{NAME})"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
FORM = r"\.(?P<form>atom|geojson)$"

urlpatterns = [
    path("stac/", views.landing, name="stac"),
    path("stac/conformance", views.conformance, name="stac_conformance"),
    path("stac/api", views.api, name="stac_api"),
    path("stac/collections", views.collections, name="stac_collections"),
    re_path(rf"{COLLECTION}$", views.collection, name="stac_collection"),
    re_path(rf"{COLLECTION}/items$", views.items, name="stac_items"),
    re_path(rf"{COLLECTION}/items/(?P<item_id>{NAME})$", views.item, name="stac_item"),
    path("stac/search", views.search, name="stac_search"),
    re_path(rf"^owc/jobs/(?P<job_id>{UUID}){FORM}", owc_views.job, name="owc_job"),
    re_path(
        rf"^owc/items/(?P<identifier>{NAME})/(?P<item_id>{NAME}){FORM}",
        owc_views.item,
        name="owc_item",
    ),
]
