"""What the resale trail looks up (P11): numbers given back by when, and who had a number before."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("appointments", "0015_resale_minutes")]

    operations = [
        AddIndexConcurrently(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("confirmed_at__isnull", False), ("status", "cancelled")),
                fields=["cancelled_at"],
                name="appointment_given_back",
            ),
        ),
        AddIndexConcurrently(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("status", "cancelled")), fields=["slot"], name="appointment_slot_before"
            ),
        ),
    ]
