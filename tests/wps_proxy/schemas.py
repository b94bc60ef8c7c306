"""The official schemas of WPS and OWS, loaded without a network."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TEP_SHARED", ROOT.parent / "shared"))
FOLDER = SHARED / "schemas" / "wps-proxy"


class _Local(etree.Resolver):
    def resolve(self, url: str, public_id: str, context: Any) -> Any:
        del public_id
        for start, folder in (
            ("http://schemas.opengis.net/", "ogc/"),
            ("http://www.w3.org/2001/XMLSchema.xsd", "stub/XMLSchema-occurs.xsd"),
            ("http://www.w3.org/", "w3c/"),
        ):
            if url.startswith(start):
                path = FOLDER / (folder + url.removeprefix(start) * folder.endswith("/"))
                return self.resolve_filename(str(path), context)
        return None


@cache
def _schema(path: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Local())
    return etree.XMLSchema(etree.parse(str(FOLDER / "ogc" / path), parser))


_SCHEMAS = {
    "http://www.opengis.net/ows/1.1": "ows/1.1.0/owsAll.xsd",
    "http://www.opengis.net/wps/1.0.0": "wps/1.0.0/wpsAll.xsd",
    "http://www.opengis.net/ows/2.0": "ows/2.0/owsAll.xsd",
    "http://www.opengis.net/wps/2.0": "wps/2.0/wps.xsd",
}
_SOAP = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")


def valid(data: bytes) -> Any:
    """The root of a document, after it was checked against its schema; out of its envelope."""
    if not FOLDER.is_dir():
        pytest.skip("shared schemas are absent")
    root = _inner(etree.fromstring(data))
    schema = _schema(_SCHEMAS[str(etree.QName(root).namespace)])
    # An element alone: in an envelope, the schema has a word on the envelope's names.
    assert schema.validate(etree.fromstring(etree.tostring(root, with_tail=False))), (
        f"{schema.error_log}\n{data.decode()}"
    )
    return root


def _inner(root: Any) -> Any:
    """The only child of a SOAP body, or of its Fault's detail."""
    if etree.QName(root).namespace not in _SOAP:
        return root
    assert [etree.QName(one).localname for one in root] == ["Body"]
    (inner,) = root[0]
    if etree.QName(inner).localname != "Fault":
        return inner
    (report,) = next(e for e in inner if etree.QName(e).localname in ("Detail", "detail"))
    return report
