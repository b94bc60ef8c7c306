"""Catalogues elsewhere: operators set them up, owners of jobs publish to them."""

from __future__ import annotations

from typing import Any

from catalogue_client.models import PublishTarget
from tests.permissions.jobs import MANAGES
from tests.permissions.scene import Row, Scene, door, job, page

FORM = {"name": "another", "kind": "stac", "url": "https://stac.example.org/"}


def known() -> PublishTarget:
    values = {"url": "https://stac.example.org/"}
    return PublishTarget.objects.get_or_create(name="there", defaults=values)[0]


def target(_: Scene) -> dict[str, Any]:
    return {"target_id": known().pk}


def published(s: Scene) -> dict[str, Any]:
    return {**job(s), **target(s)}


def entry(s: Scene) -> dict[str, Any]:
    return {"collection": "results", "identifier": s.item}


KEEPS = {"owner": 200, "admin": 403, "operator": 200}

TARGETS = (
    Row("pages:targets", page(404, operator=200)),
    Row("pages:target_new", page(404, operator=200)),
    Row("pages:target_new", page(404, operator=302), "POST", body=lambda _: FORM),
    Row("pages:target", page(404, operator=200), arguments=target),
    Row("pages:target", page(404, operator=302), "POST", target, lambda _: FORM),
    Row("pages:target_act", page(404, operator=302), "POST", target, lambda _: {"action": "x"}),
    Row("pages:job_show", page(404, **MANAGES), "POST", job, lambda _: {"visibility": "public"}),
    Row(
        "pages:job_publish",
        page(404, **MANAGES),
        "POST",
        job,
        lambda _: {"action": "publish", "target": str(known().pk)},
    ),
    Row("api:publish-targets", door()),
    Row("api:publish-targets", door(403, operator=201), "POST", body=lambda _: FORM),
    Row("api:publish-target", door(404, operator=200), arguments=target),
    Row(
        "api:publish-target",
        door(404, operator=200),
        "PATCH",
        target,
        lambda _: {"name": "elsewhere"},
    ),
    Row("api:publish-target", door(404, operator=204), "DELETE", target),
    Row("api:job-entry", door(404, **KEEPS), arguments=job),
    Row("api:job-entry", door(404, **KEEPS), "PUT", job, lambda _: {"visibility": "public"}),
    Row("api:job-publications", door(404, **KEEPS), arguments=job),
    Row(
        "api:job-publications",
        door(404, owner=202, admin=403, operator=202),
        "POST",
        job,
        lambda _: {"target": known().pk},
    ),
    # Nothing is published there yet.
    Row("api:job-publication", door(404, admin=403), arguments=published),
    Row("api:job-publication", door(404, admin=403), "DELETE", published),
    Row("api:job-publication-retry", door(404, admin=403), "POST", published),
    Row("api:viewers", door()),
    Row("api:entry-views", door(404, owner=200, operator=200), arguments=entry),
    Row(
        "api:entry-views",
        door(404),
        "POST",
        entry,
        lambda _: {"viewer": "none", "asset": "result"},
    ),
)
