"""A job once more: the same inputs or some of them changed, at today's price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accounting.access import account_for
from common.errors import NotFound
from jobs.json_values import inputs_from_json
from jobs.lifecycle import submit
from jobs.models import Job
from thematic_apps.access import can_use

if TYPE_CHECKING:
    from accounting.models import Account
    from people.models import User


def rerun(
    *,
    actor: User,
    job: Job,
    changed: Mapping[str, Any],
    account: Account | None,
    **how: Any,
) -> Job:
    """Submit a job that the actor may view again; the rest as of `lifecycle.submit`.

    `changed` has, by input, values as `inputs_from_json` reads them: in place of all values of that
    input, None for none. Without `account` the same one pays, if the actor may pay from it. The
    service is run in its present version. Raises what `submit` raises.
    """
    service = job.service
    if service.current is None or not can_use(actor, service):
        raise NotFound
    new = inputs_from_json(
        service.current.description, {k: v for k, v in changed.items() if v is not None}
    )
    kept = [value for value in job.input_values if value.identifier not in changed]
    app = job.application
    if app is not None and not app.services.filter(pk=service.pk).exists():
        app = None
    return submit(
        actor=actor,
        service=service,
        inputs=(*kept, *new),
        outputs=job.request().outputs,
        account=account or account_for(actor, job.account_id, "pay"),
        application=app,
        cloned_from=job,
        **{**how, "title": how.get("title") or job.title},
    )
