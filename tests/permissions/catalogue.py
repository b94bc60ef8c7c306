"""Catalogues of others, searches in them, and data packages: pages, API and doors."""

from __future__ import annotations

from typing import Any

from catalogue_client.models import CatalogueSource, DataPackage, PackageEntry
from common.clock import now
from tests.permissions.scene import (
    NOWHERE,
    OPERATOR,
    OWNER,
    Row,
    Scene,
    door,
    for_group,
    page,
    statuses,
)


def shared(s: Scene) -> dict[str, Any]:
    """A source of the owner's for the group; it is read by crawls, and has not been yet."""
    CatalogueSource.objects.get_or_create(
        slug="shared",
        defaults={
            "name": "Shared", "url": NOWHERE, "kind": "static-stac", "owner": s.researcher,
            "visibility": "group", "group": s.group, "created_at": now(),
        },
    )  # fmt: skip
    return {"slug": "shared"}


def package(s: Scene) -> dict[str, Any]:
    """A data package of the owner's for the group, with the result in it."""
    found, new = DataPackage.objects.get_or_create(
        owner=s.researcher,
        title="Shared",
        defaults={"visibility": "group", "group": s.group, "created_at": now(),
                  "updated_at": now()},
    )  # fmt: skip
    if new:
        PackageEntry.objects.create(
            package=found, title="t", collection="results", identifier=s.item, fetched_at=now()
        )
    return {"package_id": found.pk}


def entry(s: Scene) -> dict[str, Any]:
    place = package(s)
    return {**place, "entry_id": PackageEntry.objects.get(package=place["package_id"]).pk}


def item(s: Scene) -> dict[str, Any]:
    place = entry(s)
    return {"package_id": place["package_id"], "key": str(place["entry_id"])}


def result(s: Scene) -> dict[str, str]:
    return {"source": "portal", "collection": "results", "identifier": s.item}


def for_owner(status: int, others: int = 403) -> dict[str, int]:
    """Members of the group see it, its owner and operators change it."""
    return {**for_group(others), OWNER: status, OPERATOR: status}


MEMBERS = for_group(200)
NAMED = {"title": "New", "visibility": "private"}
# It may be of anybody, and what is in it is shown to members as the catalogue would.
OPEN = statuses(404, anonymous=404, **MEMBERS)

CATALOGUE = (
    Row("pages:sources", page()),
    Row("pages:sources", page(200), "POST", body=lambda _: {"url": NOWHERE}),  # shows why not
    Row("pages:source", page(404, **MEMBERS), arguments=shared),
    Row("pages:source", page(404, **for_owner(200)), "POST", arguments=shared),
    Row("pages:source_act", page(404, **for_owner(302)), "POST", arguments=shared,
        body=lambda _: {"action": "crawl"}),
    Row("pages:source_collections", page(404, **MEMBERS), arguments=shared),
    Row("pages:source_results", page(404, **MEMBERS), arguments=shared),
    Row("pages:source_entry", page(404), arguments=shared, query=lambda _: "id=x"),
    Row("pages:packages", page()),
    Row("pages:packages", page(302), "POST", body=lambda _: NAMED),
    Row("pages:basket", page(302)),
    Row("pages:package", page(404, **MEMBERS), arguments=package),
    Row("pages:package", page(404, **for_owner(302)), "POST", arguments=package,
        body=lambda _: NAMED),
    Row("pages:package_act", page(404, **for_owner(302)), "POST", arguments=package,
        body=lambda _: {"action": "delete"}),
    Row("pages:package_add", page(302), "POST",
        body=lambda s: {"source": "portal", "collection": "results", "id": s.item}),
    Row("pages:package_add", page(404, **for_owner(302)), "POST",
        body=lambda s: {**result(s), "id": s.item, "package": str(package(s)["package_id"])}),
    Row("pages:package_keep", page(302), "POST", body=lambda _: {"title": "t", "search": "text=x"}),
    Row("api:catalogue-search", door()),
    Row("api:catalogue-search", door(), "POST", body=lambda _: {"text": "x"}),
    Row("api:catalogue-search", door(404, **MEMBERS), "POST",
        body=lambda s: {"sources": [shared(s)["slug"]]}),
    Row("api:sources", door()),
    Row("api:sources", door(502), "POST", body=lambda _: {"url": NOWHERE}),
    Row("api:source", door(404, **MEMBERS), arguments=shared),
    Row("api:source", door(404, **for_owner(200)), "PATCH", arguments=shared,
        body=lambda _: {"name": "Other"}),
    Row("api:source", door(404, **for_owner(204)), "DELETE", arguments=shared),
    Row("api:source-check", door(404, **for_owner(200)), "POST", arguments=shared),
    Row("api:source-approval", door(404, **{**for_group(403), OPERATOR: 200}), "POST",
        arguments=shared, body=lambda _: {"approved": True}),
    Row("api:source-collections", door(404, **MEMBERS), arguments=shared),
    Row("api:packages", door()),
    Row("api:packages", door(201), "POST", body=lambda _: NAMED),
    Row("api:package", door(404, **MEMBERS), arguments=package),
    Row("api:package", door(404, **for_owner(200)), "PATCH", arguments=package,
        body=lambda _: NAMED),
    Row("api:package", door(404, **for_owner(204)), "DELETE", arguments=package),
    Row("api:package-entries", door(404, **for_owner(200)), arguments=package),
    Row("api:package-entries", door(404, **for_owner(201)), "POST", arguments=package,
        body=lambda _: {"title": "t", "query": {"text": "x"}}),
    Row("api:package-entry", door(404, **for_owner(204)), "DELETE", arguments=entry),
    Row("api:basket", door()),
    # Whoever may not see the result cannot refer to it either.
    Row("api:basket", door(404, owner=201, operator=201), "POST", body=result),
    Row("package", OPEN, arguments=package),
    Row("package_items", OPEN, arguments=package),
    Row("package_context", OPEN, arguments=lambda s: {**package(s), "form": "atom"}),
    Row("package_item", statuses(404, anonymous=404, owner=200, operator=200), arguments=item),
)  # fmt: skip
