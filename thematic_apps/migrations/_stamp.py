"""Triggers by which the offer's stamp changes with tables: see 0002_offer_stamp."""

TABLE = "thematic_apps_offerstamp"
# Table → columns that matter, and which of new and deleted rows matter.
Watched = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]


def watch(schema_editor, watched: Watched) -> None:
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _postgresql(watched) if on_postgresql else _sqlite(watched):
        schema_editor.execute(statement, params=None)


def unwatch(schema_editor, watched: Watched) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table, (_columns, events) in watched.items():
            for name in ("u", *("r" for _ in events[:1])):
                schema_editor.execute(f"DROP TRIGGER stamp_{table}_{name} ON {table}", params=None)
        return
    for table, (_columns, events) in watched.items():
        for event in ("UPDATE", *events):
            schema_editor.execute(f"DROP TRIGGER stamp_{table}_{event.lower()}", params=None)


def _postgresql(watched: Watched):
    for table, (columns, events) in watched.items():
        changed = " OR ".join(f"OLD.{one} IS DISTINCT FROM NEW.{one}" for one in columns)
        timing = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        yield (
            f"CREATE CONSTRAINT TRIGGER stamp_{table}_u AFTER UPDATE ON {table} {timing}"
            f" WHEN ({changed}) EXECUTE FUNCTION {TABLE}_change()"
        )
        if events:
            yield (
                f"CREATE CONSTRAINT TRIGGER stamp_{table}_r AFTER {' OR '.join(events)} ON {table}"
                f" {timing} EXECUTE FUNCTION {TABLE}_change()"
            )


def _sqlite(watched: Watched):
    # Not INSERT OR REPLACE: under a statement's own OR IGNORE that would be OR IGNORE too.
    change = (
        f"INSERT OR IGNORE INTO {TABLE} (id, value) VALUES (1, '');"
        f" UPDATE {TABLE} SET value = hex(randomblob(16)) WHERE id = 1"
    )
    for table, (columns, events) in watched.items():
        changed = " OR ".join(f"OLD.{one} IS NOT NEW.{one}" for one in columns)
        yield (
            f"CREATE TRIGGER stamp_{table}_update AFTER UPDATE ON {table} WHEN {changed}"
            f" BEGIN {change}; END"
        )
        for event in events:
            yield (
                f"CREATE TRIGGER stamp_{table}_{event.lower()} AFTER {event} ON {table}"
                f" BEGIN {change}; END"
            )
