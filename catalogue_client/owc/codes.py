"""Offering codes and the profile address: many spellings of one thing. Addresses not to follow.

Inside the portal a standard code has one spelling, that of the conceptual model (OGC 12-080r2);
each encoding writes its own. A code that is not standard is kept as it came.
"""

from __future__ import annotations

import re

CONCEPT = "http://www.opengis.net/spec/owc/1.0/req/"
ATOM = "http://www.opengis.net/spec/owc-atom/1.0/req/"
GEOJSON = "http://www.opengis.net/spec/owc-geojson/1.0/req/"
CORE = CONCEPT + "core"

SERVICES = ("wms", "wfs", "wcs", "wps", "csw", "wmts")
DATA = ("gml", "kml", "geotiff", "gmljp2", "gmlcov")
STANDARD = {token: CONCEPT + token for token in (*SERVICES, *DATA)}
_WITH_CORE = {**STANDARD, "core": CORE}


def token(code: str) -> str:
    """The last part of a code, in lower case for the standard ones."""
    last = re.split(r"[/#]", code.rstrip("/#"))[-1]
    return last.lower() if last.lower() in _WITH_CORE else last


def canonical(code: str) -> str:
    """The one spelling of a standard code; any other code as it is."""
    return _WITH_CORE.get(token(code), code) if "/spec/owc" in code else code


def spelt(code: str, base: str) -> str:
    """A code as an encoding (`base` is ATOM or GEOJSON) writes it."""
    standard = canonical(code)
    return base + standard.removeprefix(CONCEPT) if standard in _WITH_CORE.values() else code


def is_script(address: str) -> bool:
    """Whether a browser would run the address instead of opening it; it ignores white space."""
    bare = re.sub(r"[\x00-\x20]", "", address).lower()
    return bare.startswith(("javascript:", "vbscript:", "data:"))
