"""What is the provider's own goes to its registered origin alone, over real TLS too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import CertificateRefused
from providers import calls
from providers.drivers.ogcapi import OgcApiDriver
from providers.drivers.wps1 import Wps1Driver
from providers.drivers.wps2 import Wps2Driver
from providers.ports import Driver, Endpoint
from providers.process import ExecuteRequest, ProcessDescription
from tests.common.servers import always, serve
from tests.common.test_pinned_certificate import Identity

DRIVERS: list[Driver] = [Wps1Driver(), Wps2Driver(), OgcApiDriver()]
SECRET = (("X-Api-Key", "k3y"),)


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda one: one.scheme)
def test_another_certificate_gets_nothing(driver: Driver, tmp_path: Path) -> None:
    expected, other = Identity(tmp_path), Identity(tmp_path)
    with serve(always(b"<a/>"), tls=other.tls) as server:
        here = Endpoint(server.url, "u", "p", SECRET, certificate=expected.fingerprint)
        process = ProcessDescription("p")
        with pytest.raises(CertificateRefused):
            driver.submit(here, process, ExecuteRequest("p"), "ref")
        with pytest.raises(CertificateRefused):
            driver.capabilities(here)
        assert "another certificate" in driver.describe(here, ["p"]).problems["p"]
        with pytest.raises(CertificateRefused):
            calls.stream(here, f"{server.url}/file")
        assert server.requests == []


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda one: one.scheme)
def test_the_fixed_certificate_gets_the_secrets(driver: Driver, tmp_path: Path) -> None:
    expected = Identity(tmp_path)
    with serve(always(b"<a/>"), tls=expected.tls) as server:
        here = Endpoint(server.url, "u", "p", SECRET, certificate=expected.fingerprint)
        assert driver.describe(here, ["p"]).problems["p"]
        assert {head.get("x-api-key") for head in server.heads()} == {"k3y"}
        assert all("authorization" in head for head in server.heads())


def test_results_elsewhere_do_not_get_them(tmp_path: Path) -> None:
    with serve(always(b"data")) as home, serve(always(b"data")) as elsewhere:
        here = Endpoint(home.url, "u", "p", SECRET)
        for url in (home.url, elsewhere.url):
            with calls.stream(here, f"{url}/f", headers={"Range": "bytes=0-3"}) as answer:
                assert b"".join(answer.iter_bytes()) == b"data"
        assert home.heads()[0]["x-api-key"] == "k3y"
        assert not {"x-api-key", "authorization"} & elsewhere.heads()[0].keys()
        assert elsewhere.heads()[0]["range"] == "bytes=0-3"


PARSED = """
import os, sys
if sys.argv[1] == "with":
    import owslib.wps
import django
django.setup()
from common.errors import InvalidInput, ProviderError
from common.xml import parse
from providers.drivers.wps1.status import parse_status
from providers.drivers.wps2.status import parse_answer
from providers.ports import Endpoint
documents = [
    b"<a>1<!-- c --><?p i?>2</a>",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    b"<a>&x;</a>",
    b"<a>" + b"x" * 11_000_000 + b"</a>",
    b"<a>" * 300 + b"</a>" * 300,
]
for document in documents:
    for reader in (parse, *(lambda d, r=r: r(d, Endpoint("https://a.example")) for r in (
        parse_status, parse_answer))):
        try:
            print("".join(reader(document).itertext()))
        except (InvalidInput, ProviderError) as error:
            print(type(error).__name__, error.detail)
"""


def test_another_librarys_parser_is_not_ours() -> None:
    """Importing OWSLib replaces lxml's default parser for the whole process."""
    said = [
        subprocess.run(
            [sys.executable, "-c", PARSED, how],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={"DJANGO_SETTINGS_MODULE": "portal.settings.test", "PATH": "/usr/bin:/bin"},
        ).stdout
        for how in ("with", "without")
    ]
    lines = [line for line in said[0].splitlines() if not line.startswith("{")]
    assert lines == [line for line in said[1].splitlines() if not line.startswith("{")]
    assert lines[0] == "12"
    assert sum("DOCTYPE" in line for line in lines) == 6
    assert "passwd" not in said[0]
