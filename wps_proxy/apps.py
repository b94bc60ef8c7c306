from django.apps import AppConfig


class WpsProxyConfig(AppConfig):
    name = "wps_proxy"
