"""The STAC API 1.0 over the embedded catalogue: core, collections, features, item search."""
