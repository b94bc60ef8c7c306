import datetime
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


from accounting.migrations import _triggers


def limit_is_the_quote(apps, schema_editor):
    """Bills of before held their quote's total."""
    bills = apps.get_model("accounting", "JobBill").objects.select_related("quote")
    for bill in bills.iterator(chunk_size=500):
        bill.limit_amount = bill.quote.total
        bill.save(update_fields=["limit_amount"])


def rules_are_on_record(apps, schema_editor):
    """What was set before changes were recorded: check_ledger compares the rules with the record."""
    changes = apps.get_model("accounting", "AccountChange").objects
    told = {"actor": "migration", "at": timezone.now(), "reason": "set before changes were recorded"}
    for account in apps.get_model("accounting", "Account").objects.exclude(floor=None):
        if account.floor:
            changes.create(account=account, what="credit_limit", before=0, after=-account.floor, **told)
        if account.status != "OPEN":
            after = {"status": account.status, "by": "operator"}
            changes.create(account=account, what="status", before="OPEN", after=after, **told)
    for cap in apps.get_model("accounting", "MemberCap").objects.all():
        after = {"member": cap.member_id, "limit": cap.limit_amount, "period": cap.period}
        changes.create(account_id=cap.account_id, what="cap", before=None, after=after, **told)


class Migration(migrations.Migration):

    dependencies = [
        ('accounting', '0002_ledger_triggers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds tables: 0004 installs the triggers.
        migrations.RunPython(_triggers.remove, migrations.RunPython.noop),
        migrations.CreateModel(
            name='AccountChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('what', models.CharField(help_text='status, credit_limit, cap, overrun …', max_length=40)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'db_table': 'acc_account_change',
                'ordering': ('-at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Adjustment',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('amount', models.BigIntegerField()),
                ('reason', models.TextField()),
                ('state', models.CharField(choices=[('PENDING', 'to be approved'), ('BOOKED', 'booked'), ('REFUSED', 'refused')], default='PENDING', max_length=8)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True)),
            ],
            options={
                'db_table': 'acc_adjustment',
                'ordering': ('-requested_at',),
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fired_at', models.DateTimeField()),
                ('available', models.BigIntegerField()),
                ('threshold', models.BigIntegerField()),
            ],
            options={
                'db_table': 'acc_alert',
                'ordering': ('-fired_at',),
            },
        ),
        migrations.CreateModel(
            name='AlertRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.BigIntegerField(blank=True, null=True)),
                ('percent', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('armed', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_alert_rule',
                'ordering': ('account', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('provider_id', models.BigIntegerField(db_index=True)),
                ('opened_at', models.DateTimeField()),
                ('text', models.TextField()),
                ('state', models.CharField(choices=[('OPEN', 'open'), ('ACCEPTED', 'accepted'), ('PARTLY', 'accepted in part'), ('REJECTED', 'rejected')], default='OPEN', max_length=8)),
                ('answer', models.TextField(blank=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'acc_dispute',
                'ordering': ('-opened_at',),
            },
        ),
        migrations.CreateModel(
            name='Formula',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('service_id', models.BigIntegerField()),
                ('unit', models.CharField(choices=[('JOB', 'per job'), ('REQUEST', 'request'), ('CPU_CORE_HOUR', 'CPU core hour'), ('WALL_HOUR', 'hour'), ('WALL_CORE_HOUR', 'core hour'), ('HS23_HOUR', 'HEPscore23 hour'), ('GPU_HOUR', 'GPU hour'), ('MEM_GB_HOUR', 'GB of memory × hour'), ('STORAGE_GB_DAY', 'GB stored × day'), ('NET_GB', 'GB transferred'), ('READ_GB', 'GB read'), ('WRITTEN_GB', 'GB written'), ('VOLUME_GB', 'GB processed'), ('MEMORY_GB', 'GB of memory'), ('INSTANCE', 'instance'), ('AREA_KM2', 'km²'), ('PRODUCT_IN', 'input product'), ('PRODUCT_OUT', 'result'), ('PRODUCT_PAIR', 'pair of input products'), ('ACQUISITION_DATE', 'acquisition date')], max_length=20)),
                ('expression', models.CharField(blank=True, max_length=500)),
                ('created_by', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_formula',
                'ordering': ('service_id', 'unit', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='the same grant has the same', max_length=150, unique=True)),
                ('amount', models.BigIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('state', models.CharField(choices=[('SCHEDULED', 'scheduled'), ('ISSUED', 'issued'), ('CANCELLED', 'cancelled'), ('REFUSED', 'refused')], default='SCHEDULED', max_length=9)),
                ('note', models.CharField(blank=True, help_text='why it was refused', max_length=200)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_grant',
                'ordering': ('-starts_at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='GrantRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='the same rule has the same', max_length=150, unique=True)),
                ('amount', models.BigIntegerField()),
                ('every', models.CharField(choices=[('WEEK', 'week'), ('MONTH', 'month'), ('QUARTER', 'quarter'), ('YEAR', 'year')], max_length=8)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('lifetime_days', models.PositiveIntegerField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_grant_rule',
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='Lot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.BigIntegerField()),
                ('remaining', models.BigIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_lot',
                'ordering': ('expires_at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='LotCursor',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='accounting.account')),
                ('version', models.BigIntegerField()),
            ],
            options={
                'db_table': 'acc_lot_cursor',
            },
        ),
        migrations.CreateModel(
            name='LotUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.BigIntegerField()),
            ],
            options={
                'db_table': 'acc_lot_use',
            },
        ),
        migrations.CreateModel(
            name='MonthlyStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='its first day')),
                ('opening', models.BigIntegerField()),
                ('credits', models.BigIntegerField()),
                ('debits', models.BigIntegerField()),
                ('closing', models.BigIntegerField()),
                ('first_version', models.BigIntegerField()),
                ('last_version', models.BigIntegerField()),
                ('closed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_statement',
                'ordering': ('account', '-month'),
            },
        ),
        migrations.CreateModel(
            name='QuarantinedRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.BigIntegerField(db_index=True, null=True)),
                ('line', models.PositiveIntegerField()),
                ('text', models.TextField(help_text='the record as it came')),
                ('faults', models.JSONField(help_text='{line, field, reason} each')),
                ('state', models.CharField(choices=[('WAITING', 'waiting'), ('LOADED', 'loaded after correction'), ('DROPPED', 'dropped')], default='WAITING', max_length=8)),
                ('decided_by', models.CharField(blank=True, max_length=64)),
                ('decided_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'acc_usage_quarantine',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_version', models.BigIntegerField()),
                ('to_version', models.BigIntegerField()),
                ('form', models.PositiveSmallIntegerField(help_text='version of the canonical lines')),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'acc_seal',
                'ordering': ('account', 'from_version'),
            },
        ),
        migrations.CreateModel(
            name='TopUp',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('as_limit', models.BooleanField(default=False)),
                ('amount', models.BigIntegerField()),
                ('reason', models.TextField()),
                ('state', models.CharField(choices=[('REQUESTED', 'waiting for a decision'), ('QUESTION', 'asked back'), ('GRANTED', 'granted'), ('REFUSED', 'refused'), ('WITHDRAWN', 'withdrawn')], default='REQUESTED', max_length=9)),
                ('requested_at', models.DateTimeField()),
                ('granted', models.BigIntegerField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'acc_top_up',
                'ordering': ('-requested_at',),
            },
        ),
        migrations.CreateModel(
            name='TopUpNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('text', models.TextField()),
            ],
            options={
                'db_table': 'acc_top_up_note',
                'ordering': ('at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='UsageBill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('natural_key', models.CharField(max_length=700, unique=True)),
                ('provider_id', models.BigIntegerField(db_index=True)),
                ('member_id', models.BigIntegerField(null=True)),
                ('used', models.BigIntegerField(default=0)),
                ('charged', models.BigIntegerField(default=0)),
                ('refunded', models.BigIntegerField(default=0, help_text='as on the bill of a job')),
                ('uncharged', models.BigIntegerField(default=0)),
                ('deferred', models.BigIntegerField(default=0, help_text='as on the bill of a job')),
                ('corrections', models.PositiveIntegerField(default=0, help_text='transfers; numbers their ids')),
                ('created_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'acc_usage_bill',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='UsageMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.BigIntegerField()),
                ('site', models.CharField(max_length=255)),
                ('submit_host', models.CharField(blank=True, max_length=255)),
                ('month', models.DateField(help_text='its first day')),
                ('jobs', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'acc_usage_month',
            },
        ),
        migrations.CreateModel(
            name='UsageName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('user', 'user'), ('group', 'group')], max_length=5)),
                ('name', models.CharField(max_length=255)),
                ('created_by', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'acc_usage_name',
                'ordering': ('provider_id', 'kind', 'name'),
            },
        ),
        migrations.CreateModel(
            name='UsageSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.BigIntegerField(blank=True, db_index=True, null=True)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(max_length=20)),
                ('address', models.CharField(help_text='folder, host:port or URL', max_length=2000)),
                ('destination', models.CharField(blank=True, help_text='queue; for AMS project/subscription', max_length=300)),
                ('username', models.CharField(blank=True, max_length=200)),
                ('secret', models.TextField(blank=True, help_text='password or token, encrypted')),
                ('options', models.JSONField(blank=True, default=dict)),
                ('signed', models.BooleanField(default=False, help_text='only messages with a valid signature')),
                ('signers', models.JSONField(blank=True, default=list, help_text='allowed signers: /C=XX/O=…/CN=host, one each')),
                ('authorities', models.TextField(blank=True, help_text='trusted certificates, PEM')),
                ('decryption_key', models.TextField(blank=True, help_text='our key for encrypted messages, PEM, encrypted')),
                ('every_seconds', models.PositiveIntegerField(default=60)),
                ('enabled', models.BooleanField(default=True)),
                ('cursor', models.CharField(blank=True, max_length=500)),
                ('last_run_at', models.DateTimeField(blank=True, null=True)),
                ('last_message_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.TextField(blank=True)),
                ('failures', models.PositiveIntegerField(default=0, help_text='in a row')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'db_table': 'acc_usage_source',
                'ordering': ('name', 'pk'),
            },
        ),
        migrations.RemoveConstraint(
            model_name='jobbill',
            name='acc_bill_positive',
        ),
        migrations.RemoveConstraint(
            model_name='jobbill',
            name='acc_bill_hold',
        ),
        migrations.RemoveConstraint(
            model_name='membercap',
            name='acc_cap_once',
        ),
        migrations.RemoveConstraint(
            model_name='usagerecord',
            name='acc_usage_revision',
        ),
        migrations.RemoveConstraint(
            model_name='usagerecord',
            name='acc_usage_charged_has_cost',
        ),
        migrations.RemoveIndex(
            model_name='usagerecord',
            name='acc_usage_unmatched',
        ),
        migrations.RenameField(model_name='usagemessage', old_name='sha256', new_name='id'),
        migrations.AlterField(
            model_name='usagemessage',
            name='id',
            field=models.CharField(help_text='SHA-256 over the sender and the body', max_length=64, primary_key=True, serialize=False),
        ),
        migrations.AddField(
            model_name='account',
            name='overrun_policy',
            field=models.CharField(choices=[('CAP_AT_HOLD', 'never more than was held'), ('UP_TO_BALANCE', 'as far as the balance goes'), ('DEBT', 'everything, below zero if need be')], default='CAP_AT_HOLD', max_length=13),
        ),
        migrations.AddField(
            model_name='jobbill',
            name='deferred',
            field=models.BigIntegerField(default=0, help_text='to be charged (below 0: given back) when the account is open again'),
        ),
        migrations.AddField(
            model_name='jobbill',
            name='limit_amount',
            field=models.BigIntegerField(default=0, help_text='what was held'),
        ),
        migrations.AddField(
            model_name='jobbill',
            name='overrun_policy',
            field=models.CharField(choices=[('CAP_AT_HOLD', 'never more than was held'), ('UP_TO_BALANCE', 'as far as the balance goes'), ('DEBT', 'everything, below zero if need be')], default='CAP_AT_HOLD', max_length=13),
        ),
        migrations.AddField(
            model_name='jobbill',
            name='products_out',
            field=models.PositiveIntegerField(help_text='results, known at the end', null=True),
        ),
        migrations.AddField(
            model_name='jobbill',
            name='refunded',
            field=models.BigIntegerField(default=0, help_text='of the charged, given back by hand'),
        ),
        migrations.AddField(
            model_name='membercap',
            name='period',
            field=models.CharField(blank=True, choices=[('MONTH', 'month'), ('QUARTER', 'quarter'), ('YEAR', 'year')], max_length=8),
        ),
        migrations.AddField(
            model_name='membercap',
            name='period_start',
            field=models.DateField(default=datetime.date(1970, 1, 1)),
        ),
        migrations.AddField(
            model_name='pricelist',
            name='withdrawn_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='pricelist',
            name='withdrawn_by',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='quote',
            name='source',
            field=models.CharField(default='declared', max_length=12),
        ),
        migrations.AddField(
            model_name='usagemessage',
            name='retried_by',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='chargeable',
            field=models.BooleanField(default=True, help_text='not a test, a quotation, a count, or of a running job'),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='counter_of',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='decided_by',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='group_name',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='month',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='quantities',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='user_name',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AlterField(
            model_name='jobbill',
            name='charge',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.transfer'),
        ),
        migrations.AlterField(
            model_name='jobbill',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bills', to='accounting.account'),
        ),
        migrations.AlterField(
            model_name='jobbill',
            name='price_list',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.pricelist'),
        ),
        migrations.AlterField(
            model_name='jobbill',
            name='provider_job_id',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AlterField(
            model_name='rate',
            name='unit',
            field=models.CharField(choices=[('JOB', 'per job'), ('REQUEST', 'request'), ('CPU_CORE_HOUR', 'CPU core hour'), ('WALL_HOUR', 'hour'), ('WALL_CORE_HOUR', 'core hour'), ('HS23_HOUR', 'HEPscore23 hour'), ('GPU_HOUR', 'GPU hour'), ('MEM_GB_HOUR', 'GB of memory × hour'), ('STORAGE_GB_DAY', 'GB stored × day'), ('NET_GB', 'GB transferred'), ('READ_GB', 'GB read'), ('WRITTEN_GB', 'GB written'), ('VOLUME_GB', 'GB processed'), ('MEMORY_GB', 'GB of memory'), ('INSTANCE', 'instance'), ('AREA_KM2', 'km²'), ('PRODUCT_IN', 'input product'), ('PRODUCT_OUT', 'result'), ('PRODUCT_PAIR', 'pair of input products'), ('ACQUISITION_DATE', 'acquisition date')], max_length=20),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='pending',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolutions', to='accounting.transfer'),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='reverses',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='accounting.transfer'),
        ),
        migrations.AlterField(
            model_name='usagemessage',
            name='source',
            field=models.CharField(help_text='dirq, rest, upload, stomp, ams, pull', max_length=16),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='local_job_id',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='message',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='accounting.usagemessage'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='bill',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='usage_records', to='accounting.jobbill'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(fields=['message'], name='acc_usage_of_message'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='superseded_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='supersedes', to='accounting.usagerecord'),
        ),
        migrations.AlterField(
            model_name='usagerecord',
            name='type',
            field=models.CharField(choices=[('job', 'job'), ('summary', 'summary of jobs'), ('normalised', 'normalised summary of jobs'), ('sync', 'count of jobs, to compare'), ('cloud', 'virtual machine'), ('cloud-sum', 'summary of virtual machines'), ('storage', 'storage'), ('accelerator', 'accelerator'), ('public-ip', 'public addresses'), ('tep', 'TEP record'), ('total', 'running total of a job, from a reporting interface')], default='job', max_length=12),
        ),
        migrations.AddIndex(
            model_name='jobbill',
            index=models.Index(fields=['provider_job_id'], name='acc_bill_provider_job'),
        ),
        migrations.AddConstraint(
            model_name='jobbill',
            constraint=models.CheckConstraint(condition=models.Q(('charged__gte', 0), ('limit_amount__gte', 0), ('uncharged__gte', 0), ('used__gte', 0)), name='acc_bill_positive'),
        ),
        migrations.AddConstraint(
            model_name='jobbill',
            constraint=models.CheckConstraint(condition=models.Q(('refunded__gte', 0), ('refunded__lte', models.F('charged'))), name='acc_bill_refunded'),
        ),
        migrations.AddConstraint(
            model_name='membercap',
            constraint=models.UniqueConstraint(fields=('account', 'member_id', 'period', 'period_start'), name='acc_cap_once'),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn_at__isnull', True), ('withdrawn_at__lt', models.F('effective_from')), _connector='OR'), name='acc_price_list_withdrawn'),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='charge',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='requested_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='transfer',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adjustment', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='alertrule',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alert_rules', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='alertrule',
            name='created_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='alert',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alerts', to='accounting.alertrule'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='closed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='opened_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='refund',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='transfer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='accounting.transfer'),
        ),
        migrations.AddIndex(
            model_name='formula',
            index=models.Index(fields=['service_id', 'unit', '-id'], name='acc_formula_newest'),
        ),
        migrations.AddField(
            model_name='grant',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='grant',
            name='created_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='grant',
            name='source',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='grant',
            name='transfer',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grant', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='grantrule',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grant_rules', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='grantrule',
            name='created_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='grantrule',
            name='source',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='grant',
            name='rule',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='accounting.grantrule'),
        ),
        migrations.AddField(
            model_name='lot',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lots', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='lot',
            name='transfer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lots', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='lotuse',
            name='lot',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='accounting.lot'),
        ),
        migrations.AddField(
            model_name='lotuse',
            name='transfer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lot_uses', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='monthlystatement',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='monthly_statements', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='quarantinedrecord',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quarantined', to='accounting.usagemessage'),
        ),
        migrations.AddField(
            model_name='seal',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seals', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='monthlystatement',
            name='seal',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='accounting.seal'),
        ),
        migrations.AddField(
            model_name='topup',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='top_ups', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='topup',
            name='closed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='topup',
            name='quote',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.quote'),
        ),
        migrations.AddField(
            model_name='topup',
            name='requested_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='top_ups', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='topup',
            name='source',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='top_ups_asked_of', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='topup',
            name='transfer',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='top_up', to='accounting.transfer'),
        ),
        migrations.AddField(
            model_name='topupnote',
            name='author',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='topupnote',
            name='top_up',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='accounting.topup'),
        ),
        migrations.AddField(
            model_name='usagebill',
            name='account',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='usage_bills', to='accounting.account'),
        ),
        migrations.AddField(
            model_name='usagebill',
            name='price_list',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.pricelist'),
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='usage_bill',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='usage_records', to='accounting.usagebill'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(condition=models.Q(('usage_bill__isnull', False)), fields=['usage_bill'], name='acc_usage_of_bill'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(condition=models.Q(('bill__isnull', True), ('superseded_by__isnull', True)), fields=['provider_id', 'local_job_id'], name='acc_usage_jobless'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(condition=models.Q(('month__isnull', False), ('superseded_by__isnull', True)), fields=['provider_id', 'month', 'site'], name='acc_usage_of_month'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(condition=models.Q(models.Q(('counter_of', ''), _negated=True), ('superseded_by__isnull', True)), fields=['provider_id', 'counter_of'], name='acc_usage_counter'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.UniqueConstraint(condition=models.Q(('superseded_by__isnull', False)), fields=('natural_key', 'revision'), name='acc_usage_revision'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'CHARGED'), _negated=True), models.Q(('cost__isnull', False), models.Q(('bill__isnull', False), ('usage_bill__isnull', False), _connector='OR')), _connector='OR'), name='acc_usage_charged_has_cost'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('bill__isnull', True), ('usage_bill__isnull', True), _connector='OR'), name='acc_usage_one_bill'),
        ),
        migrations.AddConstraint(
            model_name='usagemonth',
            constraint=models.UniqueConstraint(fields=('provider_id', 'month', 'site', 'submit_host'), name='acc_usage_month_once'),
        ),
        migrations.AddField(
            model_name='usagename',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='usage_names', to='accounting.account'),
        ),
        migrations.AddIndex(
            model_name='accountchange',
            index=models.Index(fields=['account', '-at'], name='acc_change_account'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='acc_adjustment_amount'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(('charge__isnull', True), ('amount__gt', 0), _connector='OR'), name='acc_adjustment_refund'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='acc_adjustment_reason'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'BOOKED'), ('transfer__isnull', False)), models.Q(models.Q(('state', 'BOOKED'), _negated=True), ('transfer__isnull', True)), _connector='OR'), name='acc_adjustment_booked'),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gte', 0), ('percent__isnull', True)), models.Q(('amount__isnull', True), ('percent__gte', 1), ('percent__lte', 100)), _connector='OR'), name='acc_alert_one_threshold'),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.UniqueConstraint(fields=('account', 'amount'), name='acc_alert_amount_once'),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.UniqueConstraint(fields=('account', 'percent'), name='acc_alert_percent_once'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state', 'OPEN')), models.Q(models.Q(('state', 'OPEN'), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='acc_dispute_closed'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('ACCEPTED', 'PARTLY')), _negated=True), ('refund__isnull', False), _connector='OR'), name='acc_dispute_paid'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'OPEN')), fields=('transfer',), name='acc_dispute_one_open'),
        ),
        migrations.AddConstraint(
            model_name='grantrule',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='acc_grant_rule_amount'),
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(condition=models.Q(('state', 'SCHEDULED')), fields=['starts_at'], name='acc_grant_scheduled'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='acc_grant_amount'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__isnull', True), ('expires_at__gt', models.F('starts_at')), _connector='OR'), name='acc_grant_lives'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'ISSUED'), ('transfer__isnull', False)), models.Q(models.Q(('state', 'ISSUED'), _negated=True), ('transfer__isnull', True)), _connector='OR'), name='acc_grant_issued'),
        ),
        migrations.AddIndex(
            model_name='lot',
            index=models.Index(condition=models.Q(('remaining__gt', 0)), fields=['expires_at'], name='acc_lot_to_expire'),
        ),
        migrations.AddConstraint(
            model_name='lot',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('remaining__gte', 0), ('remaining__lte', models.F('amount'))), name='acc_lot_bounds'),
        ),
        migrations.AddConstraint(
            model_name='lot',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('starts_at'))), name='acc_lot_lives'),
        ),
        migrations.AddConstraint(
            model_name='lot',
            constraint=models.UniqueConstraint(fields=('account', 'transfer', 'expires_at'), name='acc_lot_once'),
        ),
        migrations.AddConstraint(
            model_name='lotuse',
            constraint=models.UniqueConstraint(fields=('lot', 'transfer'), name='acc_lot_use_once'),
        ),
        migrations.AddConstraint(
            model_name='lotuse',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='acc_lot_use_amount'),
        ),
        migrations.AddConstraint(
            model_name='quarantinedrecord',
            constraint=models.UniqueConstraint(fields=('message', 'line'), name='acc_usage_quarantine_once'),
        ),
        migrations.AddConstraint(
            model_name='seal',
            constraint=models.CheckConstraint(condition=models.Q(('from_version__gte', 1), ('to_version__gte', models.F('from_version'))), name='acc_seal_range'),
        ),
        migrations.AddConstraint(
            model_name='seal',
            constraint=models.UniqueConstraint(fields=('account', 'from_version'), name='acc_seal_once'),
        ),
        migrations.AddConstraint(
            model_name='monthlystatement',
            constraint=models.UniqueConstraint(fields=('account', 'month'), name='acc_statement_once'),
        ),
        migrations.AddConstraint(
            model_name='monthlystatement',
            constraint=models.CheckConstraint(condition=models.Q(('credits__gte', 0), ('debits__gte', 0)), name='acc_statement_positive'),
        ),
        migrations.AddConstraint(
            model_name='monthlystatement',
            constraint=models.CheckConstraint(condition=models.Q(('closing', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening'), '+', models.F('credits')), '-', models.F('debits')))), name='acc_statement_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='acc_top_up_amount'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('as_limit', False), ('granted__gt', 0), ('state', 'GRANTED'), ('transfer__isnull', False)), models.Q(('as_limit', True), ('granted__gt', 0), ('state', 'GRANTED'), ('transfer__isnull', True)), models.Q(models.Q(('state', 'GRANTED'), _negated=True), ('granted__isnull', True), ('transfer__isnull', True)), _connector='OR'), name='acc_top_up_granted'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.CheckConstraint(condition=models.Q(('as_limit', False), ('source__isnull', False), _connector='OR'), name='acc_top_up_limit_of'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state__in', ('REQUESTED', 'QUESTION'))), models.Q(models.Q(('state__in', ('REQUESTED', 'QUESTION')), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='acc_top_up_closed'),
        ),
        migrations.AddIndex(
            model_name='jobbill',
            index=models.Index(condition=models.Q(('deferred', 0), _negated=True), fields=['account'], name='acc_bill_deferred'),
        ),
        migrations.AddConstraint(
            model_name='jobbill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hold__isnull', True), ('state', 'FREE')), models.Q(models.Q(('state', 'FREE'), _negated=True), models.Q(('hold__isnull', False), ('limit_amount', 0), _connector='OR')), _connector='OR'), name='acc_bill_hold'),
        ),
        migrations.AddIndex(
            model_name='usagebill',
            index=models.Index(condition=models.Q(('deferred', 0), _negated=True), fields=['account'], name='acc_usage_bill_deferred'),
        ),
        migrations.AddConstraint(
            model_name='usagebill',
            constraint=models.CheckConstraint(condition=models.Q(('charged__gte', 0), ('uncharged__gte', 0), ('used__gte', 0)), name='acc_usage_bill_positive'),
        ),
        migrations.AddConstraint(
            model_name='usagebill',
            constraint=models.CheckConstraint(condition=models.Q(('charged', 0), ('account__isnull', False), _connector='OR'), name='acc_usage_bill_account'),
        ),
        migrations.AddConstraint(
            model_name='usagebill',
            constraint=models.CheckConstraint(condition=models.Q(('refunded__gte', 0), ('refunded__lte', models.F('charged'))), name='acc_usage_bill_refunded'),
        ),
        migrations.AddConstraint(
            model_name='usagename',
            constraint=models.UniqueConstraint(fields=('provider_id', 'kind', 'name'), name='acc_usage_name_once'),
        ),
        migrations.RunPython(limit_is_the_quote, migrations.RunPython.noop),
        migrations.RunPython(rules_are_on_record, migrations.RunPython.noop),
    ]
