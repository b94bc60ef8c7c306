"""OWS Context 1.0: a model, and its two encodings both ways.

`read_atom` and `read_geojson` understand what occurs in real documents, `atom` and `geojson` write
what passes the grammar and the schema; from one encoding to the other and back nothing is lost.
"""

from catalogue_client.owc.atom_reader import read_atom
from catalogue_client.owc.atom_writer import atom
from catalogue_client.owc.checks import breaches
from catalogue_client.owc.json_offerings import read_offering
from catalogue_client.owc.json_reader import read_geojson
from catalogue_client.owc.json_writer import geojson, offering_object
from catalogue_client.owc.model import (
    Author,
    Category,
    Content,
    Context,
    Display,
    Generator,
    Link,
    Offering,
    Operation,
    Resource,
    StyleSet,
    Text,
)

__all__ = [
    "Author",
    "Category",
    "Content",
    "Context",
    "Display",
    "Generator",
    "Link",
    "Offering",
    "Operation",
    "Resource",
    "StyleSet",
    "Text",
    "atom",
    "breaches",
    "geojson",
    "offering_object",
    "read_atom",
    "read_geojson",
    "read_offering",
]
