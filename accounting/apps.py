from django.apps import AppConfig


class AccountingConfig(AppConfig):
    name = "accounting"

    def ready(self) -> None:
        """What waits for an account to be open is settled when it is."""
        from accounting import accounts, deferred  # noqa: PLC0415 (models are there only now)

        accounts.opened.connect(deferred.when_opened)
