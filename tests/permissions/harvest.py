"""Records of processing centres: a provider's owner and operators say where they come from."""

from __future__ import annotations

from typing import Any

from catalogue_client.harvesting import services
from catalogue_client.models import HarvestRun, HarvestSource, RunMode
from common.clock import now
from tests.permissions.scene import NOWHERE, Row, Scene, door, for_provider, page, provider, public


def known(scene: Scene) -> HarvestSource:
    found = HarvestSource.objects.filter(provider_id=scene.provider.pk).first()
    centre = services.Centre(scene.provider.pk, scene.provider.slug, scene.provider.name)
    return found or services.register(actor=scene.provider_owner, centre=centre, kind="push")


def source(scene: Scene) -> dict[str, Any]:
    return {**provider(scene), "source_id": known(scene).pk}


def run(scene: Scene) -> dict[str, Any]:
    there = known(scene)
    values = {"mode": RunMode.PUSH, "started_at": now()}
    made = HarvestRun.objects.get_or_create(source=there, defaults=values)[0]
    return {**source(scene), "run_id": made.pk}


def by_id(scene: Scene) -> dict[str, Any]:
    return {"source_id": known(scene).pk}


def run_by_id(scene: Scene) -> dict[str, Any]:
    return {"source_id": known(scene).pk, "run_id": run(scene)["run_id"]}


def record(scene: Scene) -> dict[str, Any]:
    return {**by_id(scene), "record": "a"}


def form(_: Scene) -> dict[str, str]:
    return {"kind": "push", "name": "Scenes", "visibility": "private"}


def renewal(_: Scene) -> dict[str, str]:
    return {"action": "token"}


HARVEST = (
    Row("pages:provider_harvest", page(404, **for_provider(200)), arguments=provider),
    Row("pages:provider_harvest", page(404, **for_provider(302)), "POST", provider, form),
    Row("pages:harvest_source", page(404, **for_provider(200)), arguments=source),
    Row("pages:harvest_source", page(404, **for_provider(302)), "POST", source, form),
    Row("pages:harvest_preview", page(404, **for_provider(200)), arguments=source),
    Row("pages:harvest_run", page(404, **for_provider(200)), arguments=run),
    *(
        Row(
            "pages:harvest_act", page(404, provider=status, operator=302), "POST", source,
            lambda _, action=action: {"action": action},
        )
        for action, status in (("pause", 302), ("leave", 302), ("approve", 403))
    ),
    Row("pages:harvest_act", page(404, **for_provider(200)), "POST", source, renewal),
    Row("api:harvest-sources", door(404, **for_provider(200)), arguments=provider),
    Row("api:harvest-sources", door(404, **for_provider(201)), "POST", provider, form),
    Row(
        "api:harvest-previews", door(404, **for_provider(502)), "POST", provider,
        lambda _: {"url": NOWHERE},
    ),
    Row("api:harvest-source", door(404, **for_provider(200)), arguments=by_id),
    Row(
        "api:harvest-source", door(404, **for_provider(200)), "PATCH", by_id,
        lambda _: {"name": "New"},
    ),
    Row("api:harvest-source", door(404, **for_provider(202)), "DELETE", by_id),
    # What the centre sends is not read, so there is nothing to look at, to run or to decide.
    Row("api:harvest-preview", door(404, **for_provider(409)), "POST", by_id),
    Row("api:harvest-runs", door(404, **for_provider(200)), arguments=by_id),
    Row("api:harvest-runs", door(404, **for_provider(409)), "POST", by_id, lambda _: {}),
    Row("api:harvest-run", door(404, **for_provider(200)), arguments=run_by_id),
    Row("api:harvest-faults", door(404, **for_provider(200)), arguments=run_by_id),
    Row(
        "api:harvest-decision", door(404, **for_provider(409)), "POST", by_id,
        lambda _: {"remove": True},
    ),
    Row(
        "api:harvest-approval", door(404, provider=403, operator=200), "POST", by_id,
        lambda _: {},
    ),
    Row("api:harvest-token", door(404, **for_provider(201)), "POST", by_id),
    Row("api:harvest-token", door(404, **for_provider(204)), "DELETE", by_id),
    # These take the source's own token and nothing else.
    Row("api:harvest-records", public(401), "POST", by_id, lambda _: "{}"),
    Row("api:harvest-record", public(401), "DELETE", record),
)  # fmt: skip
