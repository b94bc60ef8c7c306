"""The official schemas of WPS 1.0.0 and OWS 1.1, loaded without a network."""

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


def valid(data: bytes) -> Any:
    """The root of a document, after it was checked against its schema."""
    if not FOLDER.is_dir():
        pytest.skip("shared schemas are absent")
    root = etree.fromstring(data)
    ows = etree.QName(root).namespace == "http://www.opengis.net/ows/1.1"
    schema = _schema("ows/1.1.0/owsAll.xsd" if ows else "wps/1.0.0/wpsAll.xsd")
    assert schema.validate(root), f"{schema.error_log}\n{data.decode()}"
    return root
