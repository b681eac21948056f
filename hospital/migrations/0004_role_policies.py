"""Each role's security settings to start with; the security administrator changes them in the admin.

Who may change accounts, roles or look at the trail needs a second factor and is signed out sooner.
"""

from django.db import migrations

ROLES = [
    "doctor", "triage", "ward", "office", "phone", "counter", "cashier",
    "exam", "referral", "partner", "finance", "auditor", "sysadmin", "secadmin",
]  # fmt: skip
GUARDED = {"sysadmin", "secadmin"}


def write(apps, _schema_editor):
    policies = apps.get_model("hospital", "RolePolicy").objects
    for role in ROLES:
        guarded = role in GUARDED
        policies.get_or_create(role=role, defaults={"second_factor": guarded, "idle_minutes": 15 if guarded else 30})


class Migration(migrations.Migration):
    dependencies = [("hospital", "0003_token_and_language")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
