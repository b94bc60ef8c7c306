"""The contract of viewers: tools elsewhere that are given a file and then show it.

An adapter is a module or object with what `Adapter` has, registered under a name: built in
(registry.py), or by another package through the entry point group `tep.viewers`. It speaks with the
viewer and keeps nothing: what it must remember is the handle. docs/viewers.md has an example, and
testing.py the tests that it must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from common.errors import ProviderError


class SourceLost(ProviderError):  # noqa: N818 (as common.errors)
    """The file cannot be had at present: raised out of `Upload.open`, and passed on as it is."""

    code = "result_unavailable"


class Busy(ProviderError):  # noqa: N818 (as common.errors)
    """The viewer took nothing, and will later: too many uploads at the same time, for example."""

    code = "viewer_busy"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the viewer is; `secret` is readable here and goes to the origin of `address` alone."""

    address: str
    username: str = ""
    secret: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to show. `token` (lower-case letters and digits) must be found again by `find`.

    `name` is a file name with the token in it; `size` is in bytes. `open` gives the bytes in
    pieces, exactly `size` of them: it raises SourceLost rather than to give others. `link` makes an
    address at which whoever has it can fetch the file for some days. `public`: everybody may see it
    in the viewer, else nobody who is not signed in there.
    """

    token: str
    name: str
    title: str
    media_type: str
    size: int
    public: bool
    open: Callable[[], AbstractContextManager[Iterator[bytes]]]
    link: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Service:
    """A service in which the viewer also gives the data: kind is wms, wmts, wfs or wcs."""

    kind: str
    address: str
    name: str  # of the layer, feature type or coverage


@dataclass(frozen=True, slots=True)
class Look:
    """How far it is. `url` is where people see it, "" as long as they cannot.

    `handle` takes the place of the one that was asked with.
    """

    handle: str
    url: str = ""
    services: tuple[Service, ...] = ()


class Adapter(Protocol):
    """What a module must have to be an adapter. Everything may be repeated, in any process.

    Besides the errors that are named, each may raise those of common.http, after which it is asked
    again later. Texts of errors are shown to users: no address and no secret in them.
    """

    MEDIA_TYPES: tuple[str, ...]
    """What it can show, where an operator says nothing else; bare, in lower case."""

    def check(self, place: Place) -> None:
        """Raise InvalidInput on what cannot be right (locator address, options …); call nobody."""

    def send(self, place: Place, upload: Upload) -> str:
        """Hand over the file; the handle of what becomes of it.

        Busy and ProviderUnreachable: nothing was taken, it is sent again. ProviderRefused: it never
        will be. ProviderTimeout and ProviderNonsense: nobody knows; then `find` is asked, and the
        file is never sent again unless that says so.
        """

    def find(self, place: Place, upload: Upload) -> str | None:
        """The handle of an upload whose answer was lost; None when it certainly did not arrive.

        Raises ProviderRefused when the viewer cannot be asked that.
        """

    def look(self, place: Place, handle: str, upload: Upload) -> Look:
        """How far it is; makes it visible to whom it should be before it gives a `url`.

        Raises ProviderRefused when it has failed there.
        """

    def remove(self, place: Place, handle: str) -> None:
        """Take it away there. What is not there any more is no error."""
