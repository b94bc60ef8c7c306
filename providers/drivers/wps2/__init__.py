"""Processing providers that speak WPS 2.0 (OGC 14-065)."""

from providers.drivers.wps2.driver import Wps2Driver

__all__ = ["Wps2Driver"]
