"""CSW 2.0.2: the catalogue for GeoNetwork, pycsw, OWSLib, QGIS."""
