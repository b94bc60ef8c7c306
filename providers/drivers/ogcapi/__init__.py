"""Processing providers that speak OGC API – Processes (OGC 18-062r2, and the drafts of 2.0)."""

from providers.drivers.ogcapi.driver import OgcApiDriver

__all__ = ["OgcApiDriver"]
