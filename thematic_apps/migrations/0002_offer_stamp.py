"""A stamp that the database changes with whatever decides who may use what, and how it is described.

PostgreSQL: at the commit, so that no transaction holds the row for longer than that, and once a
transaction. SQLite, which has one writer at a time: at once.
"""

from django.db import migrations, models

from thematic_apps.migrations import _stamp
from thematic_apps.migrations._stamp import TABLE

# Table → columns that matter ("": all), and whether new and deleted rows matter. A new service or
# version is nobody's before something here names it.
WATCHED = {
    "providers_provider": (
        ("slug", "name", "description", "owner_id", "protocol", "state"),
        ("DELETE",),
    ),
    "providers_service": (
        (
            *("provider_id", "identifier", "title", "abstract", "enabled", "withdrawn_at"),
            *("current_id", "unquotable_since"),
        ),
        ("INSERT", "DELETE"),
    ),
    "providers_serviceversion": (("version", "document", "quotable"), ()),
    "thematic_apps_thematicapp": (
        ("slug", "title", "summary", "help_text", "owner_id", "visibility"),
        ("INSERT", "DELETE"),
    ),
    "thematic_apps_thematicapp_services": (("thematicapp_id", "service_id"), ("INSERT", "DELETE")),
    "thematic_apps_thematicapp_groups": (("thematicapp_id", "group_id"), ("INSERT", "DELETE")),
    "people_membership": (("group_id", "user_id", "role"), ("INSERT", "DELETE")),
}

FUNCTION = f"""
CREATE FUNCTION {TABLE}_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {TABLE} AS kept (id, value)
    VALUES (1, pg_current_xact_id()::text || '-' || extract(epoch FROM transaction_timestamp())::text)
    ON CONFLICT (id) DO UPDATE SET value = EXCLUDED.value WHERE kept.value <> EXCLUDED.value;
  RETURN NULL;
END $$
"""


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)
    _stamp.watch(schema_editor, WATCHED)
    apps.get_model("thematic_apps", "OfferStamp").objects.create(id=1, value="first")


def backwards(apps, schema_editor):
    del apps
    _stamp.unwatch(schema_editor, WATCHED)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION {TABLE}_change()", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("thematic_apps", "0001_initial"),
        ("people", "0003_mail_nowhere"),
        ("providers", "0005_connections"),
    ]
    operations = [
        migrations.CreateModel(
            name="OfferStamp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.CharField(max_length=60)),
            ],
        ),
        migrations.RunPython(forwards, backwards),
    ]
