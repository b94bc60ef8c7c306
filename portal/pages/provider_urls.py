"""The addresses of the provider's console."""

from __future__ import annotations

from django.urls import path

from portal.pages import (
    estimates,
    harvest,
    price_lists,
    provider_console,
    provider_settings,
    provider_watch,
    providers,
    request_lists,
    revenue,
)

urlpatterns = [
    path("", providers.providers, name="providers"),
    path("<slug:slug>/", provider_console.provider, name="provider"),
    path("<slug:slug>/act", provider_console.act, name="provider_act"),
    path("<slug:slug>/reading", provider_console.reading, name="provider_reading"),
    path("<slug:slug>/history/", provider_watch.history, name="provider_history"),
    path("<slug:slug>/maintenance/", provider_watch.maintenance, name="provider_maintenance"),
    path(
        "<slug:slug>/maintenance/<int:window_id>/end",
        provider_watch.end_maintenance,
        name="provider_maintenance_end",
    ),
    path("<slug:slug>/settings/", provider_settings.settings, name="provider_settings"),
    path(
        "<slug:slug>/settings/certificate",
        provider_settings.certificate,
        name="provider_certificate",
    ),
    path("<slug:slug>/harvest/", harvest.sources, name="provider_harvest"),
    path("<slug:slug>/harvest/<int:source_id>/", harvest.source, name="harvest_source"),
    path("<slug:slug>/harvest/<int:source_id>/act", harvest.act, name="harvest_act"),
    path("<slug:slug>/harvest/<int:source_id>/preview/", harvest.preview, name="harvest_preview"),
    path("<slug:slug>/harvest/<int:source_id>/runs/<int:run_id>/", harvest.run, name="harvest_run"),
    path("<slug:slug>/requests/", request_lists.provider_requests, name="provider_requests"),
    path("<slug:slug>/revenue/", revenue.revenue, name="revenue"),
    path(
        "<slug:slug>/services/<int:service_id>/",
        provider_watch.service,
        name="provider_service",
    ),
    path(
        "<slug:slug>/services/<int:service_id>/switch",
        provider_console.switch,
        name="service_switch",
    ),
    path(
        "<slug:slug>/services/<int:service_id>/estimate/",
        estimates.estimate,
        name="service_estimate",
    ),
    path("<slug:slug>/prices/", price_lists.provider_prices, name="provider_prices"),
    path(
        "<slug:slug>/prices/<int:version>/withdraw",
        price_lists.withdraw_provider_prices,
        name="provider_prices_withdraw",
    ),
]
