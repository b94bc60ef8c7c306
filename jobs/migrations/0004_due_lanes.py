"""Due work is found lane by lane, however much of it waits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_broker")]
    operations = [
        migrations.AddIndex(
            model_name="due",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True), ("parked_at__isnull", True)),
                fields=["lane", "due_at"],
                name="jobs_due_lanes",
            ),
        ),
        migrations.AddIndex(
            model_name="due",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True), ("lease_until__isnull", False)),
                fields=["lane"],
                name="jobs_due_leased",
            ),
        ),
    ]
