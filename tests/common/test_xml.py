"""Documents from outside: what is read, what is refused, and where."""

from __future__ import annotations

import contextlib
import gzip
import threading

import owslib.etree  # noqa: F401 (replaces lxml's default parser, which must not matter here)
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.xml import E, XmlRefused, local_name, only_xml, parse, serialise, text_of, text_ok
from tests.common.servers import always, serve

LAUGHS = b'<!DOCTYPE a [<!ENTITY a0 "lol">%s]>' % b"".join(
    b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 10)
)
QUADRATIC = b'<!DOCTYPE a [<!ENTITY x "%s">]>' % (b"x" * 100_000)

BOMBS = {
    "billion laughs": LAUGHS + b"<a>&a9;</a>",
    "billion laughs in an attribute": LAUGHS + b'<a b="&a9;"/>',
    "quadratic blow-up": QUADRATIC + b"<a>" + b"&x;" * 50_000 + b"</a>",
    "depth": b"<a>" * 10_000 + b"</a>" * 10_000,
    "65 levels": b"<a>" * 65 + b"</a>" * 65,
    "elements": b"<a>" + b"<b/>" * 2_000_000 + b"</a>",
    "attributes": b"<a " + b" ".join(b'x%d=""' % i for i in range(101)) + b"/>",
    "text": b"<a>" + b"x" * 10_000_001 + b"</a>",
    "doctype": b"<!DOCTYPE a><a/>",
    "external doctype": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "default attributes": b'<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>',
}


@pytest.mark.parametrize("recover", [False, True])
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused(bomb, recover):
    if recover and bomb is BOMBS["text"]:
        pytest.skip("a repaired document may have its text cut")
    with pytest.raises(XmlRefused):
        parse(bomb, recover=recover)


def test_nothing_is_fetched_and_no_file_is_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hush")
    with serve(always(b"<!ENTITY x 'y'>")) as server:
        for text in (
            f'<!DOCTYPE a SYSTEM "{server.url}/a.dtd"><a/>',
            f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>',
            f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{server.url}/x"> %x;]><a/>',
        ):
            with pytest.raises(XmlRefused) as caught:
                parse(text.encode())
            assert "hush" not in caught.value.detail
        included = parse(
            b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="%s"/></a>'
            % secret.as_uri().encode()
        )
        assert b"hush" not in serialise(included)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 0),
        (b"  ", 1),
        (b"not xml", 1),
        (b"<a>\n<b></a>", 2),
        (b"<a/><b/>", 1),
        (b"<a>&x;</a>", 1),
    ],
)
def test_what_is_not_well_formed_is_said_with_its_place(data, line):
    with pytest.raises(XmlRefused, match="The answer") as caught:
        parse(data, what="the answer")
    assert caught.value.line == line


def test_a_faulty_document_can_be_repaired_but_not_any():
    root = parse(b"<a><b>1 & 2</b><c></a>", recover=True)
    assert [local_name(child) for child in root] == ["b", "c"]
    for hopeless in (b"", b"not xml", gzip.compress(b"<a/>")):
        with pytest.raises(XmlRefused):
            parse(hopeless, recover=True)


@pytest.mark.parametrize(
    "data",
    [
        "<a>\u00fc</a>".encode("utf-16"),
        b"\xef\xbb\xbf" + "<a>\u00fc</a>".encode(),
        '<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00fc</a>'.encode("latin-1"),
        "<a><!-- split --><?pi?>\u00fc</a>".encode(),
        b"<a>&#252;</a>",
        "<a><![CDATA[\u00fc]]></a>".encode(),
    ],
)
def test_encodings_and_what_may_stand_between_are_read(data):
    assert parse(data).text == "\u00fc"


def test_parsing_in_threads_keeps_documents_apart():
    results = {}

    def work(number: int) -> None:
        data = b"<a>" + b"<b>%d</b>" % number * 5000 + b"</a>"
        results[number] = {child.text for child in parse(data)}

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: {str(n)} for n in range(8)}


@given(st.text())
def test_text_that_xml_can_carry_comes_back(text):
    assert text_ok(text) == (only_xml(text) == text)
    document = serialise(E.plain.a(only_xml(text)))
    assert text_of(parse(document)) == only_xml(text).strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data):
    for recover in (False, True):
        with contextlib.suppress(XmlRefused):
            parse(data, recover=recover)
