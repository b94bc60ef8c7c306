"""What a user asks for, checked: one run, and what is kept of the request beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.models import Account
from common.errors import NotFound
from jobs.models import Job
from providers.models import Service, ServiceVersion
from providers.process import InputValue, OutputRequest, value_to_json

if TYPE_CHECKING:
    from people.models import User
    from thematic_apps.models import ThematicApp


@dataclass(frozen=True, slots=True)
class Order:
    """One run as a user asks for it: what, with which inputs, paid by whom."""

    actor: User
    service: Service
    account: Account
    inputs: tuple[InputValue, ...]
    outputs: tuple[OutputRequest, ...]

    @property
    def version(self) -> ServiceVersion:
        if self.service.current is None:
            raise NotFound
        return self.service.current

    @property
    def fingerprint(self) -> str:
        """SHA-256 of service, its version and the inputs: a quote holds for exactly this.

        Checked inputs come in the process's order, and the values of one input as they were given:
        which is the first and which the second may matter.
        """
        values = (json.dumps(value_to_json(v), sort_keys=True) for v in self.inputs)
        parts = [str(self.service.pk), self.version.fingerprint, *values]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What else is kept of a request; nothing of it changes what is run or what it costs."""

    door: str
    application: ThematicApp | None
    title: str
    raw: bool
    callbacks: tuple[tuple[str, str], ...]
    mail_at_end: bool
    cloned_from: Job | None
