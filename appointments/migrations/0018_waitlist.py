"""候补 (B9): its tables, its numbers in the booking rule, and returned numbers that are kept for who waits."""

from pathlib import Path

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models
from hospital.migrating import DrawnOnce


SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(DrawnOnce):

    dependencies = [
        ('appointments', '0017_what_would_rest'),
        ('hospital', '0018_ceiling_of_codes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WaitlistEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('consult', '诊间'), ('ward', '病区'), ('web', '网页'), ('app', '手机'), ('phone', '电话'), ('kiosk', '自助机'), ('counter', '窗口'), ('partner', '下级机构')], max_length=10, verbose_name='渠道')),
                ('priority', models.PositiveSmallIntegerField(choices=[(1, '优待'), (2, '一般')], default=2, verbose_name='优先级')),
                ('status', models.CharField(choices=[('waiting', '候补中'), ('offered', '待确认'), ('filled', '已兑现'), ('withdrawn', '已取消'), ('ended', '已结束')], default='waiting', max_length=10, verbose_name='状态')),
                ('why', models.CharField(blank=True, choices=[('booked', '已另外约到号'), ('cutoff', '到截止时间没有空号'), ('stopped', '停诊'), ('declined', '放弃候补到的号'), ('lapsed', '没有在时限内确认'), ('moved', '候补到的号已改约到别处')], max_length=10, verbose_name='结束原因')),
                ('seat', models.PositiveSmallIntegerField()),
                ('most', models.PositiveSmallIntegerField()),
                ('joined_at', models.DateTimeField(verbose_name='加入时间')),
                ('closes_at', models.DateTimeField(verbose_name='候补截止')),
                ('rested_until', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None)),
                ('passed', models.CharField(blank=True, choices=[('suspended', '自助预约暂停中'), ('limit', '已达到预约次数上限'), ('already_booked', '同一天同一科室已有预约'), ('time_conflict', '空出的号与本人其他安排冲突'), ('channel', '空出的号不对候补时的渠道开放'), ('rests', '空出的号在加入候补前已退回，按规则还要等一等'), ('no_patient', '就诊人档案已停用'), ('other', '暂时不能给号，稍后再试')], max_length=20, verbose_name='未发出原因')),
                ('passed_at', models.DateTimeField(null=True, verbose_name='未发出时间')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='结束时间')),
            ],
            options={
                'verbose_name': '候补',
                'verbose_name_plural': '候补',
            },
        ),
        migrations.CreateModel(
            name='WaitlistOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_at', models.DateTimeField(verbose_name='发出时间')),
                ('deadline', models.DateTimeField(verbose_name='确认截止')),
                ('state', models.CharField(choices=[('open', '待确认'), ('accepted', '已确认'), ('declined', '已放弃'), ('lapsed', '已过期')], default='open', max_length=8, verbose_name='状态')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='办结时间')),
            ],
            options={
                'verbose_name': '候补兑现',
                'verbose_name_plural': '候补兑现',
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='bookingrule',
            name='changed_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='bookingrule',
            name='deleted_delete',
        ),
        migrations.AddField(
            model_name='bookingrule',
            name='waitlist_days',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='提前几天截止候补'),
        ),
        migrations.AddField(
            model_name='bookingrule',
            name='waitlist_from',
            field=models.TimeField(default=datetime.time(6, 0), verbose_name='候补兑现最早时刻'),
        ),
        migrations.AddField(
            model_name='bookingrule',
            name='waitlist_minutes',
            field=models.PositiveSmallIntegerField(default=120, verbose_name='候补兑现时限（分钟）'),
        ),
        migrations.AddField(
            model_name='bookingrule',
            name='waitlist_most',
            field=models.PositiveSmallIntegerField(default=3, verbose_name='一人同时候补最多'),
        ),
        migrations.AddField(
            model_name='bookingrule',
            name='waitlist_time',
            field=models.TimeField(default=datetime.time(18, 0), verbose_name='候补截止时刻'),
        ),
        migrations.AddField(
            model_name='bookingrule',
            name='waitlist_until',
            field=models.TimeField(default=datetime.time(23, 0), verbose_name='候补兑现最晚时刻'),
        ),
        migrations.AddField(
            model_name='bookingruleevent',
            name='waitlist_days',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='提前几天截止候补'),
        ),
        migrations.AddField(
            model_name='bookingruleevent',
            name='waitlist_from',
            field=models.TimeField(default=datetime.time(6, 0), verbose_name='候补兑现最早时刻'),
        ),
        migrations.AddField(
            model_name='bookingruleevent',
            name='waitlist_minutes',
            field=models.PositiveSmallIntegerField(default=120, verbose_name='候补兑现时限（分钟）'),
        ),
        migrations.AddField(
            model_name='bookingruleevent',
            name='waitlist_most',
            field=models.PositiveSmallIntegerField(default=3, verbose_name='一人同时候补最多'),
        ),
        migrations.AddField(
            model_name='bookingruleevent',
            name='waitlist_time',
            field=models.TimeField(default=datetime.time(18, 0), verbose_name='候补截止时刻'),
        ),
        migrations.AddField(
            model_name='bookingruleevent',
            name='waitlist_until',
            field=models.TimeField(default=datetime.time(23, 0), verbose_name='候补兑现最晚时刻'),
        ),
        migrations.AlterField(
            model_name='jobrun',
            name='job',
            field=models.CharField(choices=[('release', '放号'), ('recall', '回收'), ('lay_out', '排班生成'), ('stops', '停诊改约'), ('waitlist', '候补兑现')], max_length=10, verbose_name='任务'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookingrule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_bookingruleevent" ("cancel_days", "cancel_time", "consult_hold_minutes", "counter_hold_minutes", "department_id", "effective_from", "effective_to", "extra_horizon_days", "extra_limit", "id", "limit_day", "limit_quarter", "limit_week", "noshow_count", "noshow_days", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referral_days", "reminder_time", "resale_minutes", "rest_minutes_max", "rest_minutes_min", "role_id", "segment_minutes", "service_id", "suspension_days", "waitlist_days", "waitlist_from", "waitlist_minutes", "waitlist_most", "waitlist_time", "waitlist_until", "web_hold_minutes") VALUES (OLD."cancel_days", OLD."cancel_time", OLD."consult_hold_minutes", OLD."counter_hold_minutes", OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."extra_horizon_days", OLD."extra_limit", OLD."id", OLD."limit_day", OLD."limit_quarter", OLD."limit_week", OLD."noshow_count", OLD."noshow_days", OLD."organization_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."referral_days", OLD."reminder_time", OLD."resale_minutes", OLD."rest_minutes_max", OLD."rest_minutes_min", OLD."role_id", OLD."segment_minutes", OLD."service_id", OLD."suspension_days", OLD."waitlist_days", OLD."waitlist_from", OLD."waitlist_minutes", OLD."waitlist_most", OLD."waitlist_time", OLD."waitlist_until", OLD."web_hold_minutes"); RETURN NULL;', hash='379228e1df6b7ab02529d6a2bae0b49770f5bc15', operation='UPDATE', pgid='pgtrigger_changed_update_20636', table='appointments_bookingrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookingrule',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_bookingruleevent" ("cancel_days", "cancel_time", "consult_hold_minutes", "counter_hold_minutes", "department_id", "effective_from", "effective_to", "extra_horizon_days", "extra_limit", "id", "limit_day", "limit_quarter", "limit_week", "noshow_count", "noshow_days", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referral_days", "reminder_time", "resale_minutes", "rest_minutes_max", "rest_minutes_min", "role_id", "segment_minutes", "service_id", "suspension_days", "waitlist_days", "waitlist_from", "waitlist_minutes", "waitlist_most", "waitlist_time", "waitlist_until", "web_hold_minutes") VALUES (OLD."cancel_days", OLD."cancel_time", OLD."consult_hold_minutes", OLD."counter_hold_minutes", OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."extra_horizon_days", OLD."extra_limit", OLD."id", OLD."limit_day", OLD."limit_quarter", OLD."limit_week", OLD."noshow_count", OLD."noshow_days", OLD."organization_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."referral_days", OLD."reminder_time", OLD."resale_minutes", OLD."rest_minutes_max", OLD."rest_minutes_min", OLD."role_id", OLD."segment_minutes", OLD."service_id", OLD."suspension_days", OLD."waitlist_days", OLD."waitlist_from", OLD."waitlist_minutes", OLD."waitlist_most", OLD."waitlist_time", OLD."waitlist_until", OLD."web_hold_minutes"); RETURN NULL;', hash='6cc9e53fb2e00075f6d4fb6063e68b5521674cb6', operation='DELETE', pgid='pgtrigger_deleted_delete_9224d', table='appointments_bookingrule', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='bookingrule',
            constraint=models.CheckConstraint(condition=models.Q(('waitlist_until__gt', models.F('waitlist_from'))), name='bookingrule_waitlist_hours_in_order'),
        ),
        migrations.AddField(
            model_name='waitlistentry',
            name='by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='经办'),
        ),
        migrations.AddField(
            model_name='waitlistentry',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waits', to='hospital.patient', verbose_name='就诊人'),
        ),
        migrations.AddField(
            model_name='waitlistentry',
            name='schedule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist', to='appointments.schedule', verbose_name='出诊单元'),
        ),
        migrations.AddField(
            model_name='waitlistoffer',
            name='appointment',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_offer', to='appointments.appointment'),
        ),
        migrations.AddField(
            model_name='waitlistoffer',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='appointments.waitlistentry'),
        ),
        migrations.AddIndex(
            model_name='waitlistentry',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['schedule'], include=('closes_at',), name='waitlist_waiting'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('waiting', 'offered'))), fields=('patient', 'schedule'), name='waitlist_one_open_per_schedule'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('waiting', 'offered'))), fields=('patient', 'seat'), name='waitlist_one_open_per_seat'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.CheckConstraint(condition=models.Q(('seat__gte', 1), ('seat__lte', models.F('most'))), name='waitlist_seat_within_most'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('status__in', ('waiting', 'offered'))), models.Q(models.Q(('status__in', ('waiting', 'offered')), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='waitlist_over_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'ended'), models.Q(('why', ''), _negated=True)), models.Q(models.Q(('status', 'ended'), _negated=True), ('why', '')), _connector='OR'), name='waitlist_ended_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.CheckConstraint(condition=models.Q(('closes_at__gt', models.F('joined_at'))), name='waitlist_joined_before_cut_off'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waitlistentry',
            trigger=pgtrigger.compiler.Trigger(name='moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{waiting:offered,waiting:withdrawn,waiting:ended,offered:filled,offered:withdrawn,offered:ended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='c93340bb4858f490935228dbe8956a35ab197b96', operation='UPDATE', pgid='pgtrigger_moves_b2493', table='appointments_waitlistentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waitlistentry',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1a7fd096b8662fe5b551bd37c679ea2cc46a5b61', operation='DELETE', pgid='pgtrigger_never_deleted_2a2e8', table='appointments_waitlistentry', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='waitlistoffer',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('entry',), name='waitlist_one_open_offer'),
        ),
        migrations.AddConstraint(
            model_name='waitlistoffer',
            constraint=models.CheckConstraint(condition=models.Q(('deadline__gt', models.F('made_at'))), name='waitlist_offer_in_order'),
        ),
        migrations.AddConstraint(
            model_name='waitlistoffer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='waitlist_settled_has_a_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waitlistoffer',
            trigger=pgtrigger.compiler.Trigger(name='moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:accepted,open:declined,open:lapsed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='3990f60be95ad748c3ec8e13e356b70781ede62c', operation='UPDATE', pgid='pgtrigger_moves_c4d25', table='appointments_waitlistoffer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waitlistoffer',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4185f6bf8337a15d284baf38f1fc6067395ec881', operation='DELETE', pgid='pgtrigger_never_deleted_0c02a', table='appointments_waitlistoffer', when='BEFORE')),
        ),
        *(
            migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop)
            for name in ("booking_parts.sql", "would_rest.sql")
        ),
    ]
