"""The addresses of the pages of data packages."""

from __future__ import annotations

from django.urls import path

from portal.pages import packages

urlpatterns = [
    path("", packages.packages, name="packages"),
    path("basket", packages.basket, name="basket"),
    path("add", packages.add, name="package_add"),
    path("keep", packages.keep, name="package_keep"),
    path("<uuid:package_id>/", packages.package, name="package"),
    path("<uuid:package_id>/act", packages.act, name="package_act"),
]
