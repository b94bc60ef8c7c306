"""The drivers' contract: how the portal talks to a kind of processing provider.

A driver translates these few calls into one protocol and back. It holds no state, knows neither
jobs nor money, and reaches the network only through `common.http`. Another package adds one by the
entry point group `tep.drivers` (name → a class without constructor arguments); see docs/drivers.md.

Errors a driver raises (all from `common.errors`, nothing else whatever the provider sends):
- ProviderUnreachable: certainly nothing arrived; of a question (not `submit`) also: none now
- ProviderTimeout: something may have arrived; on `submit` the outcome is unknown
- ProviderRefused: a well-formed refusal; data: `native_code`, `locator`, `http_status` (404 when
  the provider does not know the job), `retryable` (the provider is full: the same later)
- ProviderNonsense: an answer that cannot be understood
- AddressRefused: the guard does not let the address be called
Texts of errors, messages and descriptions are for users: no address, path or host of the provider
(`providers.addresses.public_text`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from providers.process import (
    ExecuteRequest,
    OutputValue,
    ProcessDescription,
    ProcessSummary,
)

# The protocol of the portal's own processes; nobody registers a provider with it.
IN_PROCESS = "echo"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is and how the portal identifies itself there."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    extra_hosts: tuple[str, ...] = ()  # hosts besides the URL's own that status and outputs may use
    reference_header: str = ""  # request header that carries the portal's job identifier
    lookup_url: str = (
        ""  # template with {reference}: finds a job that the portal lost the answer of
    )
    certificate: str = ""  # SHA-256 (hex) of the only certificate accepted; "" for any valid one


class RemoteState(StrEnum):
    """A provider's job state in no protocol's words."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """What a provider says of a job.

    `handle` is what `status` needs to ask again ("" when there is nothing to ask: the answer is
    complete). `scheme` and `word` are the native words, kept in the job's events.
    """

    state: RemoteState
    scheme: str
    word: str
    handle: str = ""
    remote_id: str = ""
    percent: int | None = None
    message: str = ""
    outputs: tuple[OutputValue, ...] = ()
    error: str = ""
    next_poll: datetime | None = None  # when the provider wishes to be asked again
    expires_at: datetime | None = None  # until when the provider keeps the results


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """What a provider says of itself."""

    title: str
    processes: tuple[ProcessSummary, ...]
    abstract: str = ""
    repaired: bool = False  # the document was not well-formed and had to be repaired
    warnings: tuple[str, ...] = ()  # for the provider's owner: what was passed over, and why


@dataclass(frozen=True, slots=True)
class Descriptions:
    """What was asked to be described: what is known now, and for people why the rest is not."""

    found: dict[str, ProcessDescription]
    problems: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)  # of what was found, also for people
    repaired: bool = False  # a document was not well-formed and had to be repaired


class Found(StrEnum):
    """Answer of a look-up by reference that found no job."""

    NEVER_ARRIVED = "never arrived"  # the provider is certain
    UNKNOWN = "unknown"  # the provider cannot tell (or not yet)


class Driver(Protocol):
    """One provider protocol."""

    scheme: str

    def capabilities(self, endpoint: Endpoint) -> ServiceInfo:
        """What the provider offers."""
        ...

    def describe(self, endpoint: Endpoint, identifiers: Sequence[str]) -> Descriptions:
        """Every identifier is in `found` or `problems`: a bad one does not spoil the others."""
        ...

    def submit(
        self,
        endpoint: Endpoint,
        process: ProcessDescription,
        request: ExecuteRequest,
        reference: str,
    ) -> RemoteStatus:
        """Start a run, asynchronously where the process can; never sent twice by the driver."""
        ...

    def status(self, endpoint: Endpoint, handle: str) -> RemoteStatus:
        """Ask for the state of a run."""
        ...

    def dismiss(self, endpoint: Endpoint, handle: str) -> bool:
        """Ask to stop a run; False when the protocol or the provider cannot."""
        ...

    def may_fetch(self, endpoint: Endpoint, href: str) -> bool:
        """Whether an address in the provider's answers is the provider's own, to be fetched."""
        ...

    def find(self, endpoint: Endpoint, reference: str) -> RemoteStatus | Found:
        """Look for a run by the reference sent with it, after its answer was lost."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteQuote:
    """What a provider expects a run to use: its own names of quantities (CPU_MILLISECONDS, …) with
    values from 0 to 10^18, in its order; a name may repeat, which adds up."""

    quantities: tuple[tuple[str, Decimal], ...]


@runtime_checkable
class QuotingDriver(Protocol):
    """A driver of a protocol that knows quotations has this too."""

    def can_quote(self, process: ProcessDescription) -> bool:
        """Whether the provider can be asked about this process; `process` is its whole
        description."""
        ...

    def quote(
        self, endpoint: Endpoint, process: ProcessDescription, request: ExecuteRequest
    ) -> RemoteQuote:
        """Ask what a run would use, within QUOTATION_SECONDS; nothing must be started by it.

        Raises ProviderError; its data has `ignored` when the provider took the question for a run,
        which the driver then has tried to dismiss.
        """
        ...
