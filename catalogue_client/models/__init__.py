"""What the catalogue keeps: its own records, and what it knows of others."""

from catalogue_client.models.catalogue import (
    ChangeCounter,
    Collection,
    Item,
    ItemState,
    Visibility,
)
from catalogue_client.models.departures import Departure
from catalogue_client.models.harvest import (
    HarvestedItem,
    HarvestFault,
    HarvestKind,
    HarvestRun,
    HarvestSource,
    HarvestState,
    RunMode,
    RunState,
)
from catalogue_client.models.package import DataPackage, PackageEntry
from catalogue_client.models.publishing import (
    Publication,
    PublicationState,
    PublishTarget,
    TargetKind,
)
from catalogue_client.models.source import CachedRecord, CatalogueSource, SourceKind
from catalogue_client.models.viewers import Viewer, ViewState, Visualisation

__all__ = [
    "CachedRecord",
    "CatalogueSource",
    "ChangeCounter",
    "Collection",
    "DataPackage",
    "Departure",
    "HarvestFault",
    "HarvestKind",
    "HarvestRun",
    "HarvestSource",
    "HarvestState",
    "HarvestedItem",
    "Item",
    "ItemState",
    "PackageEntry",
    "Publication",
    "PublicationState",
    "PublishTarget",
    "RunMode",
    "RunState",
    "SourceKind",
    "TargetKind",
    "ViewState",
    "Viewer",
    "Visibility",
    "Visualisation",
]
