"""What an HTTP answer means before its document is looked at."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.utils.translation import gettext as _

from common.errors import (
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.http import Response
from providers.ports import Endpoint

log = structlog.get_logger(__name__)

# Looks for a refusal in the protocol's own form in the body of such an answer.
Report = Callable[[Response, Endpoint], ProviderRefused | None]

# A gateway speaks here, not the provider: what became of the request it does not say.
_GATEWAY = frozenset({502, 503, 504})


def body_of_question(answer: Response, endpoint: Endpoint, report: Report) -> bytes:
    """The body of the answer to a question that may be asked again.

    Raises ProviderRefused for a report with an error status and for 4xx,
    ProviderUnreachable for 5xx and 429: no answer at the moment.
    """
    if _successful(answer):
        return answer.body
    _raise_report(answer, endpoint, report)
    if answer.status >= 500 or answer.status == 429:  # noqa: PLR2004 (HTTP)
        raise ProviderUnreachable(
            _("The provider is out of order at the moment (HTTP %(status)s).")
            % {"status": answer.status},
            http_status=answer.status,
        )
    raise _refused(answer)


def body_of_execute(answer: Response, endpoint: Endpoint, report: Report) -> bytes:
    """The body of the answer to an Execute.

    Raises ProviderRefused for a report with an error status and for whatever started nothing,
    ProviderTimeout when the outcome is unknown: only a gateway answered, or the provider broke
    and can be asked what became of the request.
    """
    if _successful(answer):
        return answer.body
    _raise_report(answer, endpoint, report)
    if answer.status in _GATEWAY:
        raise ProviderTimeout(
            _("A gateway answered instead of the provider (HTTP %(status)s).")
            % {"status": answer.status},
            http_status=answer.status,
        )
    if answer.status >= 500 and endpoint.lookup_url:  # noqa: PLR2004 (HTTP)
        raise ProviderTimeout(
            _("The provider is out of order (HTTP %(status)s).") % {"status": answer.status},
            http_status=answer.status,
        )
    raise _refused(answer)


def _successful(answer: Response) -> bool:
    return 200 <= answer.status < 300  # noqa: PLR2004 (HTTP)


def _raise_report(answer: Response, endpoint: Endpoint, report: Report) -> None:
    refusal = report(answer, endpoint)
    if refusal is not None:
        raise refusal
    log.info("provider.http_error", http_status=answer.status, text=answer.body[:2000])


def _refused(answer: Response) -> ProviderError:
    texts = {
        401: _("The provider does not accept the portal's user name and password."),
        403: _("The provider does not let the portal in."),
        404: _("The provider does not know this address."),
        410: _("The provider no longer keeps this."),
    }
    if 300 <= answer.status < 400:  # noqa: PLR2004 (HTTP)
        text = _("The provider sends requests on to another address; register that one.")
    else:
        generic = _("The provider refused the request (HTTP %(status)s).")
        text = texts.get(answer.status, generic % {"status": answer.status})
    return ProviderRefused(
        text,
        native_code="",
        locator="",
        http_status=answer.status,
        retryable=answer.status == 429,  # noqa: PLR2004 (HTTP)
    )
