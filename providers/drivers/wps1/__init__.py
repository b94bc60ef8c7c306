"""Processing providers that speak WPS 1.0.0 (OGC 05-007r7)."""

from providers.drivers.wps1.driver import Wps1Driver

__all__ = ["Wps1Driver"]
