"""GetCapabilities answers of WPS 2.0 (OGC 14-065 §9.4)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from providers.ows.capabilities import service_info
from providers.ows.documents import child, children, read
from providers.ports import Endpoint, ServiceInfo


def parse_capabilities(data: bytes, endpoint: Endpoint) -> ServiceInfo:
    """What the provider offers.

    Raises ProviderNonsense, ProviderRefused.
    """
    root, repaired = read(data, endpoint, root="Capabilities", version="2.0", repair=True)
    offered = child(root, "Contents")
    if offered is None:
        raise ProviderNonsense(_("This is not a WPS 2.0: its capabilities have no contents."))
    return service_info(root, children(offered, "ProcessSummary"), endpoint, repaired=repaired)
