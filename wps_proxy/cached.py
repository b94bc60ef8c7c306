"""Lists and descriptions of processes, kept as the bytes that were answered.

Nothing stale: the stamp of `thematic_apps.stamp` is read with every request, and whatever was made
under another one is dropped. Nothing of others: a document is shared only between users who may use
exactly the same services at the same address.

    body = kept(request, offer, wanted, lambda: rendered(…))    # a Document, with its ETag
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from django.http import HttpRequest
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import get_language

from people.access import is_operator
from thematic_apps.stamp import stamp
from wps_proxy.offers import Offer

MOST_BYTES = 32 * 2**20  # of all documents of this process
MOST_ADDRESSES = 20_000  # under which somebody asked for one
MOST_OF_ONE = 8 * 2**20  # bytes of a document that is kept


class Document(bytes):
    """The bytes of an answer, and their ETag (quoted)."""

    etag: str

    @classmethod
    def of(cls, body: bytes) -> Document:
        made = cls(body)
        made.etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
        return made

    def known_to(self, request: HttpRequest) -> bool:
        """Whether the client says that it has exactly this (If-None-Match)."""
        answer = get_conditional_response(request, etag=self.etag)
        return answer is not None and answer.status_code == 304  # noqa: PLR2004 (Not Modified)


class _Kept:
    """Documents by what they were made of, and which one a user got at an address; the least
    lately used are dropped first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp = ""
        self._documents: OrderedDict[Hashable, Document] = OrderedDict()
        self._places: OrderedDict[Hashable, Hashable] = OrderedDict()
        self._bytes = 0

    def find(self, now: str, place: Hashable) -> Document | None:
        """What was answered there under this stamp."""
        with self._lock:
            self._turn(now)
            key = self._places.get(place)
            return None if key is None else self._get(place, key)

    def share(self, now: str, place: Hashable, key: Hashable) -> Document | None:
        """What others who may use the same got; from now on it is known under `place` too."""
        with self._lock:
            self._turn(now)
            return self._get(place, key) if key in self._documents else None

    def put(self, now: str, place: Hashable, key: Hashable, document: Document) -> None:
        with self._lock:
            if now != self._stamp or len(document) > MOST_OF_ONE:
                return
            replaced = self._documents.pop(key, b"")
            self._documents[key] = document
            self._bytes += len(document) - len(replaced)
            while self._bytes > MOST_BYTES:
                self._bytes -= len(self._documents.popitem(last=False)[1])
            self._get(place, key)

    def _turn(self, now: str) -> None:
        if now != self._stamp:
            self._stamp, self._bytes = now, 0
            self._documents.clear()
            self._places.clear()

    def _get(self, place: Hashable, key: Hashable) -> Document | None:
        document = self._documents.get(key)
        if document is None:
            self._places.pop(place, None)
            return None
        self._documents.move_to_end(key)
        self._places[place] = key
        self._places.move_to_end(place)
        while len(self._places) > MOST_ADDRESSES:
            self._places.popitem(last=False)
        return document


_kept = _Kept()


def kept(request: HttpRequest, offer: Offer, wanted: object, make: Callable[[], bytes]) -> Document:
    """What `make` gives for this request at this address, made anew only after a change.

    `wanted` says by its repr what is asked for. `make` must depend on nothing but that, the address
    (with the host of the request), the language, and the services, providers and applications that
    are the offer's; whatever it raises is raised and not kept.
    """
    now = stamp()
    if not now:
        return Document.of(make())
    # Whatever length a client gives what it asks for, as much is kept of it.
    asked = hashlib.sha256(f"{request.path} {wanted!r}".encode(errors="replace")).digest()
    where = (
        *(request.scheme, request.get_host(), asked, get_language()),
        *(offer.provider, offer.application),
    )
    place = (*where, offer.user.pk, is_operator(offer.user))
    found = _kept.find(now, place)
    if found is not None:
        return found
    key = (*where, _visible(offer))
    document = _kept.share(now, place, key)
    if document is None:
        document = Document.of(make())
        _kept.put(now, place, key, document)
    return document


def _visible(offer: Offer) -> bytes:
    """A digest of exactly which services the user may use here."""
    ids = offer.usable().order_by("pk").values_list("pk", flat=True)
    return hashlib.sha256(repr(list(ids)).encode()).digest()
