"""What this door says of itself: landing page, conformance, API definition (18-062r2 §7.2-7.4)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from common import VERSION
from wps_proxy.ogcapi.answers import own_links
from wps_proxy.ogcapi.place import HTML, OPENAPI, REL, Place, link

_CONFORMANCE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
CLASSES = (
    "core",
    "ogc-process-description",
    "json",
    "html",
    "oas30",
    "job-list",
    "callback",
    "dismiss",
)


def landing_document(place: Place) -> dict[str, Any]:
    """landingPage.yaml."""
    api, declared = f"{place.root}api", f"{place.root}conformance"
    processes = _("The processing services that you may use")
    return {
        "title": _("TEP Portal: OGC API – Processes"),
        "description": _description(place),
        "links": [
            *own_links(place, place.root),
            link(api, "service-desc", _("Definition of this API"), OPENAPI),
            link(f"{api}?f=html", "service-doc", _("Operations of this API"), HTML),
            link(declared, f"{REL}conformance", _("Conformance classes")),
            link(declared, "conformance", _("Conformance classes")),
            link(place.processes, f"{REL}processes", processes),
            link(place.processes, "processes", processes),  # as the conformance tests look for it
            link(place.jobs, f"{REL}job-list", _("Your jobs")),
        ],
    }


def _description(place: Place) -> str:
    if place.provider:
        return _("The processing services of the provider “%(name)s”.") % {"name": place.provider}
    if place.application:
        text = _("The processing services of the application “%(name)s”.")
        return text % {"name": place.application}
    return _(
        "Processing services of all providers behind one address: described, run, followed "
        "and paid for in one way."
    )


def conformance_document() -> dict[str, Any]:
    """confClasses.yaml."""
    return {"conformsTo": [f"{_CONFORMANCE}{name}" for name in CLASSES]}


def definition(place: Place) -> dict[str, Any]:
    """The OpenAPI 3.0 document of this root."""
    document = _template()
    info = {**document["info"], "version": VERSION}
    return {**document, "info": info, "servers": [{"url": place.root.rstrip("/")}]}


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations of an API definition as a page lists them."""
    components = document["components"]
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation["summary"],
            "parameters": [_resolved(components, one) for one in operation.get("parameters", ())],
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def _resolved(components: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    name = parameter.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = components["parameters"][name] if name else parameter
    return found


@cache
def _template() -> dict[str, Any]:
    text = (Path(__file__).parent / "definition.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document
