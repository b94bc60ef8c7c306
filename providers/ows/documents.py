"""Reading WPS documents liberally: local names only, whatever the namespace or its absence.

Providers qualify names wrongly more often than rightly, so no reader here looks at namespaces,
except to tell one protocol version from another.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator

import structlog
from django.utils.translation import gettext as _

from common.errors import InvalidInput, ProviderNonsense, ProviderRefused
from common.http import Response
from common.ows import ForeignReport, parse_exception_report
from common.xml import WPS1, WPS2, Element, local_name, parse
from providers.addresses import public_text
from providers.ports import Endpoint

log = structlog.get_logger(__name__)

MOST_LOGGED = 20_000
REPORTS = ("ExceptionReport", "ServiceExceptionReport")
VERSIONS = {"1.0.0": WPS1, "2.0": WPS2}
# Codes that say: the same request later.
RETRYABLE = frozenset({"serverbusy"})
# Codes that say: I do not know this job.
UNKNOWN_JOB = frozenset({"nosuchjob"})


def local(element: Element) -> str:
    """The name without its namespace; "" for what is no element (an entity left unresolved)."""
    return local_name(element) if isinstance(element.tag, str) else ""


def children(element: Element | None, name: str) -> Iterator[Element]:
    """The child elements of that local name."""
    if element is not None:
        yield from (child for child in element if local(child) == name)


def child(element: Element | None, *path: str) -> Element | None:
    """The first element down that path of local names."""
    for name in path:
        element = next(children(element, name), None)
    return element


def text(element: Element | None, *path: str) -> str:
    """The text at the end of the path on one line's terms: stripped, "" when absent."""
    found = child(element, *path)
    return "".join(found.itertext()).strip() if found is not None else ""


def attribute(element: Element | None, *names: str) -> str:
    """The first attribute of one of these local names, stripped; "" when absent."""
    if element is not None:
        # By hand, as a repaired document has prefixes in its names.
        by_name = {re.split("[}:]", key)[-1]: value for key, value in element.attrib.items()}
        for name in names:
            if name in by_name:
                return str(by_name[name]).strip()
    return ""


def read(
    data: bytes,
    endpoint: Endpoint,
    *,
    root: str | tuple[str, ...],
    version: str = "",
    repair: bool = False,
    http_status: int = 200,
) -> tuple[Element, bool]:
    """The document's root element, and whether it had to be repaired.

    `version` is the one that was asked for ("" for any). Raises ProviderRefused for an
    ExceptionReport, ProviderNonsense for anything that is not the `root` expected (or one of them),
    with words that say what came instead.
    """
    element, repaired = _parse(data, repair=repair)
    if local(element).lower() == "html":
        raise _web_page()
    if local(element) in REPORTS:
        raise refusal(element, endpoint, http_status=http_status)
    for other, namespace in VERSIONS.items():
        if version and other != version and f"{{{namespace}}}" in str(element.tag):
            raise ProviderNonsense(
                _("The provider answers in WPS %(other)s; WPS %(version)s was asked for.")
                % {"other": other, "version": version}
            )
    wanted = (root,) if isinstance(root, str) else root
    if local(element) not in wanted:
        raise ProviderNonsense(
            _("The provider answers with a “%(found)s” document instead of “%(wanted)s”.")
            % {"found": local(element)[:60], "wanted": wanted[0]}
        )
    return element, repaired


def _parse(data: bytes, *, repair: bool) -> tuple[Element, bool]:
    # White space before the declaration makes a document ill-formed; it is a frequent slip.
    data = data.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    if not data:
        raise ProviderNonsense(_("The provider's answer is empty."))
    if data[:20].lower().startswith((b"<!doctype html", b"<html")):
        raise _web_page()
    what = _("the provider's answer")
    try:
        return parse(data, what=what), False
    except InvalidInput as broken:
        if repair:
            try:
                return parse(data, what=what, recover=True), True
            except InvalidInput:
                pass
        raise ProviderNonsense(broken.detail) from None


def _web_page() -> ProviderNonsense:
    return ProviderNonsense(_("The provider answers with a web page instead of a WPS document."))


def report_in(answer: Response, endpoint: Endpoint) -> ProviderRefused | None:
    """The refusal that an ExceptionReport in the body stands for, if there is one."""
    try:
        read(answer.body, endpoint, root="ExceptionReport", http_status=answer.status)
    except ProviderRefused as refused:
        return refused
    except ProviderNonsense:
        return None
    return None


def refusal(element: Element, endpoint: Endpoint, *, http_status: int) -> ProviderRefused:
    """The error that an ExceptionReport stands for; its whole text goes to the log."""
    report = parse_exception_report(element) or ForeignReport("", "", "")
    log.info(
        "provider.refused",
        code=report.code,
        locator=report.locator,
        http_status=http_status,
        text=report.text[:MOST_LOGGED],
    )
    code = public_text(report.code, endpoint)
    generic = _("The provider refused the request (%(code)s).") % {"code": code}
    return ProviderRefused(
        public_text(report.text, endpoint) or generic,
        native_code=code,
        locator=public_text(report.locator, endpoint),
        http_status=404 if code.lower() in UNKNOWN_JOB else http_status,
        retryable=code.lower() in RETRYABLE or http_status in (429, 503),
    )


def reported(report: Element | None) -> str:
    """What an ExceptionReport says, all its lines; "" without one."""
    found = parse_exception_report(report) if report is not None else None
    return found.text if found else ""


def percent(number: str) -> int | None:
    """0 to 100; also from "50.0" and "50 %"."""
    try:
        value = float(number.rstrip("% "))
    except ValueError:
        return None
    return round(min(100.0, max(0.0, value))) if math.isfinite(value) else None
