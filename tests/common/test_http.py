"""What is sent, what is followed, what is given up, and what is said about the outcome."""

from __future__ import annotations

import base64
import gzip
import os
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from common import wire
from common.errors import (
    AddressRefused,
    InvalidInput,
    ProviderNonsense,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.http import PIECE, STREAMING, Limits, fetch, stream
from tests.common.servers import Talk, always, serve


def test_headers_are_ours_and_the_answer_is_complete():
    with serve(always(b"h\xc3\xa9", Content_Type="text/plain", Set_Cookie="a=b")) as server:
        answer = fetch("GET", f"{server.url}/wps?service=WPS")
        fetch("POST", server.url, body=b"<x/>", headers={"Content-Type": "text/xml"})
    assert (answer.status, answer.body) == (200, b"h\xc3\xa9")
    assert answer.headers["content-type"] == "text/plain"
    assert "set-cookie" not in answer.headers
    get, post = server.heads()
    assert server.requests[0].startswith(b"GET /wps?service=WPS HTTP/1.1\r\n")
    assert get.keys() == {"host", "accept", "accept-encoding", "user-agent"}
    assert get["host"] == f"127.0.0.1:{server.port}"
    assert get["user-agent"].startswith("tep-portal/")
    assert post["content-type"] == "text/xml"
    assert server.requests[1].endswith(b"\r\n\r\n<x/>")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00"])
def test_a_header_cannot_smuggle_another(value):
    with serve(always()) as server, pytest.raises(InvalidInput):
        fetch("GET", server.url, headers={"Accept": value})
    assert server.requests == []


def test_credentials_go_to_the_registered_origin_alone():
    secrets = {"headers": {"X-Api-Key": "k", "Accept": "text/xml"}, "auth": ("ada", "s\u00e9cret")}
    with serve(always()) as home, serve(always()) as other:
        fetch("GET", f"{home.url}/status", origin=f"{home.url}/wps", **secrets)
        fetch("GET", f"{other.url}/status", origin=f"{home.url}/wps", **secrets)
    (own,), (foreign,) = home.heads(), other.heads()
    assert base64.b64decode(own["authorization"].split()[1]).decode() == "ada:s\u00e9cret"
    assert own["x-api-key"] == "k"
    assert foreign.keys() == {"host", "accept", "accept-encoding", "user-agent"}


def test_a_redirect_is_followed_by_get_and_drops_credentials_on_another_origin():
    with serve(always(b"there")) as other:

        def moved(talk: Talk) -> None:
            request = talk.read()
            to = "/next" if request.startswith(b"GET /first") else f"{other.url}/last#part"
            talk.answer(b"", "302 Found", Location=to, Connection="close")

        with serve(moved) as home:
            call = {"auth": ("ada", "secret"), "headers": {"X-Api-Key": "k"}}
            answer = fetch("GET", f"{home.url}/first", **call)
            assert (answer.body, answer.url) == (b"there", f"{other.url}/last")
            assert [("authorization" in h, "x-api-key" in h) for h in home.heads()] == [
                (True, True),
                (True, True),
            ]
            assert not {"authorization", "x-api-key"} & other.heads()[0].keys()
            assert fetch("POST", f"{home.url}/first", body=b"x", **call).status == 302
    assert len(home.requests) == 3
    assert len(other.requests) == 1, "a POST is not followed"


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{inside}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]:{inside}/",
        "//2130706433:{inside}/",
        "file:///etc/passwd",
        "http://ada:secret@127.0.0.1:{home}/",
    ],
)
def test_a_redirect_is_checked_like_the_first_address(place, settings):
    with serve(always(b"inside")) as inside:

        def moved(talk: Talk) -> None:
            talk.read()
            to = place.format(inside=inside.port, home=talk.server.port)
            talk.answer(b"", "307 Temporary Redirect", Location=to)

        with serve(moved) as home:
            settings.OUTBOUND_ALLOW = [f"127.0.0.1:{home.port}"]
            with pytest.raises(AddressRefused):
                fetch("GET", home.url)
    assert inside.connections == 0


def test_redirects_end():
    with serve(always(b"", "302 Found", Location="/again")) as server:
        with pytest.raises(ProviderNonsense):
            fetch("GET", server.url)
        assert len(server.requests) == 4


def test_a_slow_drip_ends_at_the_deadline():
    def drip(talk: Talk) -> None:
        talk.read()
        if talk.number == 1:
            talk.conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        else:
            talk.conn.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not talk.server.closing.wait(0.02):
            talk.conn.sendall(b"x")

    with serve(drip) as server:
        for what in ("body", "head"):  # every byte comes well within the read time-out
            with pytest.raises(ProviderTimeout):
                fetch("GET", f"{server.url}/{what}", limits=Limits(read=5, total=0.4))


def test_silence_ends_a_stream_and_a_large_one_passes_in_pieces():
    piece = os.urandom(65536)

    def behave(talk: Talk) -> None:
        head = talk.read()
        talk.conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * 400))
        for _ in range(3 if b"/silent" in head else 400):
            talk.conn.sendall(piece)
        if b"/silent" in head:
            talk.server.closing.wait()

    with serve(behave) as server:
        with stream("GET", f"{server.url}/large") as answer:
            sizes = [len(chunk) for chunk in answer.iter_bytes()]
        assert sum(sizes) == len(piece) * 400  # more than the limit of a fetch
        assert max(sizes) <= PIECE
        with (
            stream("GET", f"{server.url}/silent", limits=replace(STREAMING, read=0.3)) as answer,
            pytest.raises(ProviderTimeout),
        ):
            list(answer.iter_bytes())


def test_a_stream_passes_a_range_on():
    part = always(b"bcd", "206 Partial Content", Content_Range="bytes 1-3/9")
    with (
        serve(part) as server,
        stream("GET", server.url, headers={"Range": "bytes=1-3"}) as answer,
    ):
        assert b"".join(answer.iter_bytes()) == b"bcd"
    assert (answer.status, answer.headers["content-range"]) == (206, "bytes 1-3/9")
    assert server.heads()[0]["range"] == "bytes=1-3"
    assert server.heads()[0]["accept-encoding"] == "identity"


def test_compressed_bytes_are_counted_after_decompression():
    small = gzip.compress(b"x" * 1000)
    bomb = gzip.compress(bytes(200 * 2**20), 9)
    with serve(always(small, Content_Encoding="gzip")) as server:
        answer = fetch("GET", server.url)
        assert answer.body == b"x" * 1000
        assert not {"content-length", "content-encoding"} & answer.headers.keys()
    with serve(always(bomb, Content_Encoding="gzip")) as server, pytest.raises(ProviderNonsense):
        fetch("GET", server.url)
    damaged = always(small[:20] + b"\xff" * 20, Content_Encoding="gzip")
    with serve(damaged) as server, pytest.raises(ProviderNonsense):
        fetch("GET", server.url)


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_above_the_limit_is_given_up(declared):
    def large(talk: Talk) -> None:
        talk.read()
        length = b"Content-Length: 104857600\r\n" if declared else b"Connection: close\r\n"
        talk.conn.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        for _ in range(100):
            talk.conn.sendall(bytes(2**20))

    with serve(large) as server, pytest.raises(ProviderNonsense, match="larger"):
        fetch("GET", server.url)


# --- TLS -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider.example")])
    today = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_ends_it_before_anything_is_sent(tls_server):
    with serve(always(), tls=tls_server) as server:
        with pytest.raises(ProviderUnreachable):
            fetch("POST", server.url, body=b"x", auth=("ada", "secret"))
        assert server.requests == []


def test_tls_has_the_same_deadline_and_reuse(tls_server, certificate, monkeypatch):
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.sslsocket_class = wire.TimedTLSSocket
    monkeypatch.setattr(wire, "tls_context", lambda: trusting)

    def behave(talk: Talk) -> None:
        while head := talk.read():
            if b"/drip" in head:
                talk.conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not talk.server.closing.wait(0.02):
                    talk.conn.sendall(b"x")
            talk.answer()

    with serve(behave, tls=tls_server) as server:
        assert fetch("GET", server.url).body == b"ok"
        assert fetch("GET", server.url).body == b"ok"
        assert server.connections == 1
        assert fetch("POST", server.url, body=bytes(2**20)).body == b"ok"
        with pytest.raises(ProviderTimeout):
            fetch("GET", f"{server.url}/drip", limits=Limits(read=5, total=0.4))
        name = f"https://localhost:{server.port}"  # the certificate is for 127.0.0.1
        with pytest.raises(ProviderUnreachable):
            fetch("GET", name)


@pytest.mark.parametrize("scheme", ["http", "HTTP", "ht\ttp"])
def test_a_redirect_does_not_take_off_the_protection(tls_server, certificate, monkeypatch, scheme):
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.sslsocket_class = wire.TimedTLSSocket
    monkeypatch.setattr(wire, "tls_context", lambda: trusting)
    with serve(always()) as plain:
        to = f"{scheme}://127.0.0.1:{plain.port}/"
        moved = always(b"", "302 Found", Location=to)
        with serve(moved, tls=tls_server) as server, pytest.raises(AddressRefused):
            fetch("GET", server.url)
    assert plain.connections == 0
