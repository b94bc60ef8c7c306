"""The addresses of the REST API under /api/catalogue/."""

from __future__ import annotations

from django.urls import path

from catalogue_client.packages import api as packages
from catalogue_client.sources import api as searches
from portal.api import sources

urlpatterns = [
    path("search/", searches.CatalogueSearch.as_view(), name="catalogue-search"),
    path("sources/", sources.Sources.as_view(), name="sources"),
    path("sources/<slug:slug>/", sources.SourceDetail.as_view(), name="source"),
    path("sources/<slug:slug>/check/", sources.SourceCheck.as_view(), name="source-check"),
    path("sources/<slug:slug>/approval/", sources.SourceApproval.as_view(), name="source-approval"),
    path(
        "sources/<slug:slug>/collections/",
        sources.SourceCollections.as_view(),
        name="source-collections",
    ),
    path("basket/", packages.Basket.as_view(), name="basket"),
    path("packages/", packages.Packages.as_view(), name="packages"),
    path("packages/<uuid:package_id>/", packages.PackageDetail.as_view(), name="package"),
    path("packages/<uuid:package_id>/entries/", packages.Entries.as_view(), name="package-entries"),
    path(
        "packages/<uuid:package_id>/entries/<int:entry_id>/",
        packages.EntryDetail.as_view(),
        name="package-entry",
    ),
]
