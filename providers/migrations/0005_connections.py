"""A provider takes 32 connections at a time unless its owner says otherwise."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0004_broker")]
    operations = [
        migrations.AlterField(
            model_name="provider",
            name="max_connections",
            field=models.PositiveSmallIntegerField(default=32),
        ),
    ]
