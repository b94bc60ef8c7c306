"""The spatial index of the items' table, on either database.

SQLite: an R*Tree that triggers keep. Django copies a table to change it there, which loses its
triggers; so `install` runs again after every migration.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from catalogue_client.places import BOX, PERIOD, TREE

TABLE = "catalogue_client_item"
_PERIOD = PERIOD.format(start="start", end='"end"')
_BOX = BOX.format(
    crosses="crosses_antimeridian", west="west", south="south", east="east", north="north"
)
_POSTGRESQL = (
    f"CREATE INDEX IF NOT EXISTS {TREE} ON {TABLE} USING gist ({_BOX}, {_PERIOD})",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_period ON {TABLE} USING gist ({_PERIOD})",
)
# Days since 1970: the tree's short numbers are then exact to minutes.
_ROW = """
    {row}.id,
    CASE WHEN {row}.crosses_antimeridian THEN -180.0 ELSE {row}.west END,
    CASE WHEN {row}.crosses_antimeridian THEN 180.0 ELSE {row}.east END,
    {row}.south, {row}.north,
    julianday({row}.start) - 2440587.5, julianday({row}."end") - 2440587.5"""
_KEEP = f"INSERT OR REPLACE INTO {TREE} SELECT {_ROW.format(row='NEW')}"
_DROP = f"DELETE FROM {TREE} WHERE id = OLD.id"  # noqa: S608 (constants)
_PLACED = 'west, south, east, north, crosses_antimeridian, start, "end"'
_SQLITE = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {TREE} "
    "USING rtree(id, west, east, south, north, first, last)",
    f"CREATE TRIGGER IF NOT EXISTS {TREE}_insert AFTER INSERT ON {TABLE} BEGIN {_KEEP}; END",
    f"CREATE TRIGGER IF NOT EXISTS {TREE}_update AFTER UPDATE OF {_PLACED} ON {TABLE} "
    f"BEGIN {_KEEP}; END",
    f"CREATE TRIGGER IF NOT EXISTS {TREE}_delete AFTER DELETE ON {TABLE} BEGIN {_DROP}; END",
    f"INSERT INTO {TREE} SELECT {_ROW.format(row='i')} FROM {TABLE} i "  # noqa: S608 (constants)
    f"WHERE i.id NOT IN (SELECT id FROM {TREE})",
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the index where it is missing. Safe to repeat."""
    with connection.cursor() as cursor:
        for statement in _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take it away."""
    sqlite = [f"DROP TRIGGER IF EXISTS {TREE}_{what}" for what in ("insert", "update", "delete")]
    sqlite.append(f"DROP TABLE IF EXISTS {TREE}")
    postgresql = [f"DROP INDEX IF EXISTS {TREE}", f"DROP INDEX IF EXISTS {TABLE}_period"]
    with connection.cursor() as cursor:
        for statement in sqlite if connection.vendor == "sqlite" else postgresql:
            cursor.execute(statement)
