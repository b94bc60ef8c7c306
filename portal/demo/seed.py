"""The demo's data: people, credit, a provider, an application, a catalogue collection.

Everything goes through the packages' own services and may be repeated: a second start changes
nothing.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from accounting.accounts import group_account
from accounting.credit.transfers import issue_credit
from accounting.models import Unit
from accounting.prices.formulas import set_formula
from accounting.prices.price_lists import RateSpec, publish_rates
from catalogue_client.services import put_collection, put_item
from jobs.estimates.counting import samples
from people import tokens
from people.models import Group, Membership, Role, Scope, User
from people.services import create_api_key
from portal.demo.scene import SceneInfo
from providers.models import Provider, Service
from providers.services import (
    approve_provider,
    discover,
    register_provider,
    set_expected_use,
    set_service_enabled,
    update_provider,
)
from thematic_apps.models import ThematicApp, Visibility
from thematic_apps.services import save_app

CREDIT = 1_000_000  # micro-credits
GROUP = "urban-observatory"
APP = "demo-city"
PROVIDER = "demo"
SITE = "TEP-DEMO"
COLLECTION = "demo-scenes"

PEOPLE: dict[str, dict[str, Any]] = {
    "researcher": {"first_name": "Rosa", "last_name": "Researcher"},
    "group-admin": {"first_name": "Gita", "last_name": "Group"},
    "provider": {"first_name": "Piet", "last_name": "Provider"},
    "operator": {
        "first_name": "Olga",
        "last_name": "Operator",
        "is_staff": True,
        "is_superuser": True,
    },
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the demo's provider asks for a service: credits, the most that a run takes, and formulas
    by unit."""

    rates: dict[str, RateSpec]
    seconds: int
    formulas: Mapping[str, str] = field(default_factory=dict)


def _per_job(price: str) -> RateSpec:
    whole, _, part = price.partition(".")
    return RateSpec(price=int(whole) * CREDIT + int((part + "000000")[:6]))


_CPU = RateSpec(price=36 * CREDIT)  # 0.01 credits a second of CPU
OFFERS: dict[str, Offer] = {
    "hello": Offer({Unit.JOB: _per_job("0.1")}, 10),
    "echo": Offer({Unit.JOB: _per_job("0.1")}, 10),
    "ndvi": Offer({Unit.JOB: _per_job("0.5"), Unit.CPU_CORE_HOUR: _CPU}, 60),
    "change": Offer({Unit.JOB: _per_job("1"), Unit.CPU_CORE_HOUR: _CPU}, 120),
    "zonal-statistics": Offer(
        {
            Unit.JOB: _per_job("0.5"),
            Unit.CPU_CORE_HOUR: RateSpec(price=36 * CREDIT, minimum=CREDIT // 100),
            Unit.WALL_HOUR: _per_job("3.6"),
            Unit.PRODUCT_OUT: _per_job("0.05"),
        },
        60,
        {Unit.CPU_CORE_HOUR: "(6 + 2 * count(statistics)) / 3600"},
    ),
    "buffer": Offer({Unit.JOB: _per_job("0.2"), Unit.PRODUCT_IN: _per_job("0.05")}, 10),
    "fail": Offer({Unit.JOB: _per_job("0.2")}, 10),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo is: addresses and folders."""

    base_url: str
    provider_url: str
    usage_queue: Path
    document: Path  # demo.json


def seed(place: Place, scene: SceneInfo) -> dict[str, Any]:
    """Write the demo data and `demo.json`; gives the latter's content."""
    earlier = _read(place.document)
    users = {name: _user(name, earlier) for name in PEOPLE}
    group = _group(users)
    provider = _provider(users, place)
    _application(users, group, provider, scene)
    _catalogue(users["operator"], scene)
    document = {
        "base_url": place.base_url,
        "provider_url": place.provider_url,
        "users": {name: _credentials(user, earlier) for name, user in users.items()},
        "group": GROUP,
        "app": APP,
        "usage_queue": str(place.usage_queue),
    }
    _write(place.document, document)
    return document


def _user(name: str, earlier: dict[str, Any]) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User(username=name, email=f"{name}@demo.example", **PEOPLE[name])
    password = earlier.get("users", {}).get(name, {}).get("password")
    if user.pk is None or not password or not user.check_password(password):
        user.set_password(password or _new_password(earlier, name))
        user.save()
    return user


def _new_password(earlier: dict[str, Any], name: str) -> str:
    password = secrets.token_urlsafe(12)
    earlier.setdefault("users", {}).setdefault(name, {})["password"] = password
    return password


def _credentials(user: User, earlier: dict[str, Any]) -> dict[str, str]:
    known = earlier["users"][user.username]
    key = known.get("api_key", "")
    found = tokens.authenticate(key) if key else None
    if found is None or found[0] != user:
        _, key = create_api_key(user=user, name="demo", scopes=Scope.values)
    return {"username": user.username, "password": known["password"], "api_key": key}


def _group(users: dict[str, User]) -> Group:
    group, _ = Group.objects.get_or_create(
        slug=GROUP,
        defaults={
            "name": "Urban Observatory",
            "description": "Researchers who look at cities and what surrounds them.",
        },
    )
    for name, role in (("group-admin", Role.ADMIN), ("researcher", Role.MEMBER)):
        Membership.objects.get_or_create(group=group, user=users[name], defaults={"role": role})
    issue_credit(
        actor=users["operator"],
        account=group_account(group),
        amount=500 * CREDIT,
        reason="Credit for the demo",
        key="demo",
    )
    return group


def _provider(users: dict[str, User], place: Place) -> Provider:
    operator, owner = users["operator"], users["provider"]
    provider = Provider.objects.filter(slug=PROVIDER).first()
    if provider is None:
        provider = register_provider(
            owner=owner,
            slug=PROVIDER,
            name="Demo processing centre",
            url=place.provider_url,
            description="A PyWPS server on this machine.",
        )
    base = place.provider_url.rsplit("/", 1)[0]
    update_provider(
        actor=operator,
        provider=provider,
        url=place.provider_url,
        usage_site=SITE,
        usage_queue=str(place.usage_queue),
        lookup_url=f"{base}/lookup/{{reference}}",
        retry_wait_seconds=5,
        retry_attempts=1000,
    )
    if provider.discovery_error or provider.discovered_at is None:
        discover(provider=provider, actor=operator)
    if not provider.approved:
        approve_provider(actor=operator, provider=provider)
        _offer(owner, provider)
    return provider


def _offer(owner: User, provider: Provider) -> None:
    """Switch the known services on and price them; later changes by hand are left alone."""
    rates: dict[tuple[int, str], RateSpec] = {}
    for service in Service.objects.filter(provider=provider, identifier__in=OFFERS):
        offer = OFFERS[service.identifier]
        set_service_enabled(actor=owner, service=service, enabled=True)
        set_expected_use(
            actor=owner, service=service, wall_seconds=offer.seconds, cpu_seconds=offer.seconds
        )
        rates |= {(service.pk, unit): spec for unit, spec in offer.rates.items()}
        _formulas(owner, service, offer)
    publish_rates(actor=owner, provider_id=provider.pk, rates=rates)


def _formulas(owner: User, service: Service, offer: Offer) -> None:
    if service.current is None:
        return
    for unit, expression in offer.formulas.items():
        set_formula(
            actor=owner,
            service_id=service.pk,
            unit=unit,
            expression=expression,
            samples=samples(service.current.description),
        )


def _application(
    users: dict[str, User], group: Group, provider: Provider, scene: SceneInfo
) -> None:
    if ThematicApp.objects.filter(slug=APP).exists():
        return
    west, south, east, north = scene.bbox
    margin = (east - west) / 4
    save_app(
        actor=users["operator"],
        slug=APP,
        fields={
            "title": "Land cover of the demo city",
            "summary": "Vegetation, water and built-up land of a city on a river, at two dates: "
            "look at the scene, compute indices and change, and compare parcels.",
            "help_text": "Choose a service, draw a box over the scene, and calculate the cost.",
            "visibility": Visibility.GROUPS,
            "west": west - margin,
            "south": south - margin,
            "east": east + margin,
            "north": north + margin,
            "period_start": date.fromisoformat(scene.start[:10]),
            "period_end": date.fromisoformat(scene.end[:10]),
            "collections": [COLLECTION],
        },
        services=Service.objects.filter(provider=provider, identifier__in=OFFERS),
        groups=(group,),
    )


def _catalogue(operator: User, scene: SceneInfo) -> None:
    collection = put_collection(
        document={
            "id": COLLECTION,
            "title": "Demo scenes",
            "description": "Small multispectral scenes that the demo makes by itself.",
            "license": "CC0-1.0",
            "keywords": ["demo", "optical"],
        },
        owner=operator,
    )
    for item in scene.items:
        put_item(collection=collection, document=item, owner=operator)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _write(path: Path, document: dict[str, Any]) -> None:
    """Passwords are in it: for the owner's eyes only, and never half written."""
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(document, file, indent=2)
    part.replace(path)
