"""Documents about a page's subject, for other programs: linked from its head and its text."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

# Media types of OWS Context, and the end of the address by which each is had.
FORMS = {"application/atom+xml": "atom", "application/geo+json": "geojson"}


@dataclass(frozen=True, slots=True)
class Link:
    """A document about a page's subject."""

    label: str
    href: str
    media_type: str


def documents_of(place: str) -> list[Link]:
    """The OWS Context documents of what is at /owc/<place>."""
    labels = {"atom": _("OWS Context, Atom"), "geojson": _("OWS Context, GeoJSON")}
    address = f"{settings.BASE_URL}/owc/{place}"
    return [Link(labels[form], f"{address}.{form}", kind) for kind, form in FORMS.items()]
