"""What is no address of WPS, below one: a client is told so in its own words."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import NotFound
from wps_proxy.exchange import Exchange, spoken
from wps_proxy.wps1.requests import VERSION
from wps_proxy.wps2.requests import VERSION as VERSION_2


def nothing(_exchange: Exchange, **_where: str) -> HttpResponseBase:
    """Refuse, whoever asks."""
    raise NotFound(_("There is no service at this address: /wps, /wps/2.0, /wps/<provider>."))


wps1, wps2 = spoken(VERSION)(nothing), spoken(VERSION_2)(nothing)
