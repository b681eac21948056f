import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models
from hospital.migrating import DrawnOnce


class Migration(DrawnOnce):

    initial = True

    dependencies = [
        ('appointments', '0001_initial'),
        ('hospital', '0001_initial'),
        ('hospital', '__first__'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.AddField(
            model_name='encounter',
            name='appointment',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='encounter', to='appointments.appointment'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookingrule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_bookingruleevent" ("cancel_days", "cancel_time", "consult_hold_minutes", "counter_hold_minutes", "department_id", "effective_from", "effective_to", "extra_horizon_days", "extra_limit", "id", "limit_day", "limit_quarter", "limit_week", "noshow_count", "noshow_days", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referral_days", "reminder_time", "rest_minutes_max", "rest_minutes_min", "role_id", "segment_minutes", "service_id", "suspension_days", "web_hold_minutes") VALUES (OLD."cancel_days", OLD."cancel_time", OLD."consult_hold_minutes", OLD."counter_hold_minutes", OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."extra_horizon_days", OLD."extra_limit", OLD."id", OLD."limit_day", OLD."limit_quarter", OLD."limit_week", OLD."noshow_count", OLD."noshow_days", OLD."organization_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."referral_days", OLD."reminder_time", OLD."rest_minutes_max", OLD."rest_minutes_min", OLD."role_id", OLD."segment_minutes", OLD."service_id", OLD."suspension_days", OLD."web_hold_minutes"); RETURN NULL;', hash='14f588dc98fd4b529c5ad8c726710a081e22a095', operation='UPDATE', pgid='pgtrigger_changed_update_20636', table='appointments_bookingrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookingrule',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_bookingruleevent" ("cancel_days", "cancel_time", "consult_hold_minutes", "counter_hold_minutes", "department_id", "effective_from", "effective_to", "extra_horizon_days", "extra_limit", "id", "limit_day", "limit_quarter", "limit_week", "noshow_count", "noshow_days", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referral_days", "reminder_time", "rest_minutes_max", "rest_minutes_min", "role_id", "segment_minutes", "service_id", "suspension_days", "web_hold_minutes") VALUES (OLD."cancel_days", OLD."cancel_time", OLD."consult_hold_minutes", OLD."counter_hold_minutes", OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."extra_horizon_days", OLD."extra_limit", OLD."id", OLD."limit_day", OLD."limit_quarter", OLD."limit_week", OLD."noshow_count", OLD."noshow_days", OLD."organization_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."referral_days", OLD."reminder_time", OLD."rest_minutes_max", OLD."rest_minutes_min", OLD."role_id", OLD."segment_minutes", OLD."service_id", OLD."suspension_days", OLD."web_hold_minutes"); RETURN NULL;', hash='c46bb92422bbfc86b444f9ac0793f76b7f981c63', operation='DELETE', pgid='pgtrigger_deleted_delete_9224d', table='appointments_bookingrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='channelrule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_channelruleevent" ("channel", "effective_from", "effective_to", "id", "kinds", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."channel", OLD."effective_from", OLD."effective_to", OLD."id", OLD."kinds", OLD."organization_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id"); RETURN NULL;', hash='e3f090d894d6028c76b7f87539000c769d669c9c', operation='UPDATE', pgid='pgtrigger_changed_update_a018b', table='appointments_channelrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='channelrule',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_channelruleevent" ("channel", "effective_from", "effective_to", "id", "kinds", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."channel", OLD."effective_from", OLD."effective_to", OLD."id", OLD."kinds", OLD."organization_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id"); RETURN NULL;', hash='e22224906e8b4bf7359b5f6e7662893439901664', operation='DELETE', pgid='pgtrigger_deleted_delete_49fdf', table='appointments_channelrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consultlevelrule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_consultlevelruleevent" ("effective_from", "effective_to", "id", "levels", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."effective_from", OLD."effective_to", OLD."id", OLD."levels", OLD."organization_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id"); RETURN NULL;', hash='7f0a0028b809311f7fee94b9ab8676aa91fed507', operation='UPDATE', pgid='pgtrigger_changed_update_54717', table='appointments_consultlevelrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consultlevelrule',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_consultlevelruleevent" ("effective_from", "effective_to", "id", "levels", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."effective_from", OLD."effective_to", OLD."id", OLD."levels", OLD."organization_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id"); RETURN NULL;', hash='4ef271024a8441fbfe7736140051572fffac567e', operation='DELETE', pgid='pgtrigger_deleted_delete_3c217', table='appointments_consultlevelrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='patientsuspension',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_patientsuspensionevent" ("ends_at", "id", "lifted_at", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "starts_at") VALUES (OLD."ends_at", OLD."id", OLD."lifted_at", OLD."patient_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."reason", OLD."starts_at"); RETURN NULL;', hash='b9de2df49483c56544d020138b2b018091d45e93', operation='UPDATE', pgid='pgtrigger_changed_update_8a8d2', table='appointments_patientsuspension', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='patientsuspension',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_patientsuspensionevent" ("ends_at", "id", "lifted_at", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "starts_at") VALUES (OLD."ends_at", OLD."id", OLD."lifted_at", OLD."patient_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."reason", OLD."starts_at"); RETURN NULL;', hash='23772ff06b0cd353c27a46dfdf87dfa3c826bdfa', operation='DELETE', pgid='pgtrigger_deleted_delete_f329a', table='appointments_patientsuspension', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pool',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_poolevent" ("id", "kind", "name", "organization_id", "partner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."id", OLD."kind", OLD."name", OLD."organization_id", OLD."partner_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id"); RETURN NULL;', hash='ca48312699704e6761f1e6e7f6be802c5ed1d14b', operation='UPDATE', pgid='pgtrigger_changed_update_b9fda', table='appointments_pool', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pool',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_poolevent" ("id", "kind", "name", "organization_id", "partner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."id", OLD."kind", OLD."name", OLD."organization_id", OLD."partner_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id"); RETURN NULL;', hash='5e231d16bd4ce44cb1f7386490733432c801b26c', operation='DELETE', pgid='pgtrigger_deleted_delete_f7f73', table='appointments_pool', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scheduletemplate',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_scheduletemplateevent" ("active", "department_id", "effective_from", "effective_to", "ends", "half", "id", "numbers", "organization_id", "parity", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role_id", "room_id", "service_id", "starts", "team_id", "weekday") VALUES (OLD."active", OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."ends", OLD."half", OLD."id", OLD."numbers", OLD."organization_id", OLD."parity", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."role_id", OLD."room_id", OLD."service_id", OLD."starts", OLD."team_id", OLD."weekday"); RETURN NULL;', hash='fa7002fb2d00232b0b255099cca4ab9162f027b8', operation='UPDATE', pgid='pgtrigger_changed_update_90fdb', table='appointments_scheduletemplate', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scheduletemplate',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_scheduletemplateevent" ("active", "department_id", "effective_from", "effective_to", "ends", "half", "id", "numbers", "organization_id", "parity", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role_id", "room_id", "service_id", "starts", "team_id", "weekday") VALUES (OLD."active", OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."ends", OLD."half", OLD."id", OLD."numbers", OLD."organization_id", OLD."parity", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."role_id", OLD."room_id", OLD."service_id", OLD."starts", OLD."team_id", OLD."weekday"); RETURN NULL;', hash='93bfce4e58972cfb1f753d7209cebea4191f3c18', operation='DELETE', pgid='pgtrigger_deleted_delete_6edc0', table='appointments_scheduletemplate', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='schedule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_scheduleevent" ("campus_id", "capacity", "day", "department_id", "ends_at", "gate_team_id", "half", "id", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role_id", "room_id", "service_id", "starts_at", "status", "stop_reason", "team_id", "template_id") VALUES (OLD."campus_id", OLD."capacity", OLD."day", OLD."department_id", OLD."ends_at", OLD."gate_team_id", OLD."half", OLD."id", OLD."organization_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."role_id", OLD."room_id", OLD."service_id", OLD."starts_at", OLD."status", OLD."stop_reason", OLD."team_id", OLD."template_id"); RETURN NULL;', hash='fcaacdaf75d3aa77a008bb9e9e56a6996edb7865', operation='UPDATE', pgid='pgtrigger_changed_update_c67ad', table='appointments_schedule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='schedule',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_scheduleevent" ("campus_id", "capacity", "day", "department_id", "ends_at", "gate_team_id", "half", "id", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role_id", "room_id", "service_id", "starts_at", "status", "stop_reason", "team_id", "template_id") VALUES (OLD."campus_id", OLD."capacity", OLD."day", OLD."department_id", OLD."ends_at", OLD."gate_team_id", OLD."half", OLD."id", OLD."organization_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."role_id", OLD."room_id", OLD."service_id", OLD."starts_at", OLD."status", OLD."stop_reason", OLD."team_id", OLD."template_id"); RETURN NULL;', hash='665824586bd2840cd4aad87fd81055f5f817264d', operation='DELETE', pgid='pgtrigger_deleted_delete_63b76', table='appointments_schedule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supplyrule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_supplyruleevent" ("department_id", "effective_from", "effective_to", "id", "name", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role_id", "service_id") VALUES (OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."id", OLD."name", OLD."organization_id", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."role_id", OLD."service_id"); RETURN NULL;', hash='5ed09023ea6f1859ece6f7c2b350ca12ce6f988d', operation='UPDATE', pgid='pgtrigger_changed_update_7fb8e', table='appointments_supplyrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supplyrule',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_supplyruleevent" ("department_id", "effective_from", "effective_to", "id", "name", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role_id", "service_id") VALUES (OLD."department_id", OLD."effective_from", OLD."effective_to", OLD."id", OLD."name", OLD."organization_id", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."role_id", OLD."service_id"); RETURN NULL;', hash='1f574668af791df8d50a74d442af541a9d5ae79e', operation='DELETE', pgid='pgtrigger_deleted_delete_85ff0', table='appointments_supplyrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supplyshare',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "appointments_supplyshareevent" ("id", "kind", "opens_days", "opens_time", "percent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule_id", "shared_at_start", "shared_days", "shared_time") VALUES (OLD."id", OLD."kind", OLD."opens_days", OLD."opens_time", OLD."percent", _pgh_attach_context(), NOW(), \'changed\', OLD."id", OLD."rule_id", OLD."shared_at_start", OLD."shared_days", OLD."shared_time"); RETURN NULL;', hash='8d6c3a50c9c2f96434558706733ef80cfa7be0f5', operation='UPDATE', pgid='pgtrigger_changed_update_276e5', table='appointments_supplyshare', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supplyshare',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "appointments_supplyshareevent" ("id", "kind", "opens_days", "opens_time", "percent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule_id", "shared_at_start", "shared_days", "shared_time") VALUES (OLD."id", OLD."kind", OLD."opens_days", OLD."opens_time", OLD."percent", _pgh_attach_context(), NOW(), \'deleted\', OLD."id", OLD."rule_id", OLD."shared_at_start", OLD."shared_days", OLD."shared_time"); RETURN NULL;', hash='a00e1d78293cdd4c9dff02eb0b1f7c87540f158b', operation='DELETE', pgid='pgtrigger_deleted_delete_f7321', table='appointments_supplyshare', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='appointment',
            trigger=pgtrigger.compiler.Trigger(name='moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{pending:booked,pending:cancelled,booked:arrived,booked:cancelled,booked:noshow,arrived:fulfilled,arrived:booked,arrived:cancelled,noshow:arrived}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='881909b0c917b61e727499f123e9a8169892de89', operation='UPDATE', pgid='pgtrigger_moves_faa8b', table='appointments_appointment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='appointment',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d37ba349c52a743aa596ad717bf2b328dc8fae24', operation='DELETE', pgid='pgtrigger_never_deleted_36181', table='appointments_appointment', when='BEFORE')),
        ),
    ]
