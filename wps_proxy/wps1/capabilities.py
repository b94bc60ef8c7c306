"""Writes the Capabilities document (05-007r7 §8.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.xml import E, Element, serialise
from providers.process import ProcessSummary
from wps_proxy.elements import HREF, LANG
from wps_proxy.negotiation import LANGUAGES, SERVICE
from wps_proxy.wps1.elements import brief, more, process_version
from wps_proxy.wps1.requests import VERSION

OPERATIONS = ("GetCapabilities", "DescribeProcess", "Execute")


@dataclass(frozen=True, slots=True)
class Offering:
    """A process in the list, and what is said about it besides."""

    process: ProcessSummary
    notes: tuple[str, ...] = ()


def capabilities(
    *, address: str, language: str, sequence: str, offerings: Sequence[Offering]
) -> bytes:
    """The document of the service at `address`.

    The schema wants at least one process: an empty list has to be answered with a refusal instead.
    """
    root = E.wps.Capabilities(
        _identification(),
        E.ows.ServiceProvider(E.ows.ProviderName(_("TEP Portal")), E.ows.ServiceContact()),
        E.ows.OperationsMetadata(*(_operation(name, address) for name in OPERATIONS)),
        E.wps.ProcessOfferings(*map(_process, offerings)),
        E.wps.Languages(
            E.wps.Default(E.ows.Language(LANGUAGES[0])),
            E.wps.Supported(*(E.ows.Language(one) for one in LANGUAGES)),
        ),
        {"service": SERVICE, "version": VERSION, LANG: language, "updateSequence": sequence},
    )
    return serialise(root)


def unchanged(sequence: str, *, language: str) -> bytes:
    """For a client that has this document already: only its attributes (06-121r3 §7.3.4)."""
    attributes = {"service": SERVICE, "version": VERSION, LANG: language}
    return serialise(E.wps.Capabilities({**attributes, "updateSequence": sequence}))


def _identification() -> Element:
    return E.ows.ServiceIdentification(
        E.ows.Title(_("TEP Portal: processing services")),
        E.ows.Abstract(
            _("Services of several providers, run through the portal and paid in credits.")
        ),
        E.ows.ServiceType(SERVICE),
        E.ows.ServiceTypeVersion(VERSION),
        E.ows.Fees(_("Every run is paid in credits from an account of yours or of your group.")),
        E.ows.AccessConstraints(_("Only the services that you may use are listed.")),
    )


def _operation(name: str, address: str) -> Element:
    encodings = E.ows.AllowedValues(E.ows.Value("XML"), E.ows.Value("SOAP"))
    bindings = E.ows.HTTP(
        E.ows.Get({HREF: f"{address}?"}),
        E.ows.Post(E.ows.Constraint(encodings, name="PostEncoding"), {HREF: address}),
    )
    return E.ows.Operation(E.ows.DCP(bindings), name=name)


def _process(offering: Offering) -> Element:
    process = offering.process
    return E.wps.Process(
        *brief(process.identifier, process.title, process.abstract),
        *more(process.keywords, (), offering.notes),
        process_version(process.version),
    )
