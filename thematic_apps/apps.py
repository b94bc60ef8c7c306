from django.apps import AppConfig


class ThematicAppsConfig(AppConfig):
    name = "thematic_apps"
