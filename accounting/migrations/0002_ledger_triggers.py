"""The ledger's triggers stood here; 0004 installs them, after the tables that they know."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("accounting", "0001_initial")]

    operations = []
