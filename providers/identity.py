"""Who runs a job: identity headers and the portal's own inputs, for trusted providers alone.

The inputs belong to the portal whether a provider is trusted or not: users neither see nor send
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from common.guard import is_opened, target_of
from people.access import membership
from providers import quotation
from providers.process import (
    ExecuteRequest,
    Identity,
    InputValue,
    LiteralDomain,
    LiteralValue,
    ProcessDescription,
)

if TYPE_CHECKING:
    from people.models import Group, User
    from providers.models import Provider

JOB_TITLE = "_T2InternalJobTitle"
USERNAME = "_T2Username"
EMAIL = "_T2UserEmail"
API_KEY = "_T2ApiKey"  # never filled: the portal hands out nobody's credentials
ANALYSIS = "_T2ResultsAnalysis"
INPUTS = frozenset({JOB_TITLE, USERNAME, EMAIL, API_KEY, ANALYSIS})

NO_ANALYSIS = "none"
ALONE = "user"  # the role of whoever pays from an account of their own


def for_users(process: ProcessDescription) -> ProcessDescription:
    """The process as users see it: without what is the portal's to fill."""
    inputs = tuple(one for one in process.inputs if one.identifier not in INPUTS)
    return quotation.for_users(replace(process, inputs=inputs))


def without_reserved(values: Iterable[InputValue], *, quotable: bool) -> tuple[InputValue, ...]:
    """A user's values without those that are the portal's to give; `quotable` as the process is."""
    kept = tuple(value for value in values if value.identifier not in INPUTS)
    return quotation.without_reserved(kept) if quotable else kept


def is_told(provider: Provider) -> bool:
    """Whether the provider is told who runs a job: it is trusted, and nobody reads along on the way
    (https, or an address that the operator opened)."""
    if not provider.trusted:
        return False
    target = target_of(provider.url)
    return target.scheme == "https" or is_opened(target)


def introduced(
    request: ExecuteRequest,
    *,
    provider: Provider,
    process: ProcessDescription,
    user: User,
    group: Group | None,
    title: str = "",
) -> ExecuteRequest:
    """The request as it goes to the provider: with who runs it, if the provider is to be told.

    `process` is the whole description, `group` the one that pays.
    """
    if not is_told(provider):
        return request
    place = membership(user, group) if group else None
    identity = Identity(
        user=user.username,
        domain=group.slug if group else "",
        role=place.role if place else ALONE,
        prefix=provider.identity_header_prefix,
    )
    known = {
        JOB_TITLE: title,
        USERNAME: user.username,
        EMAIL: user.email,
        ANALYSIS: NO_ANALYSIS,
    }
    filled = (
        LiteralValue(one.identifier, known[one.identifier], one.domain.data_type)
        for one in process.inputs
        if isinstance(one.domain, LiteralDomain) and known.get(one.identifier)
    )
    return replace(request, inputs=(*request.inputs, *filled), identity=identity)
