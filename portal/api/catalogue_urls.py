"""The addresses of the REST API under /api/catalogue/."""

from __future__ import annotations

from django.urls import path

from catalogue_client.packages import api as packages
from catalogue_client.sources import api as searches
from jobs import api_publishing as publishing
from jobs import api_viewing as viewing
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
    path("targets/", publishing.Targets.as_view(), name="publish-targets"),
    path("targets/<int:target_id>/", publishing.TargetDetail.as_view(), name="publish-target"),
    path("viewers/", viewing.Viewers.as_view(), name="viewers"),
    path(
        "items/<str:collection>/<str:identifier>/views/",
        viewing.EntryViews.as_view(),
        name="entry-views",
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
