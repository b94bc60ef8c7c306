"""Data packages: references that belong together, under one address."""
