"""Asking for many descriptions: a bad one does not spoil the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog
from django.utils.translation import gettext as _

from common.errors import ProviderError, ProviderTimeout, ProviderUnreachable
from providers.ports import Descriptions
from providers.process import ProcessDescription

MOST_SILENT = 3  # time-outs in one round of descriptions before the rest is given up
_SILENCE = (ProviderTimeout, ProviderUnreachable)

log = structlog.get_logger(__name__)

Describe = Callable[[list[str]], Descriptions]


def describe_all(
    identifiers: Sequence[str], describe: Describe, batches: Iterable[list[str]] = ()
) -> Descriptions:
    """Ask for those in each batch together; what that does not bring is asked for one by one.

    `describe` gives what an answer says, or raises a ProviderError.
    """
    found: dict[str, ProcessDescription] = {}
    problems: dict[str, str] = {}
    warnings: dict[str, str] = {}
    repaired = False
    for batch in batches:
        try:
            answered = describe(batch)
        except _SILENCE:
            break  # ask for single ones: describing many at once may take it too long
        except ProviderError as error:
            log.info("provider.batch_not_described", error=error.code, count=len(batch))
            continue
        found.update((i, d) for i, d in answered.found.items() if i in batch)
        problems.update((i, p) for i, p in answered.problems.items() if i in batch)
        warnings.update(answered.warnings)
        repaired = repaired or answered.repaired
    left = [one for one in identifiers if one not in found and one not in problems]
    single, unanswered = _one_by_one(left, describe)
    for answered in single:
        found.update(answered.found)
        warnings.update(answered.warnings)
        repaired = repaired or answered.repaired
    return Descriptions(found, {**problems, **unanswered}, warnings, repaired)


def _one_by_one(
    identifiers: Sequence[str], describe: Describe
) -> tuple[list[Descriptions], dict[str, str]]:
    """Descriptions found, and why the others were not."""
    found: list[Descriptions] = []
    problems: dict[str, str] = {}
    silent = 0
    for identifier in identifiers:
        if silent >= MOST_SILENT:
            problems[identifier] = _("Not asked for: the provider had stopped answering.")
            continue
        try:
            answered = describe([identifier])
        except ProviderError as error:
            silent += isinstance(error, _SILENCE)
            problems[identifier] = error.detail
            continue
        if identifier in answered.found:
            found.append(answered)
        else:
            generic = _("The provider's answer describes something else.")
            problems[identifier] = answered.problems.get(identifier, generic)
    return found, problems
