"""The catalogue's addresses for programs."""

from django.urls import path, re_path

from catalogue_client import owc_views, waf
from catalogue_client.csw.views import csw
from catalogue_client.oai.views import oai
from catalogue_client.opensearch import views as opensearch
from catalogue_client.packages import views as packages
from catalogue_client.stac_api import collections, items, views

NAME = r"[A-Za-z0-9._-]+"
COLLECTION = rf"^stac/collections/(?P<identifier>{NAME})"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
FORM = r"\.(?P<form>atom|geojson)$"

urlpatterns = [
    path("stac/", views.landing, name="stac"),
    path("stac/conformance", views.conformance, name="stac_conformance"),
    path("stac/api", views.api, name="stac_api"),
    path("stac/queryables", views.queryables, name="stac_queryables"),
    path("stac/collections", collections.collections, name="stac_collections"),
    re_path(rf"{COLLECTION}$", collections.collection, name="stac_collection"),
    re_path(rf"{COLLECTION}/queryables$", views.queryables_of, name="stac_queryables_of"),
    re_path(rf"{COLLECTION}/items$", items.items, name="stac_items"),
    re_path(rf"{COLLECTION}/items/(?P<item_id>{NAME})$", items.item, name="stac_item"),
    path("stac/search", items.search, name="stac_search"),
    path("oai", oai, name="oai"),
    path("csw", csw, name="csw"),
    path("data-packages/<uuid:package_id>", packages.package, name="package"),
    path(
        "data-packages/<uuid:package_id>/items",
        packages.package,
        {"form": "items"},
        name="package_items",
    ),
    path("data-packages/<uuid:package_id>/items/<slug:key>", packages.item, name="package_item"),
    re_path(
        rf"^data-packages/(?P<package_id>{UUID}){FORM}", packages.package, name="package_context"
    ),
    path("opensearch/description.xml", opensearch.description, name="opensearch"),
    re_path(
        r"^opensearch/search\.(?P<form>atom|geojson)$", opensearch.search, name="opensearch_search"
    ),
    re_path(r"^waf/+$", waf.root, name="waf"),
    re_path(rf"^waf/+(?P<identifier>{NAME})/*$", waf.folder, name="waf_folder"),
    re_path(
        rf"^waf/+(?P<identifier>{NAME})/+(?P<number>[0-9]{{1,6}})/*$", waf.folder, name="waf_page"
    ),
    re_path(rf"^waf/+(?P<identifier>{NAME})/+(?P<item_id>{NAME})\.xml$", waf.file, name="waf_file"),
    re_path(
        rf"^owc/items/(?P<identifier>{NAME})/(?P<item_id>{NAME}){FORM}",
        owc_views.item,
        name="owc_item",
    ),
]
