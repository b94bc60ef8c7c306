"""Registering catalogues of others, changing and checking them."""

from __future__ import annotations

import re
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalogue_client.models import CatalogueSource, SourceKind, Visibility
from catalogue_client.sources import detect
from catalogue_client.sources.access import OWN, may_manage
from catalogue_client.sources.registry import opened_source
from catalogue_client.sources.visit import within
from catalogue_client.stac import checked_visibility
from common.clock import now
from common.crypto import encrypt
from common.errors import Conflict, Forbidden, InvalidInput, PortalError
from common.guard import target_of
from common.pace import count
from common.secret_headers import merged, opened
from people.access import is_operator, membership
from people.models import Group, User

MOST_OF_USER = 50
CHECK_SECONDS = 20.0


def keep_pace(user: User) -> None:
    """Count one more look at a server by hand. Raises RateLimited."""
    text = _("You have asked catalogues very often. Try again in a few minutes.")
    count(f"sources-look:{user.pk}", most=30, seconds=600, text=text)


def look(*, actor: User, url: str, username: str = "", password: str = "") -> detect.Detected:
    """Only look at an address. Raises InvalidInput, RateLimited, ProviderError."""
    keep_pace(actor)
    return detect.look(detect.endpoint_at(url, username, password, by_user=not is_operator(actor)))


def register(  # noqa: PLR0913 (what a registration consists of; all are named)
    *,
    owner: User,
    url: str,
    name: str = "",
    slug: str = "",
    kind: str = "",
    visibility: str = Visibility.PRIVATE,
    group: Group | None = None,
    description: str = "",
    username: str = "",
    password: str = "",
    secret_headers: object = None,
) -> CatalogueSource:
    """Look at the catalogue and register it. Calls the network: not inside a transaction.

    Raises InvalidInput, RateLimited, Conflict, ProviderError.
    """
    keep_pace(owner)
    check_share(owner, visibility, group)
    if kind and kind not in SourceKind.values:
        raise InvalidInput(_("There is no such kind of catalogue."), locator="kind")
    if CatalogueSource.objects.filter(owner=owner).count() >= MOST_OF_USER:
        raise Conflict(_("You have registered as many sources as the portal takes of one user."))
    headers = _merged("", secret_headers or {})
    trusted = is_operator(owner)
    asked = detect.endpoint_at(
        url, username, password, tuple(opened(headers).items()), by_user=not trusted
    )
    found = detect.look(asked, kind)
    capabilities, moment = found.capabilities, now()
    title = (name or capabilities.title or target_of(found.endpoint.url).host).strip()
    source = CatalogueSource(
        name=title[:200], description=description or capabilities.description[:4000],
        url=found.endpoint.url, kind=found.kind, abilities=sorted(capabilities.abilities),
        facts=dict(capabilities.facts), owner=owner, visibility=visibility, group=group,
        approved=trusted, username=found.endpoint.username,
        secret=encrypt(found.endpoint.password) if found.endpoint.password else "",
        secret_headers=headers, created_at=moment, checked_at=moment, answered_at=moment,
    )  # fmt: skip
    return _saved(source, slug)


def update(*, actor: User, source: CatalogueSource, **changes: Any) -> CatalogueSource:
    """Change what is given: name, description, visibility with group, url, username, password,
    secret_headers. Another address is looked at; another origin loses the credentials, and an
    approval that no operator gave to it.

    Raises Forbidden, InvalidInput, RateLimited, ProviderError.
    """
    _require(actor, source)
    for field in ("name", "description", "visibility", "group"):
        if field in changes:
            setattr(source, field, changes[field])
    if source.visibility != Visibility.GROUP:
        source.group = None
    if {"visibility", "group"} & set(changes):
        check_share(actor, source.visibility, source.group)
    if not source.name.strip():
        raise InvalidInput(_("A source needs a name."), locator="name")
    url = str(changes.get("url", source.url)).strip()
    moved = url != source.url
    if moved and target_of(url).origin != target_of(source.url).origin:
        source.username = source.secret = source.secret_headers = ""
        source.approved = is_operator(actor)
    _take_credentials(source, changes)
    if moved:
        source.url = url
        _look_again(actor, source)
    source.save()
    return source


def _take_credentials(source: CatalogueSource, changes: dict[str, Any]) -> None:
    if "secret_headers" in changes:
        source.secret_headers = _merged(source.secret_headers, changes["secret_headers"])
    if "username" in changes:
        source.username = changes["username"]
        source.secret = source.secret if source.username else ""
    if changes.get("password"):
        source.secret = encrypt(changes["password"])


def _look_again(actor: User, source: CatalogueSource) -> None:
    """What is at another address may be of another kind; what was read before is not of it."""
    keep_pace(actor)
    _adapter, endpoint = opened_source(source, actor)
    found = detect.look(endpoint)
    source.url, source.kind = found.endpoint.url, found.kind
    source.abilities = sorted(found.capabilities.abilities)
    source.facts = dict(found.capabilities.facts)
    source.checked_at = source.answered_at = now()
    source.check_error, source.crawled_at = "", None
    source.records.all().delete()


def approve(*, actor: User, source: CatalogueSource, approved: bool) -> CatalogueSource:
    """Vouch for the address, or no more; for operators. Raises Forbidden."""
    if not is_operator(actor):
        raise Forbidden("Only operators may do this.")
    source.approved = approved
    source.save(update_fields=("approved",))
    return source


def remove(*, actor: User, source: CatalogueSource) -> None:
    """Forget the source, what was crawled of it, and what data packages refer to in it."""
    _require(actor, source)
    source.delete()


def check(source: CatalogueSource) -> bool:
    """Ask the catalogue for its capabilities and write down how it is.

    Calls the network: not inside a transaction.
    """
    moment = now()
    try:
        adapter, endpoint = opened_source(source, None)
        with within(CHECK_SECONDS):
            found = adapter.capabilities(endpoint)
    except PortalError as error:
        _note(source, checked_at=moment, check_error=error.detail[:1000])
        return False
    _note(
        source,
        checked_at=moment,
        answered_at=moment,
        check_error="",
        abilities=sorted(found.abilities),
        facts=dict(found.facts),
    )
    return True


def _note(source: CatalogueSource, **values: Any) -> None:
    """Only if the address is still the one that was asked."""
    CatalogueSource.objects.filter(pk=source.pk, url=source.url).update(**values)
    for name, value in values.items():
        setattr(source, name, value)


def _saved(source: CatalogueSource, slug: str) -> CatalogueSource:
    """With the short name that is wanted, else with one made of its name."""
    if slug and (not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,39}", slug) or slug == OWN):
        text = _("Use two to forty small letters, digits and hyphens.")
        raise InvalidInput(text, locator="slug")
    stem = slugify(source.name)[:34].strip("-") or "source"
    stem = stem if len(stem) > 1 else f"{stem}-source"
    tries = [slug] if slug else [stem, *(f"{stem}-{number}" for number in range(2, 100))]
    for one in tries:
        if one == OWN or CatalogueSource.objects.filter(slug=one).exists():
            continue
        source.slug = one
        try:
            with transaction.atomic():
                source.save(force_insert=True)
        except IntegrityError:  # somebody else took it at the same moment
            continue
        return source
    raise InvalidInput(_("This short name is taken."), locator="slug")


def check_share(actor: User, visibility: str, group: Group | None) -> None:
    """Whether the actor may show something so: to a group of theirs only. Raises InvalidInput."""
    checked_visibility(visibility, owner=actor, group=group)
    foreign = group is not None and membership(actor, group) is None
    if visibility == Visibility.GROUP and foreign and not is_operator(actor):
        raise InvalidInput(_("You are not a member of this group."), locator="group")


def _require(actor: User, source: CatalogueSource) -> None:
    if not may_manage(actor, source):
        raise Forbidden("Only the owner of a source and the operators may change it.")


def _merged(stored: str, value: object) -> str:
    try:
        return merged(stored, value)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator="secret_headers") from None
