"""What an operator opened for providers is not open to whoever uses the portal."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from common.errors import AddressRefused, ProviderError
from common.guard import addresses_of, target_of
from common.http import fetch
from tests.common.servers import Talk, always, serve

PLACES = ["127.0.0.0/8", "10.0.0.0/8"]


def test_users_do_not_get_where_providers_are_called(settings: Any) -> None:
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_USERS = PLACES, []
    with serve(always(b"inside")) as server:
        assert fetch("GET", server.url).body == b"inside"
        # Nor over the connection that was kept of the provider's own request.
        with pytest.raises(AddressRefused):
            fetch("GET", server.url, by_user=True)
        for host in ("[::ffff:127.0.0.1]", "localhost"):
            with pytest.raises(ProviderError):
                fetch("GET", f"http://{host}:{server.port}/", by_user=True)
        assert len(server.requests) == 1


def test_a_redirect_does_not_lead_a_user_there(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    with serve(always(b"inside")) as inside:

        def moved(talk: Talk) -> None:
            talk.read()
            talk.answer(b"", "302 Found", Location=f"http://127.0.0.1:{inside.port}/")

        with serve(moved) as outside:
            settings.OUTBOUND_ALLOW_USERS = [f"127.0.0.1:{outside.port}"]
            with pytest.raises(AddressRefused):
                fetch("GET", outside.url, by_user=True)
            assert inside.connections == 0
            assert fetch("GET", outside.url).body == b"inside"


def test_a_server_outside_does_not_send_the_portal_inside(settings: Any, monkeypatch: Any) -> None:
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_USERS = ["127.0.0.0/8"], []
    with serve(always(b"inside")) as inside:

        def moved(talk: Talk) -> None:
            talk.read()
            talk.answer(b"", "302 Found", Location=f"http://127.0.0.1:{inside.port}/")

        with serve(moved) as provider:
            assert fetch("GET", provider.url).body == b"inside"  # from inside to inside
            monkeypatch.setattr("common.http.is_public", lambda _address: True)
            with pytest.raises(AddressRefused):
                fetch("GET", provider.url)
    assert inside.connections == 1


def test_what_is_open_to_users_is_open_to_the_portal_too(settings: Any) -> None:
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_USERS = [], PLACES
    with pytest.raises(AddressRefused):
        addresses_of(target_of("https://10.0.0.1/", by_user=True))
    settings.OUTBOUND_ALLOW = ["10.0.0.1:443"]
    assert addresses_of(target_of("https://10.0.0.1/", by_user=True))


def test_a_user_is_not_told_which_names_there_are_inside(settings: Any, monkeypatch: Any) -> None:
    settings.OUTBOUND_ALLOW = settings.OUTBOUND_ALLOW_USERS = []

    def look_up(host: str, *_rest: Any, **_more: Any) -> list[Any]:
        if host == "db.internal":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.9", 443))]
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    told = []
    for host in ("db.internal", "nothing.internal"):
        with pytest.raises(ProviderError) as caught:
            addresses_of(target_of(f"https://{host}/", by_user=True))
        told.append(caught.value.detail)
    assert told[0] == told[1]
