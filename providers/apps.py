from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from providers import own  # noqa: PLC0415 (models are there only now)

        post_migrate.connect(own.ensure, sender=self)
