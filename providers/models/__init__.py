"""Providers and the services discovered there."""

from providers.models.provider import CopyPolicy, Provider, ProviderState
from providers.models.service import Service, ServiceVersion
from providers.models.watch import DiscoveryRun, HealthDay, MaintenanceWindow, ProviderChange

__all__ = (
    "CopyPolicy",
    "DiscoveryRun",
    "HealthDay",
    "MaintenanceWindow",
    "Provider",
    "ProviderChange",
    "ProviderState",
    "Service",
    "ServiceVersion",
)
