"""The database backend for PostgreSQL (`ENGINE`); see `base`."""
