"""Catalogues elsewhere: operators set them up, owners of jobs publish to them."""

from __future__ import annotations

from typing import Any

from catalogue_client.models import PublishTarget
from tests.permissions.jobs import MANAGES
from tests.permissions.scene import Row, Scene, job, page

FORM = {"name": "another", "kind": "stac", "url": "https://stac.example.org/"}


def known() -> PublishTarget:
    values = {"url": "https://stac.example.org/"}
    return PublishTarget.objects.get_or_create(name="there", defaults=values)[0]


def target(_: Scene) -> dict[str, Any]:
    return {"target_id": known().pk}


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
)
