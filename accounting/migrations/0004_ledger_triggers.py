"""Let the database keep the ledger: see _triggers.py and the scripts beside it."""

from django.db import migrations

from accounting.migrations import _triggers


class Migration(migrations.Migration):

    dependencies = [("accounting", "0003_credit_usage_statements")]

    operations = [migrations.RunPython(_triggers.install, _triggers.remove)]
