"""GetCapabilities answers of WPS 1.0.0 (OGC 05-007r7 §8)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.xml import Element
from providers.addresses import without_own_addresses
from providers.drivers.wps1.documents import attribute, child, children, read, text
from providers.ports import Endpoint, ServiceInfo
from providers.process import ProcessSummary

MOST_IDENTIFIER = 255


def parse_capabilities(data: bytes, endpoint: Endpoint) -> ServiceInfo:
    """What the provider offers. Entries without a usable identifier are passed over.

    Raises ProviderNonsense, ProviderRefused.
    """
    root, repaired = read(data, endpoint, root="Capabilities", repair=True)
    offered = child(root, "ProcessOfferings")
    if offered is None:
        raise ProviderNonsense(_("This is not a WPS 1.0.0: its capabilities list no processes."))
    identification = child(root, "ServiceIdentification")
    title = text(identification, "Title") or text(root, "ServiceProvider", "ProviderName")
    return ServiceInfo(
        title=without_own_addresses(title, endpoint),
        abstract=without_own_addresses(text(identification, "Abstract"), endpoint),
        processes=tuple(
            _summary(process, endpoint)
            for process in children(offered, "Process")
            if _usable(text(process, "Identifier"))
        ),
        repaired=repaired,
    )


def _usable(identifier: str) -> bool:
    """Whether it can stand in an address: one with a line break would fail every page with it."""
    return 0 < len(identifier) <= MOST_IDENTIFIER and identifier.isprintable()


def _summary(process: Element, endpoint: Endpoint) -> ProcessSummary:
    identifier = text(process, "Identifier")
    return ProcessSummary(
        identifier=identifier,
        title=without_own_addresses(text(process, "Title"), endpoint) or identifier,
        abstract=without_own_addresses(text(process, "Abstract"), endpoint),
        version=attribute(process, "processVersion"),
    )
