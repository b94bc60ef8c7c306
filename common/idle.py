"""Connections that nobody uses at the moment, kept for whoever needs one next in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Connection(Protocol):
    def usable(self) -> bool:
        """Whether it may still be used."""
        ...

    def close(self) -> None: ...


C = TypeVar("C", bound=Connection)


class Idle(Generic[C]):
    """At most so many, by what they may be used for; none of another process's after a fork."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        # The purpose used last is last, and of each its freshest connection.
        self._kept: dict[Hashable, list[C]] = {}

    def take(self, purpose: Hashable) -> C | None:
        """The freshest one, for the caller alone; None when there is none that may be used."""
        while True:
            with self._lock:
                if purpose not in self._kept:
                    return None
                connection = self._taken(purpose, -1)
            if connection.usable():
                return connection
            connection.close()

    def put(self, purpose: Hashable, connection: C) -> None:
        """Keep it; one that has not been used for long is closed when there are too many."""
        too_many = None
        with self._lock:
            self._kept[purpose] = [*self._kept.pop(purpose, ()), connection]
            self._number += 1
            if self._number > self._most:
                too_many = self._taken(next(iter(self._kept)), 0)
        if too_many is not None:
            too_many.close()

    def _taken(self, purpose: Hashable, place: int) -> C:
        """One that is there, taken out; called with the lock."""
        kept = self._kept[purpose]
        self._number -= 1
        if len(kept) == 1:
            del self._kept[purpose]
        return kept.pop(place)
