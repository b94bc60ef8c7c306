"""A thematic application as an OWS Context document: its area, its period, the scenes on its map,
its services, and where in the portal's catalogue its collections are found."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from catalogue_client import geometry as geo
from catalogue_client import offerings
from catalogue_client.access import visible_collections
from catalogue_client.models import Collection, Item
from catalogue_client.owc import (
    Author,
    Category,
    Context,
    Generator,
    Link,
    Offering,
    Operation,
    Resource,
    Text,
    dates,
)
from catalogue_client.owc.codes import CORE, STANDARD
from catalogue_client.resources import PORTAL, resource_of
from catalogue_client.sources.adapters.embedded import record_of_item
from catalogue_client.stac import GEOJSON, JSON, collection_href, instant_text
from providers.models import Service
from thematic_apps.access import usable_services
from thematic_apps.selectors import scenes_of

if TYPE_CHECKING:
    from people.models import User
    from thematic_apps.models import ThematicApp

ATOM = "application/atom+xml"
OSDD = "application/opensearchdescription+xml"
# The portal's own code: OpenSearch has none in the standard. A path; the address goes in front.
OPENSEARCH = "/spec/owc/1.0/req/atom/opensearch"


def context_of(app: ThematicApp, user: User, base: str) -> Context:
    """The application as the user sees it; all addresses are the portal's, which is at `base`.

    In order: the layers of its map, its services, its collections.
    """
    whole = _Whole(app, base)
    scenes = scenes_of(user, app)
    services = list(usable_services(user, app).order_by("title", "pk"))
    collections = list(visible_collections(user).filter(identifier__in=app.collections))
    page = Link("alternate", f"{base}/apps/{app.slug}/", "text/html", app.title)
    moments = [app.updated_at, *(item.updated_at for item in scenes)]
    return Context(
        id=f"{whole.here}/",
        title=Text(app.title),
        updated=instant_text(max(moments)),
        subtitle=Text(app.summary) if app.summary else None,
        authors=(Author(PORTAL),),
        publisher=PORTAL,
        generator=Generator(PORTAL, f"{base}/"),
        area=geo.polygon(app.bbox),
        date=_period(app),
        links=(Link("profile", CORE), page),
        categories=(Category("thematicapp"),),
        resources=(
            *whole.scenes(scenes),
            *(whole.service(one) for one in services),
            *(whole.collection(one) for one in collections),
        ),
    )


class _Whole:
    """What the resources of an application share."""

    def __init__(self, app: ThematicApp, base: str) -> None:
        self.app = app
        self.base = base
        self.here = f"{base}/owc/apps/{app.slug}"

    def scenes(self, items: Sequence[Item]) -> list[Resource]:
        """The layers of the map, with everything that they offer."""
        found = []
        for item in items:
            record = record_of_item(item, self.base)
            stac = f"{collection_href(item.collection.identifier, self.base)}/items/{record.id}"
            offered = offerings.of_item(item, record.document, self.base)
            moment = instant_text(item.updated_at)
            found.append(
                resource_of(record, stac, updated=moment, folder="layers", offerings=offered)
            )
        return found

    def service(self, service: Service) -> Resource:
        """A process at the application's own WPS."""
        name = service.public_identifier
        offered = offerings.of_processes(f"{self.base}/apps/{self.app.slug}/wps", name)
        form = f"{self.base}/apps/{self.app.slug}/services/{quote(name)}/"
        return self._resource(
            f"service-{service.pk}",
            service.title,
            service.abstract,
            folder="services",
            links=(Link("alternate", form, "text/html", service.title),),
            offerings=(offered,),
        )

    def collection(self, collection: Collection) -> Resource:
        """A collection at the portal's doors for searches."""
        stac = collection_href(collection.identifier, self.base)
        page = f"{self.base}/catalogue/{quote(collection.identifier)}/"
        return self._resource(
            f"collection-{collection.pk}",
            collection.title,
            collection.description,
            folder="catalogue",
            links=(
                Link("alternate", page, "text/html", collection.title),
                Link("via", stac, JSON, "STAC collection"),
            ),
            offerings=(self._opensearch(collection), self._csw(collection)),
        )

    def _opensearch(self, collection: Collection) -> Offering:
        asked = urlencode({"parentIdentifier": collection.identifier})
        door = f"{self.base}/opensearch"
        operations = (
            Operation("DescribeDataset", f"{door}/description.xml", type=OSDD),
            Operation("SearchDataset", f"{door}/search.atom?{asked}", type=ATOM),
            Operation("SearchDataset", f"{door}/search.geojson?{asked}", type=GEOJSON),
        )
        return Offering(f"{self.base}{OPENSEARCH}", operations)

    def _csw(self, collection: Collection) -> Offering:
        door = f"{self.base}/csw"
        known = {"service": "CSW", "request": "GetCapabilities"}
        asked = {
            "service": "CSW",
            "version": "2.0.2",
            "request": "GetRecords",
            "typeNames": "csw:Record",
            "elementSetName": "full",
            "resultType": "results",
            "constraintLanguage": "CQL_TEXT",
            "constraint_language_version": "1.1.0",
            "constraint": f"apiso:ParentIdentifier = '{collection.identifier}'",
        }
        operations = (
            Operation("GetCapabilities", f"{door}?{urlencode(known)}", type="application/xml"),
            Operation("GetRecords", f"{door}?{urlencode(asked)}", type="application/xml"),
        )
        return Offering(STANDARD["csw"], operations)

    def _resource(
        self,
        key: str,
        title: str,
        text: str,
        *,
        folder: str,
        links: tuple[Link, ...],
        offerings: tuple[Offering, ...],
    ) -> Resource:
        return Resource(
            id=f"{self.here}/#{key}",
            title=Text(title or key),
            updated=instant_text(self.app.updated_at),
            abstract=Text(f"<p>{html.escape(text or title)}</p>", "html"),
            publisher=PORTAL,
            geometry=geo.polygon(self.app.bbox),
            folder=folder,
            links=links,
            offerings=offerings,
        )


def _period(app: ThematicApp) -> str:
    """From the first to the last second; an end that is open is the earliest or latest date."""
    first, last = app.period_start, app.period_end
    if first is None and last is None:
        return ""
    start = instant_text(datetime.combine(first, time(), UTC)) if first else dates.EARLIEST
    end = instant_text(datetime.combine(last, time(23, 59, 59), UTC)) if last else dates.LATEST
    return f"{start}/{end}"
