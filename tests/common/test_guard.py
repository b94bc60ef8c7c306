"""Which addresses may be called."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from common.errors import AddressRefused, ConfigurationError, ProviderUnreachable
from common.guard import addresses_of, is_public, target_of
from common.http import fetch
from tests.common.servers import always, serve

NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 (nothing is bound)
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::8.8.8.8",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "2001:0:1::1",
    "2001::1",
    "2001:20::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "64:ff9b:1:7f00:0:100::",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "2002:808:808::1",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_in_every_spelling(text, settings, monkeypatch):
    settings.OUTBOUND_ALLOW = []
    assert not is_public(ip_address(text))
    _resolve(monkeypatch, ["8.8.8.8", text])  # one bad address among good ones is enough
    with pytest.raises(AddressRefused):
        addresses_of(target_of("https://provider.example/wps"))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_may_be_called(text, settings, monkeypatch):
    settings.OUTBOUND_ALLOW = []
    assert is_public(ip_address(text))
    _resolve(monkeypatch, [text])
    assert addresses_of(target_of("https://provider.example/wps"))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0", "127.1", "0177.0.0.1", "[::]"])
def test_odd_spellings_of_loopback_are_seen_after_resolution(host, settings):
    settings.OUTBOUND_ALLOW = []
    settings.OUTBOUND_PLAIN_HTTP = True
    with pytest.raises(AddressRefused):
        addresses_of(target_of(f"http://{host}/"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://provider.example/",
        "gopher://provider.example/",
        "jar:http://provider.example!/",
        "data:text/plain,x",
        "//provider.example/",
        "/etc/passwd",
        "",
        "https://",
        "https:///wps",
        "https://user@provider.example/",
        "https://user:secret@provider.example/",
        "https://@provider.example/",
        "https://provider.example/#part",
        "https://provider.example:99999/",
        "https://provider.example:x/",
        "https://provider.example/a b",
        "https://provider.example/\r\nX-Injected: 1",
        "https://provider.example\t/",
        "https://provider.example\\@evil.example/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://prov\u0131der..example/",
        "https://" + "a" * 70 + "\u00fc.example/",
        "https://provider.example/" + "x" * 2000,
    ],
)
def test_what_is_no_plain_web_address_is_refused_without_a_lookup(url, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("looked up"))
    with pytest.raises(AddressRefused) as caught:
        target_of(url)
    assert "secret" not in caught.value.detail


def test_names_are_normalised_and_paths_encoded():
    target = target_of("HTTPS://B\u00dcCHER.example./d\u00f6?q=\u00fc&x=%20#"[:-1])
    assert target.host == "xn--bcher-kva.example."
    assert target.origin == ("https", "xn--bcher-kva.example", 443)
    assert target.path == "/d%C3%B6?q=%C3%BC&x=%20"


@pytest.mark.parametrize(
    ("url", "allow", "plain", "ok"),
    [
        ("https://provider.example/", [], False, True),
        ("https://provider.example:8443/", [], False, True),
        ("https://provider.example:22/", [], False, False),
        ("https://provider.example:5432/", ["provider.example:5432"], False, True),
        ("http://provider.example/", [], False, False),
        ("http://provider.example/", [], True, True),
        ("http://provider.example:6379/", [], True, False),
        ("http://provider.example:80/", ["provider.example:80"], False, True),
        ("http://provider.example:9999/", ["8.8.0.0/16"], False, True),
        ("http://other.example/", ["provider.example:80"], False, False),
    ],
)
def test_ports_and_plain_http_follow_the_settings(url, allow, plain, ok, settings, monkeypatch):
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_PLAIN_HTTP = allow, plain
    _resolve(monkeypatch, ["8.8.8.8"])
    if ok:
        assert addresses_of(target_of(url))
    else:
        with pytest.raises(AddressRefused):
            addresses_of(target_of(url))


@pytest.mark.parametrize(
    ("allow", "address", "port", "ok"),
    [
        (["10.0.0.0/8"], "10.9.9.9", 12345, True),
        (["10.0.0.0/8"], "11.0.0.1", 12345, False),
        (["10.0.0.0/8"], "::ffff:10.1.1.1", 443, True),
        (["127.0.0.1:8001"], "127.0.0.1", 8001, True),
        (["127.0.0.1:8001"], "127.0.0.1", 8002, False),
        (["127.0.0.1:8001"], "127.0.0.2", 8001, False),
        (["[::1]:8001"], "::1", 8001, True),
        (["fd00::/8"], "fd00::5", 8001, True),
        (["provider.example:8001"], "10.0.0.1", 8001, True),
        (["provider.example:8001"], "10.0.0.1", 8002, False),
    ],
)
def test_the_operator_may_open_networks_and_single_ports(
    allow, address, port, ok, settings, monkeypatch
):
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_PLAIN_HTTP = allow, False
    _resolve(monkeypatch, [address])
    target = target_of(f"http://provider.example:{port}/")
    if ok:
        assert addresses_of(target)
    else:
        with pytest.raises(AddressRefused):
            addresses_of(target)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "provider.example", "127.0.0.1/33", "a/b", ""])
def test_a_setting_that_cannot_be_read_is_named(entry, settings, monkeypatch):
    settings.OUTBOUND_ALLOW = [entry]
    _resolve(monkeypatch, ["8.8.8.8"])
    with pytest.raises(ConfigurationError, match="OUTBOUND_ALLOW"):
        addresses_of(target_of("https://provider.example/"))


def test_the_address_that_was_checked_is_the_one_that_is_called(settings, monkeypatch):
    """A name that answers with a public address first and a private one after."""
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_PLAIN_HTTP = [], True
    with serve(always(b"inside")) as inside:
        asked = []

        def rebinding(host, port, *args, **kwargs):
            asked.append(host)
            address = ("203.0.113.7", port) if len(asked) == 1 else ("127.0.0.1", inside.port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

        monkeypatch.setattr("common.guard.is_public", lambda a: str(a) == "203.0.113.7")
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        called = []
        monkeypatch.setattr(
            socket.socket, "connect", lambda _s, place: called.append(place) or 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            fetch("GET", "http://rebind.example:80/")
        assert asked == ["rebind.example"], "one look-up only"
        assert called == [("203.0.113.7", 80)]
        with pytest.raises(AddressRefused):  # the second time the name says 127.0.0.1
            fetch("GET", "http://rebind.example:80/")
        assert len(called) == 1
        assert inside.requests == []


def test_a_name_that_is_not_known_is_unreachable(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ProviderUnreachable) as caught:
        fetch("GET", "https://nobody.example/")
    assert "nobody" not in caught.value.detail


def _resolve(monkeypatch, addresses: list[str]) -> None:
    def resolved(host, port, *args, **kwargs):
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
