"""Which processes can be quoted; a provider that runs them instead is not asked again."""

from django.db import migrations, models


def find_quotable(apps, schema_editor):
    """Descriptions that were read before have the input `quotation` as any other."""
    for version in apps.get_model("providers", "ServiceVersion").objects.iterator(chunk_size=100):
        for one in version.document.get("inputs", ()):
            if one["identifier"] == "quotation" and one["domain"]["kind"] == "literal":
                version.quotable = one["domain"].get("data_type") in ("boolean", "string")
                version.save(update_fields=["quotable"])


class Migration(migrations.Migration):

    dependencies = [("providers", "0002_usage_policies")]

    operations = [
        migrations.AddField(
            model_name="serviceversion",
            name="quotable",
            field=models.BooleanField(
                default=False, help_text="as described, it can be asked what a run would use"
            ),
        ),
        migrations.RunPython(find_quotable, migrations.RunPython.noop),
        migrations.AddField(
            model_name="service",
            name="unquotable_reason",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="service",
            name="unquotable_since",
            field=models.DateTimeField(
                blank=True,
                help_text="asked for a quotation, the provider did something else; not asked again",
                null=True,
            ),
        ),
    ]
