"""Codes are counted and checked in the database; an account that signs in by phone holds no role."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from hospital.migrating import DrawnOnce


class Migration(DrawnOnce):
    dependencies = [
        ("hospital", "0007_integration_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="codesent",
            name="digest",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="codesent",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="codesent",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="codesent",
            name="purpose",
            field=models.CharField(
                choices=[("sign_in", "登录"), ("bind", "绑定就诊人"), ("confirm", "确认本人"), ("change", "更换手机")],
                max_length=10,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accountphone",
            trigger=pgtrigger.compiler.Trigger(
                name="no_working_account",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    PERFORM 1 FROM hospital_user WHERE id = NEW.user_id FOR NO KEY UPDATE;\n                    IF EXISTS (SELECT 1 FROM hospital_roleassignment WHERE user_id = NEW.user_id)\n                    OR EXISTS (SELECT 1 FROM hospital_user WHERE id = NEW.user_id AND (is_superuser OR is_staff)) THEN\n                        RAISE EXCEPTION 'a working account is never opened by phone' USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="be76a65b0b8957bf5e8f6d21c48915ba0ba7e144",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_no_working_account_51d29",
                    table="hospital_accountphone",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="roleassignment",
            trigger=pgtrigger.compiler.Trigger(
                name="no_patient_account",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    PERFORM 1 FROM hospital_user WHERE id = NEW.user_id FOR NO KEY UPDATE;\n                    IF EXISTS (SELECT 1 FROM hospital_accountphone WHERE user_id = NEW.user_id) THEN\n                        RAISE EXCEPTION 'an account that signs in by phone holds no role'\n                        USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="cd08733d46f102e50843844412ea732abdcddf56",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_no_patient_account_2bfa2",
                    table="hospital_roleassignment",
                    when="BEFORE",
                ),
            ),
        ),
    ]
