"""OpenSearch with its extensions for place, time and Earth observation."""
