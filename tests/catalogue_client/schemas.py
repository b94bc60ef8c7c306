"""The official schemas of what harvesters read, loaded without a network."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.catalogue_client.shared import CATALOGUE, SHARED

OSEO = SHARED / "schemas" / "oseo"
GMD = OSEO / "schemas.opengis.net" / "iso" / "19139" / "20070417" / "gmd" / "gmd.xsd"
OAI = CATALOGUE / "oai-pmh" / "OAI-PMH.xsd"
MD = "{http://www.isotc211.org/2005/gmd}MD_Metadata"
# An environment of its own with pycsw 2.6.2 in it; pycsw brings the schemas of CSW along.
PYCSW = Path(os.environ.get("TEST_PYCSW", "/nonexistent"))


class _Local(etree.Resolver):
    """Addresses are files below a folder whose names begin with the host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resolve(self, url: str, public_id: str, context: Any) -> Any:
        del public_id
        if "://" in url and not url.startswith("file:"):
            path = self.folder / url.partition("://")[2]
            return self.resolve_filename(str(path), context)
        return None


@cache
def schema(path: Path, folder: Path) -> etree.XMLSchema:
    if not path.is_file():
        pytest.skip(f"the schema {path.name} is absent")
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Local(folder))
    return etree.XMLSchema(etree.parse(str(path), parser))


def iso_valid(root: Any) -> None:
    """Every ISO 19139 document in the tree is valid."""
    for document in root.iter(MD):
        _check(schema(GMD, OSEO), document)


def oai_valid(data: bytes) -> Any:
    """The root of an OAI-PMH answer, checked with the ISO 19139 documents in it."""
    root = etree.fromstring(data)
    _check(schema(OAI, CATALOGUE), root)
    iso_valid(root)
    return root


def csw_valid(data: bytes) -> Any:
    """The root of an answer of CSW, checked where pycsw's schemas are there."""
    root = etree.fromstring(data)
    iso_valid(root)
    ogc = next(iter(PYCSW.glob("lib/python3*/site-packages/pycsw/core/schemas/ogc")), None)
    if ogc is None:
        return root
    alone = etree.fromstring(data)
    for result in alone.iter(MD):  # the schema of CSW does not know it
        result.getparent().remove(result)
    reports = alone.tag.endswith("ExceptionReport")
    path = "ows/1.0.0/owsExceptionReport.xsd" if reports else "csw/2.0.2/CSW-discovery.xsd"
    _check(schema(ogc / path, OSEO), alone)
    return root


def _check(against: etree.XMLSchema, root: Any) -> None:
    alone = etree.fromstring(etree.tostring(root, with_tail=False))
    text = etree.tostring(alone, pretty_print=True).decode()[:3000]
    assert against.validate(alone), f"{against.error_log}\n{text}"
