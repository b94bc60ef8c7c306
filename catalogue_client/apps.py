from django.apps import AppConfig


class CatalogueClientConfig(AppConfig):
    name = "catalogue_client"
