"""Processes as 18-062r2 describes them: summaries in a list, and whole descriptions (§7.7-7.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _

from providers.models import Service
from providers.process import InputDescription, OutputDescription, ProcessDescription
from wps_proxy import quotation
from wps_proxy.offers import Offer
from wps_proxy.ogcapi.answers import own_links
from wps_proxy.ogcapi.place import HTML, REL, Link, Place, link
from wps_proxy.ogcapi.schemas import metadata_of, schema_of

# The portal waits for those who do not want to, and dismisses whatever its provider can.
CONTROL = ["sync-execute", "async-execute", "dismiss"]
TRANSMISSION = ["value", "reference"]


def process_list(
    place: Place, offer: Offer, services: Sequence[Service], pages: Sequence[Link]
) -> dict[str, Any]:
    """18-062r2 processList.yaml; `pages` lead to the neighbours."""
    return {
        "processes": [_summary(place, offer, one) for one in services],
        "links": [*own_links(place, place.processes), *pages],
    }


def process_document(place: Place, offer: Offer, service: Service) -> dict[str, Any]:
    """18-062r2 process.yaml."""
    process = _described(offer, service)
    address = place.process(process.identifier)
    links = [
        *own_links(place, address),
        link(place.execution(process.identifier), f"{REL}execute", _("Run it")),
        link(
            f"{place.jobs}?processID={quote(process.identifier, safe='')}",
            f"{REL}job-list",
            _("Its jobs"),
        ),
        link(place.processes, "up", _("All processes")),
    ]
    return {
        **_head(process, service),
        "inputs": {one.identifier: _input(one) for one in process.inputs},
        "outputs": {one.identifier: _part(one) for one in process.outputs},
        "links": links,
    }


def _summary(place: Place, offer: Offer, service: Service) -> dict[str, Any]:
    process = _described(offer, service)
    address = place.process(process.identifier)
    links = [link(address, "self", _("Description"))]
    links.append(link(f"{address}?f=html", "alternate", _("Description as a page"), HTML))
    return {**_head(process, service), "links": links}


def _described(offer: Offer, service: Service) -> ProcessDescription:
    process = offer.description(service)
    return quotation.offered(process) if service.quotable else process


def _head(process: ProcessDescription, service: Service) -> dict[str, Any]:
    version = process.version or (str(service.current.number) if service.current else "")
    return {
        "id": process.identifier,
        "version": version,
        "title": process.title or process.identifier,
        **_words(process.abstract, process.keywords),
        "metadata": [
            {"title": service.provider.name, "role": "provider"},
            *metadata_of(None, process.metadata),
        ],
        "jobControlOptions": CONTROL,
        "outputTransmission": TRANSMISSION,
    }


def _input(one: InputDescription) -> dict[str, Any]:
    most = "unbounded" if one.max_occurs is None else one.max_occurs
    return {**_part(one), "minOccurs": one.min_occurs, "maxOccurs": most}


def _part(one: InputDescription | OutputDescription) -> dict[str, Any]:
    metadata = metadata_of(one.domain, one.metadata)
    return {
        "title": one.title or one.identifier,
        **_words(one.abstract, one.keywords),
        **({"metadata": metadata} if metadata else {}),
        "schema": schema_of(one.domain),
    }


def _words(abstract: str, keywords: Sequence[str]) -> dict[str, Any]:
    words: dict[str, Any] = {"description": abstract} if abstract else {}
    return {**words, "keywords": list(keywords)} if keywords else words
