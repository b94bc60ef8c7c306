"""The error tree: one class per way to fail.

    PortalError
    ├── InvalidInput             400  a value that the caller sent is wrong; `locator` names it
    ├── NotAuthenticated         401
    ├── Forbidden                403
    ├── NotFound                 404  also for what exists but is not the caller's to see
    ├── Conflict                 409  the request contradicts what is already stored
    │   ├── QuoteExpired
    │   └── TransitionRefused
    ├── PreconditionFailed       412  it has changed since the caller read it
    ├── PaymentRequired          402
    │   ├── InsufficientCredit
    │   └── MemberLimitReached
    ├── TooLarge                 413
    ├── Unprocessable            422  it is understood, and nothing of it can be used
    ├── RateLimited              429
    ├── ServerBusy               503
    ├── ConfigurationError       500  the operator must act; the text says what to do
    └── ProviderError            502  the far side
        ├── AddressRefused            the guard does not let this address be called
        ├── ProviderUnreachable       certainly nothing arrived there: safe to try again
        │   └── CertificateRefused    it shows another certificate than the one that was fixed
        ├── ProviderTimeout      504  something may have arrived: outcome unknown
        ├── ProviderRefused           a well-formed refusal (OWS ExceptionReport, HTTP 4xx)
        └── ProviderNonsense          an answer that cannot be understood

Doors translate this tree into their protocol's own error form; nobody else does.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _


class PortalError(Exception):
    """Something the caller can be told.

    `code` is a stable word for programs, `status` the HTTP status, `detail` a sentence for people
    (safe to show: never an internal address, path or secret), `data` further safe facts.
    """

    code = "error"
    status = 500
    message: Any = _("Something went wrong.")

    def __init__(self, detail: object = None, **data: Any) -> None:
        self.detail = str(detail if detail is not None else self.message)
        self.data = data
        super().__init__(self.detail)


class InvalidInput(PortalError):
    """A value is missing or wrong; `locator` names it, `errors` lists several at once."""

    code = "invalid_input"
    status = 400
    message = _("A value is missing or wrong.")

    def __init__(
        self,
        detail: object = None,
        *,
        locator: str = "",
        missing: bool = False,
        errors: dict[str, list[str]] | None = None,
        **data: Any,
    ) -> None:
        super().__init__(detail, **data)
        self.locator = locator
        self.missing = missing
        self.errors = errors if errors is not None else {locator: [self.detail]}


class NotAuthenticated(PortalError):
    code = "not_authenticated"
    status = 401
    message = _("Sign in, or send an API key.")
    challenge = 'Basic realm="TEP Portal", charset="UTF-8", Bearer realm="TEP Portal"'


class Forbidden(PortalError):
    code = "forbidden"
    status = 403
    message = _("You may not do this.")


class NotFound(PortalError):
    code = "not_found"
    status = 404
    message = _("There is no such thing here.")


class Gone(NotFound):
    """It was there, and whoever asks could see it then."""

    code = "gone"
    status = 410
    message = _("It is no longer there.")


class MethodError(PortalError):
    """A method that the address does not have."""

    code = "method_not_allowed"
    status = 405
    message = _("This address does not take this method.")


class Conflict(PortalError):
    code = "conflict"
    status = 409
    message = _("This contradicts what is already stored.")


class QuoteExpired(Conflict):
    code = "quote_expired"
    message = _("The quote has expired or was made for other inputs. Calculate the cost again.")


class TransitionRefused(Conflict):
    code = "transition_refused"
    message = _("The job cannot go from its present state to that one.")


class PreconditionFailed(PortalError):
    code = "precondition_failed"
    status = 412
    message = _("This has changed since you read it. Read it again.")


class PaymentRequired(PortalError):
    code = "payment_required"
    status = 402
    message = _("The account does not cover this.")


class InsufficientCredit(PaymentRequired):
    """data: required, available, shortfall (Decimal credits), account (its name)."""

    code = "insufficient_credit"
    message = _("The account does not have enough credit.")


class MemberLimitReached(PaymentRequired):
    code = "member_limit"
    message = _("Your limit on this group account is reached.")


class TooLarge(PortalError):
    code = "too_large"
    status = 413
    message = _("This is larger than allowed.")


class Unprocessable(PortalError):
    code = "unprocessable"
    status = 422
    message = _("Nothing of this can be used.")


class RateLimited(PortalError):
    code = "rate_limited"
    status = 429
    message = _("Too many attempts. Try again later.")


class ServerBusy(PortalError):
    code = "server_busy"
    status = 503
    message = _("The portal is busy. Try again in a moment.")


class ConfigurationError(PortalError):
    code = "configuration"
    message = _("The portal is not set up for this.")


class ProviderError(PortalError):
    """The far side failed. `detail` is for the user; the original text goes to the log."""

    code = "provider_error"
    status = 502
    message = _("The provider could not do this.")


class AddressRefused(ProviderError):
    code = "address_refused"
    message = _("This address may not be called from the portal.")


class ProviderUnreachable(ProviderError):
    code = "provider_unreachable"
    message = _("The provider cannot be reached.")


class CertificateRefused(ProviderUnreachable):
    code = "certificate_refused"
    message = _("The provider shows another certificate than the one that is accepted.")


class ProviderTimeout(ProviderError):
    code = "provider_timeout"
    status = 504
    message = _("The provider did not answer in time.")


class ProviderRefused(ProviderError):
    """data: native_code, locator, http_status as the provider gave them."""

    code = "provider_refused"
    message = _("The provider refused the request.")


class ProviderNonsense(ProviderError):
    code = "provider_nonsense"
    message = _("The provider's answer cannot be understood.")
