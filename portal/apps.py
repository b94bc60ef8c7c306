from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        if settings.CELERY_BROKER_URL:
            # Tasks sent from the web go through this application and its broker.
            import_module("portal.celery")
