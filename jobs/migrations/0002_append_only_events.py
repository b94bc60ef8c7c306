"""A job's events are append-only: the database refuses to change or delete one."""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION jobs_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: events are append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = 'jobs_append_only';
END $$;
CREATE TRIGGER jobs_event_ro BEFORE UPDATE OR DELETE ON jobs_jobevent
  FOR EACH ROW EXECUTE FUNCTION jobs_refuse();
CREATE TRIGGER jobs_event_nt BEFORE TRUNCATE ON jobs_jobevent
  FOR EACH STATEMENT EXECUTE FUNCTION jobs_refuse();
"""
POSTGRESQL_BACK = """
DROP TRIGGER jobs_event_ro ON jobs_jobevent;
DROP TRIGGER jobs_event_nt ON jobs_jobevent;
DROP FUNCTION jobs_refuse();
"""
SQLITE = (
    "CREATE TRIGGER jobs_event_ro_u BEFORE UPDATE ON jobs_jobevent"
    " BEGIN SELECT RAISE(ABORT, 'jobs_append_only'); END",
    "CREATE TRIGGER jobs_event_ro_d BEFORE DELETE ON jobs_jobevent"
    " BEGIN SELECT RAISE(ABORT, 'jobs_append_only'); END",
)
SQLITE_BACK = ("DROP TRIGGER jobs_event_ro_u", "DROP TRIGGER jobs_event_ro_d")


def _run(schema_editor, postgresql, sqlite):
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in (postgresql,) if on_postgresql else sqlite:
        schema_editor.execute(statement, params=None)


def forwards(apps, schema_editor):
    _run(schema_editor, POSTGRESQL, SQLITE)


def backwards(apps, schema_editor):
    _run(schema_editor, POSTGRESQL_BACK, SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
