from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("accounting", "0005_leaner_indexes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            # In place: triggers of other tables read this one, and SQLite would make it anew.
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE acc_usage_message"
                    " ADD COLUMN dropped_by varchar(64) NOT NULL DEFAULT ''",
                    "ALTER TABLE acc_usage_message DROP COLUMN dropped_by",
                )
            ],
            state_operations=[
                migrations.AddField(
                    model_name="usagemessage",
                    name="dropped_by",
                    field=models.CharField(
                        blank=True,
                        help_text="who said that nobody has to look at it any more",
                        max_length=64,
                    ),
                )
            ],
        )
    ]
