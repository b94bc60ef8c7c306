"""The addresses of the pages of catalogues of others."""

from __future__ import annotations

from django.urls import path

from portal.pages import source_search, sources

urlpatterns = [
    path("", sources.sources, name="sources"),
    path("<slug:slug>/", sources.source, name="source"),
    path("<slug:slug>/act", sources.act, name="source_act"),
    path("<slug:slug>/collections", source_search.collections, name="source_collections"),
    path("<slug:slug>/results", source_search.results, name="source_results"),
    path("<slug:slug>/entry", source_search.entry, name="source_entry"),
]
