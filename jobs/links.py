"""Results as inputs: what a user names by our own address, a provider gets by a link that expires.

A provider has no account here. The link opens one output for whoever holds it, for
RESULT_LINK_SECONDS, and says nothing of the job or its owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from jobs.access import readable_output
from jobs.models import JobOutput
from people.mail import link
from providers.process import InputValue, ReferenceValue

if TYPE_CHECKING:
    from people.models import User

_SALT = "jobs.output-link"


def check_own_results(user: User, inputs: Sequence[InputValue]) -> None:
    """Raise InvalidInput for an address of ours that is no result which the user may view."""
    for value in inputs:
        if not isinstance(value, ReferenceValue) or not _is_ours(value.href):
            continue
        try:
            _output_at(user, value.href)
        except (NotFound, Forbidden):
            text = _("This is an address of the portal, and no result that you may see.")
            raise InvalidInput(text, locator=value.identifier) from None


def fetchable(inputs: Sequence[InputValue], user: User) -> tuple[InputValue, ...]:
    """The inputs with links that a provider can open in place of the portal's own addresses.

    Raises Conflict when the user may no longer see one of those results.
    """
    return tuple(_fetchable(user, value) for value in inputs)


def signed_path(output: JobOutput) -> str:
    """The path that opens one output for whoever knows it, until it expires."""
    token = signing.dumps(output.pk, salt=_SALT)
    return reverse("pages:output_link", args=[token])


def output_of(token: str) -> JobOutput:
    """The output that a link opens. Raises NotFound for one that is wrong or has expired."""
    try:
        pk = signing.loads(token, salt=_SALT, max_age=settings.RESULT_LINK_SECONDS)
    except signing.BadSignature:
        raise NotFound(_("This link is wrong or has expired.")) from None
    found = JobOutput.objects.select_related("job__service__provider").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _fetchable(user: User, value: InputValue) -> InputValue:
    if not isinstance(value, ReferenceValue) or not _is_ours(value.href):
        return value
    try:
        output = _output_at(user, value.href)
    except (NotFound, Forbidden):
        text = _("The result that the input “%(name)s” names can no longer be seen.")
        raise Conflict(text % {"name": value.identifier}) from None
    return replace(value, href=link(signed_path(output)))


def _is_ours(href: str) -> bool:
    return bool(settings.BASE_URL) and href.startswith(f"{settings.BASE_URL}/")


def _output_at(user: User, href: str) -> JobOutput:
    """The output at an address of any of our doors. Raises NotFound for everything else."""
    path = urlsplit(href.removeprefix(settings.BASE_URL)).path
    try:
        place = resolve(path).kwargs
    except Resolver404:
        raise NotFound from None
    if not {"job_id", "number"} <= place.keys():
        raise NotFound
    return readable_output(user, place["job_id"], int(place["number"]))
