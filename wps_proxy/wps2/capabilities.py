"""Writes the Capabilities document (14-065 §9.4, 06-121r9 §7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.xml import Element, serialise
from providers.process import Metadata, ProcessSummary
from wps_proxy.elements import HREF, LANG
from wps_proxy.negotiation import LANGUAGES, SERVICE
from wps_proxy.wps2.elements import OWS, WPS, described, properties
from wps_proxy.wps2.requests import VERSION

# Which bindings there are for each operation: key-value pairs, XML and SOAP.
OPERATIONS = {
    "GetCapabilities": True,
    "DescribeProcess": True,
    "Execute": False,
    "GetStatus": True,
    "GetResult": True,
    "Dismiss": True,
}


@dataclass(frozen=True, slots=True)
class Offering:
    """A process in the list, and what is said about it besides."""

    process: ProcessSummary
    notes: tuple[str, ...] = ()


def capabilities(
    *,
    address: str,
    language: str,
    sections: frozenset[str],
    sequence: str,
    offerings: Sequence[Offering],
) -> bytes:
    """The document of the service at `address`, with these sections and the contents.

    The schema wants at least one process: an empty list has to be answered with a refusal instead.
    """
    writers: dict[str, Callable[[], Element]] = {
        "ServiceIdentification": lambda: _identification(language),
        "ServiceProvider": lambda: OWS.ServiceProvider(
            OWS.ProviderName(_("TEP Portal")), OWS.ServiceContact()
        ),
        "OperationsMetadata": lambda: OWS.OperationsMetadata(
            *(_operation(name, address, by_get=by_get) for name, by_get in OPERATIONS.items())
        ),
        "Languages": lambda: OWS.Languages(*(OWS.Language(one) for one in LANGUAGES)),
    }
    return serialise(
        WPS.Capabilities(
            *(write() for section, write in writers.items() if section in sections),
            WPS.Contents(*map(_process, offerings)),
            {"service": SERVICE, "version": VERSION, "updateSequence": sequence},
        )
    )


def unchanged(sequence: str) -> bytes:
    """For a client that has this document already: only its attributes (06-121r9 §7.3.4)."""
    attributes = {"service": SERVICE, "version": VERSION, "updateSequence": sequence}
    return serialise(WPS.Capabilities(attributes))


def _identification(language: str) -> Element:
    lang = {LANG: language}
    return OWS.ServiceIdentification(
        OWS.Title(_("TEP Portal: processing services"), lang),
        OWS.Abstract(
            _("Services of several providers, run through the portal and paid in credits."), lang
        ),
        OWS.ServiceType(SERVICE),
        OWS.ServiceTypeVersion(VERSION),
        OWS.Fees(_("Every run is paid in credits from an account of yours or of your group.")),
        OWS.AccessConstraints(_("Only the services that you may use are listed.")),
    )


def _operation(name: str, address: str, *, by_get: bool) -> Element:
    encodings = OWS.AllowedValues(OWS.Value("XML"), OWS.Value("SOAP"))
    post = OWS.Post(OWS.Constraint(encodings, name="PostEncoding"), {HREF: address})
    bindings = [OWS.Get({HREF: f"{address}?"}), post] if by_get else [post]
    return OWS.Operation(OWS.DCP(OWS.HTTP(*bindings)), name=name)


def _process(offering: Offering) -> Element:
    process = offering.process
    notes = tuple(Metadata(title=note) for note in offering.notes)
    parts = described(process.identifier, process.title, process.abstract, process.keywords, notes)
    return WPS.ProcessSummary(*parts, properties(process.version))
