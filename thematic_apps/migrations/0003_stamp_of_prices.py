"""The offer's stamp changes with prices, formulas and maintenance windows too."""

from django.db import migrations

from thematic_apps.migrations import _stamp

BOTH = ("INSERT", "DELETE")
WATCHED = {
    "acc_price_list": (("code", "effective_from", "published_at", "withdrawn_at"), BOTH),
    "acc_rate": (
        (
            *("price_list_id", "provider_id", "service_id", "unit", "unit_size", "price"),
            *("minimum", "free_quantity"),
        ),
        BOTH,
    ),
    "acc_formula": (("service_id", "unit", "expression"), BOTH),
    "providers_maintenancewindow": (("provider_id", "starts_at", "ends_at", "note"), BOTH),
}


class Migration(migrations.Migration):
    dependencies = [
        ("thematic_apps", "0002_offer_stamp"),
        ("accounting", "0004_ledger_triggers"),
        ("providers", "0005_connections"),
    ]
    operations = [
        migrations.RunPython(
            lambda _apps, schema_editor: _stamp.watch(schema_editor, WATCHED),
            lambda _apps, schema_editor: _stamp.unwatch(schema_editor, WATCHED),
        ),
    ]
