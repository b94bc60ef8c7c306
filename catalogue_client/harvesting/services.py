"""Setting up where records of a provider come from, and looking at what comes.

The callers have checked that the actor manages the provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalogue_client.access import collection_to_change
from catalogue_client.harvesting.documents import Incoming, incoming
from catalogue_client.harvesting.registry import HARVESTED, endpoint_of
from catalogue_client.harvesting.steering import stop_run
from catalogue_client.models import (
    Collection,
    HarvestKind,
    HarvestSource,
    HarvestState,
    Visibility,
)
from catalogue_client.services import change_collection, put_collection
from catalogue_client.sources import detect
from catalogue_client.sources.ports import Endpoint, Query
from catalogue_client.sources.services import check_share, keep_pace
from catalogue_client.sources.visit import within
from common.clock import now
from common.crypto import encrypt
from common.errors import Conflict, InvalidInput, NotFound
from common.guard import target_of
from common.secret_headers import merged, opened
from people.access import is_operator
from people.models import Group, User

MOST_OF_PROVIDER = 50
SHORTEST = 300  # seconds between two runs
LOOKED_AT = 10  # records of a preview
_TIMES = ("every_seconds", "full_every_seconds")


@dataclass(frozen=True, slots=True)
class Preview:
    """The first records as they would be stored, and why others would not."""

    items: tuple[Incoming, ...]
    faults: tuple[tuple[str, str], ...]
    matched: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Centre:
    """The provider that records are of: its number, short name and name."""

    pk: int
    slug: str
    name: str


def register(  # noqa: PLR0913 (what a registration consists of; all are named)
    *,
    actor: User,
    centre: Centre,
    name: str = "",
    url: str = "",
    kind: str = "",
    parts: Sequence[str] = (),
    collection: str = "",
    visibility: str = Visibility.PRIVATE,
    group: Group | None = None,
    username: str = "",
    password: str = "",
    secret_headers: object = None,
    every_seconds: int | None = None,
    full_every_seconds: int | None = None,
) -> HarvestSource:
    """Look at a catalogue and have it read; with kind PUSH, only take what the centre sends.

    Its records go to `collection`, if it exists one that the actor may change, whose visibility
    then holds; else it is made. Calls the network: not inside a transaction. Raises InvalidInput,
    RateLimited, Conflict, ProviderError, Forbidden.
    """
    if HarvestSource.objects.filter(provider_id=centre.pk).count() >= MOST_OF_PROVIDER:
        raise Conflict(_("This provider has as many sources as the portal takes."))
    check_share(actor, visibility, group)
    source = HarvestSource(
        provider_id=centre.pk, provider_name=centre.name, owner=actor, created_at=now(),
        parts=_checked_parts(parts), approved=is_operator(actor),
    )  # fmt: skip
    _take_times(source, {"every_seconds": every_seconds, "full_every_seconds": full_every_seconds})
    if kind == HarvestKind.PUSH:
        source.kind, source.name = kind, name.strip()[:200] or centre.name
    else:
        source.secret_headers = _merged("", secret_headers or {})
        _look(actor, source, url, kind, username, password)
        source.name = (name or source.name).strip()[:200] or centre.name
    with transaction.atomic():
        source.collection = _collection(actor, centre, source, collection, visibility, group)
        source.save()
    return source


def update(*, actor: User, source: HarvestSource, **changes: Any) -> HarvestSource:
    """Change what is given: name, parts, times, url, username, password, secret_headers, visibility
    with group. Another address is looked at and read from the beginning; another origin loses its
    credentials, and an approval that no operator gave to it.

    Raises InvalidInput, RateLimited, ProviderError, Conflict.
    """
    if source.state == HarvestState.LEAVING:
        raise Conflict(_("This source is being taken away."))
    if "name" in changes and not str(changes["name"]).strip():
        raise InvalidInput(_("A source needs a name."), locator="name")
    url = str(changes.get("url") or source.url).strip()
    moved = source.pulled and url != source.url
    if moved and target_of(url).origin != target_of(source.url).origin:
        source.username = source.secret = source.secret_headers = ""
        source.approved = is_operator(actor)
    if "secret_headers" in changes:
        source.secret_headers = _merged(source.secret_headers, changes["secret_headers"])
    if "username" in changes:
        source.username = changes["username"]
        source.secret = source.secret if source.username else ""
    if changes.get("password"):
        source.secret = encrypt(changes["password"])
    if moved:
        endpoint = endpoint_of(source)
        _look(actor, source, url, "", endpoint.username, endpoint.password)
    parts = _checked_parts(changes.get("parts", source.parts))
    anew = moved or parts != source.parts
    source.parts = parts
    source.name = str(changes.get("name") or source.name).strip()[:200]
    _take_times(source, changes)
    _save_settings(actor, source, changes, anew=anew)
    return source


@transaction.atomic
def _save_settings(
    actor: User, source: HarvestSource, changes: dict[str, Any], *, anew: bool
) -> None:
    """What a worker writes at the same time is left as it is, unless all begins anew."""
    row = HarvestSource.objects.select_for_update().get(pk=source.pk)
    fields = [
        "name", "kind", "url", "parts", "abilities", "facts", "approved", "username", "secret",
        "secret_headers", *_TIMES,
    ]  # fmt: skip
    if anew:
        source.mark = source.full_at = None
        fields += ["mark", "full_at"]
        stop_run(row)
    if {"visibility", "group"} & set(changes):
        visibility = changes.get("visibility", source.collection.visibility)
        group = changes.get("group") if visibility == Visibility.GROUP else None
        check_share(actor, visibility, group)
        collection_to_change(actor, source.collection.identifier)
        values = {"visibility": visibility, "group_id": group.pk if group else None}
        source.collection = change_collection(pk=source.collection_id, values=values)
    source.save(update_fields=fields)


def look(
    *, actor: User, centre: Centre, url: str, username: str = "", password: str = ""
) -> tuple[detect.Detected, Preview]:
    """What is at an address, and what its first records would become; nothing is written.

    Raises InvalidInput, RateLimited, ProviderError.
    """
    source = HarvestSource(
        provider_id=centre.pk, provider_name=centre.name, approved=is_operator(actor)
    )
    found = _look(actor, source, url, "", username, password)
    return found, _previewed(source)


def preview(*, actor: User, source: HarvestSource) -> Preview:
    """What the first records of a source would become now; nothing is written.

    Raises RateLimited, ProviderError, Conflict.
    """
    if not source.pulled:
        raise Conflict(_("The centre sends its records; there is nothing to look at."))
    keep_pace(actor)
    return _previewed(source)


def _previewed(source: HarvestSource) -> Preview:
    query = Query(collections=tuple(source.parts), limit=LOOKED_AT)
    with within(detect.SECONDS):
        page = HARVESTED[source.kind].search(endpoint_of(source), query)
    items, faults = [], list(page.bad)
    for record in page.records[:LOOKED_AT]:
        try:
            items.append(incoming(source, record))
        except InvalidInput as error:
            faults.append((record.id, error.detail))
    return Preview(tuple(items), tuple(faults[:LOOKED_AT]), page.matched, page.warnings)


def _look(
    actor: User, source: HarvestSource, url: str, kind: str, username: str, password: str
) -> detect.Detected:
    """Find out what is there, and write it into the source."""
    keep_pace(actor)
    if not url.strip():
        raise InvalidInput(_("Where is the catalogue?"), locator="url")
    if kind and kind not in HARVESTED:
        raise InvalidInput(_("There is no such kind of catalogue."), locator="kind")
    asked = detect.endpoint_at(
        url, username, password, tuple(opened(source.secret_headers).items()),
        by_user=not source.approved,
    )  # fmt: skip
    found = detect.look(asked, kind, HARVESTED)
    place: Endpoint = found.endpoint
    source.kind, source.url, source.username = found.kind, place.url, place.username
    source.secret = encrypt(place.password) if place.password else ""
    source.abilities = sorted(found.capabilities.abilities)
    source.facts = dict(found.capabilities.facts)
    source.name = source.name or found.capabilities.title or target_of(place.url).host
    return found


def _collection(
    actor: User, centre: Centre, source: HarvestSource, wanted: str, visibility: str,
    group: Group | None,
) -> Collection:  # fmt: skip
    """The collection of that name, or a new one of a name that nobody has."""
    if wanted and Collection.objects.filter(identifier=wanted).exists():
        try:
            return collection_to_change(actor, wanted)
        except NotFound:
            text = _("This name is taken.")
            raise InvalidInput(text, locator="collection") from None
    stem = f"{centre.slug}-{slugify(source.name)[:40].strip('-') or 'records'}"
    names = [wanted] if wanted else [stem, *(f"{stem}-{n}" for n in range(2, 100))]
    taken = set(
        Collection.objects.filter(identifier__in=names).values_list("identifier", flat=True)
    )
    name = next((one for one in names if one not in taken), "")
    if not name:
        raise Conflict(_("Every name for its collection is taken; choose one."))
    document = {
        "id": name,
        "title": source.name,
        "description": _("Records of %(centre)s.") % {"centre": centre.name},
        "providers": [{"name": centre.name, "roles": ["host"]}],
    }
    made = put_collection(document=document, owner=actor, visibility=visibility, group=group)
    if made.revision > 1 or made.owner_id != actor.pk:  # somebody made it at the same moment
        raise Conflict(_("This name has just been taken."))
    return made


def _take_times(source: HarvestSource, given: dict[str, Any]) -> None:
    for name in _TIMES:
        value = given.get(name, getattr(source, name))
        if value is not None and not SHORTEST <= value <= 366 * 86_400:
            text = _("At least %(n)s seconds, at most a year.") % {"n": SHORTEST}
            raise InvalidInput(text, locator=name)
        setattr(source, name, value)


def _checked_parts(parts: Sequence[str]) -> list[str]:
    if len(parts) > 100 or not all(0 < len(one) <= 500 for one in parts):  # noqa: PLR2004
        raise InvalidInput(_("This must be a list of names."), locator="parts")
    return list(dict.fromkeys(parts))


def _merged(stored: str, value: object) -> str:
    try:
        return merged(stored, value)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator="secret_headers") from None
