"""The contract of adapters: places that usage messages are fetched from.

An adapter is a module or object with `check` and `deliveries`, registered under a name: built in
(registry.py), or by another package through the entry point group `tep.usage_sources`. It moves
bytes and nothing else: the importer decides what they mean. docs/usage-records.md has an example.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Where to fetch from, and how; `secret` is readable here.

    `cursor` is that of the last delivery that was committed, "" before the first. `since` is when
    the place was set up: nothing older is asked of interfaces that can be asked for a time.
    """

    address: str
    since: datetime
    destination: str = ""
    username: str = ""
    secret: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, and what is to be done once it is safe in the database.

    `acknowledge` is called after the commit, never before: until then the place must keep the
    message and deliver it again. `signer` is who sent it, if the place vouches for that (SSM has
    verified the signature). `refused` says why nothing of the message can be read. `put_aside`, if
    there is one, keeps a message that is not taken where it came from, with the reasons.
    `cursor`, if given, is stored after the commit.
    """

    body: bytes
    acknowledge: Callable[[], None]
    signer: str = ""
    refused: str = ""
    put_aside: Callable[[str], None] | None = None
    cursor: str | None = None


class Adapter(Protocol):
    """What a module must have to be an adapter."""

    def check(self, place: Place) -> None:
        """Raise InvalidInput on the field (address, destination, options …) that cannot be right.

        Asked when an operator sets the place up: it looks at the text, and calls nobody.
        """

    def deliveries(self, place: Place) -> Generator[Delivery, None, None]:
        """What waits at the place now, one message after the other; ends when nothing waits.

        The generator is closed in any case: it lets go of connections and locks in `finally`. Each
        delivery is dealt with before the next is asked for. Addresses are called through
        common.http, or looked at with common.guard before anything is connected.
        Raises ProviderError when the place does not answer as it should, ConfigurationError when
        something is missing here; it is asked again later, after growing pauses.
        """
