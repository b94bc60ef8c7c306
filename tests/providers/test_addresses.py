"""Own addresses, and what of a provider users may see."""

from __future__ import annotations

import pytest

from common.addresses import split_credentials
from providers.addresses import is_own, public_text, without_own_addresses
from providers.ports import Endpoint

HERE = Endpoint("https://WPS.example.org:8443/wps", extra_hosts=("Store.example.net:9000",))


@pytest.mark.parametrize(
    ("href", "own"),
    [
        ("https://wps.example.org/x", True),
        ("http://wps.example.org:81/x", True),
        ("https://wps.example.org./x", True),
        ("https://store.example.net:9000/x", True),
        ("https://store.example.net/x", False),
        ("https://wps.example.org@evil.example/x", False),
        ("https://u:p@wps.example.org/x", False),
        ("ftp://wps.example.org/x", False),
        ("//wps.example.org/x", False),
        ("https://wps.example.org:99999/x", False),
        ("https:///x", False),
        ("", False),
    ],
)
def test_own_addresses(href: str, own: bool) -> None:
    assert is_own(HERE, href) is own


def test_no_host_is_nobodys_own() -> None:
    assert not is_own(Endpoint("nonsense"), "nonsense")
    assert not is_own(Endpoint(""), "https:///x")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://a.example/wps", ("https://a.example/wps", "", "")),
        ("https://u:p@a.example:8080/w?x=1", ("https://a.example:8080/w?x=1", "u", "p")),
        ("https://u%40b:p%3Aq@a.example/", ("https://a.example/", "u@b", "p:q")),
        ("https://u@a.example/", ("https://a.example/", "u", "")),
    ],
)
def test_credentials_are_taken_out_of_an_address(url: str, parts: tuple[str, str, str]) -> None:
    assert split_credentials(url) == parts


def test_other_peoples_addresses_may_stay_in_descriptions_but_not_in_messages() -> None:
    text = "After https://doi.example.com/1, run at wps.example.org:8443 or store.example.net"
    kept = without_own_addresses(text, HERE)
    assert kept == "After https://doi.example.com/1, run at … or …"
    assert public_text(text, HERE) == "After … run at … or …"


def test_a_name_inside_another_name_stays() -> None:
    text = "mywps.example.organic and wps.example.org-x"
    assert without_own_addresses(text, HERE) == text
