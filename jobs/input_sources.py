"""From which products a job was made, as far as its inputs say and everybody may know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from catalogue_client.access import visible_items
from catalogue_client.models import Item
from catalogue_client.selectors import Search, search
from catalogue_client.stac import collection_href
from jobs.models import Job
from providers.process import ReferenceValue

MOST_SCENES = 100  # entries of an application's collections in which a file is looked for
_OUTPUT = re.compile(
    r"/(?:api/|wps/)?jobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/outputs/\d+(?:/content/)?"
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Addresses of products, and of the portal's collections that some of them are in."""

    products: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()


def sources_of(job: Job) -> Sources:
    """The catalogue entries whose files were given to the job, else the addresses of the files.

    An entry that not everybody sees is not named, nor an address that may hold a secret.
    """
    given = [v.href for v in job.input_values if isinstance(v, ReferenceValue)]
    if not given:
        return Sources()
    items = {**_results(given), **_scenes(job, given)}
    products = [_address(items[href]) if href in items else _told(href) for href in given]
    shelves = [collection_href(one.collection.identifier, "") for one in items.values()]
    return Sources(
        tuple(dict.fromkeys(one for one in products if one)), tuple(dict.fromkeys(shelves))
    )


def _results(given: list[str]) -> dict[str, Item]:
    """Results of other jobs, by the address of their file."""
    own = {href: found[1] for href in given if (found := _OUTPUT.fullmatch(_path(href)))}
    if not own:
        return {}
    public = visible_items(None).select_related("collection").filter(job_id__in=own.values())
    by_job = {str(item.job_id): item for item in public}
    return {href: by_job[job_id] for href, job_id in own.items() if job_id in by_job}


def _scenes(job: Job, given: list[str]) -> dict[str, Item]:
    """Scenes that the application offered, by the address of their file."""
    app = job.application
    if app is None or not app.collections:
        return {}
    found = search(None, Search(collections=tuple(app.collections), limit=MOST_SCENES)).items
    return {
        asset["href"]: item
        for item in found
        for asset in item.document["assets"].values()
        if asset["href"] in given
    }


def _address(item: Item) -> str:
    return f"{collection_href(item.collection.identifier, '')}/items/{item.identifier}"


def _told(href: str) -> str:
    """The address of a file elsewhere; "" for the portal's own, and for any that says who asks."""
    parts = _parts(href)
    plain = parts.scheme in ("http", "https") and not (parts.query or "@" in parts.netloc)
    return href if plain and not _path(href) else ""


def _path(href: str) -> str:
    """The path of an address of the portal's; "" for any other."""
    base = settings.BASE_URL
    return _parts(href).path if base and href.startswith(f"{base}/") else ""


def _parts(href: str) -> SplitResult:
    try:
        return urlsplit(href)
    except ValueError:  # a user typed it
        return urlsplit("")
