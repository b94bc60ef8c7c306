"""What capabilities of either version of WPS say of a provider, once its offers are found."""

from __future__ import annotations

from collections.abc import Iterable

from common.xml import Element
from providers.addresses import without_own_addresses
from providers.ows.descriptions import keywords, summaries
from providers.ows.documents import attribute, child, text
from providers.ports import Endpoint, ServiceInfo
from providers.process import ProcessSummary


def service_info(
    root: Element, offers: Iterable[Element], endpoint: Endpoint, *, repaired: bool
) -> ServiceInfo:
    """The provider and its processes. Entries without a usable identifier are passed over."""
    identification = child(root, "ServiceIdentification")
    title = text(identification, "Title") or text(root, "ServiceProvider", "ProviderName")
    processes, warnings = summaries(offers, lambda one, name: _summary(one, name, endpoint))
    return ServiceInfo(
        title=without_own_addresses(title, endpoint),
        processes=processes,
        abstract=without_own_addresses(text(identification, "Abstract"), endpoint),
        repaired=repaired,
        warnings=warnings,
    )


def _summary(element: Element, identifier: str, endpoint: Endpoint) -> ProcessSummary:
    return ProcessSummary(
        identifier=identifier,
        title=without_own_addresses(text(element, "Title"), endpoint) or identifier,
        abstract=without_own_addresses(text(element, "Abstract"), endpoint),
        version=without_own_addresses(attribute(element, "processVersion"), endpoint),
        keywords=keywords(element, endpoint),
    )
