"""自助机 is a device: it asks for no second factor, and a fortnight without a patient doesn't sign it out."""

from django.db import migrations

A_FORTNIGHT = 14 * 24 * 60  # minutes


def write(apps, _schema_editor):
    policies = apps.get_model("hospital", "RolePolicy").objects
    policies.get_or_create(role="kiosk", defaults={"second_factor": False, "idle_minutes": A_FORTNIGHT})


class Migration(migrations.Migration):
    dependencies = [("hospital", "0014_contracts_and_special_groups")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
