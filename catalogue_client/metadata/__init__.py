"""An item in the words of metadata standards: Dublin Core, ISO 19139, schema.org."""
