"""Whole indexes on what refers to a number or a session: a deleted one is asked for in each of them, and the partial
ones do not answer that. Without them a draft's day that is laid anew read all appointments once for every number."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("appointments", "0020_kept_for_whom")]

    operations = [
        AddIndexConcurrently(model_name="appointment", index=models.Index(fields=["slot"], name="appointment_slot")),
        RemoveIndexConcurrently(model_name="appointment", name="appointment_slot_before"),
        AddIndexConcurrently(model_name="stopoffer", index=models.Index(fields=["slot"], name="stopoffer_slot")),
        AddIndexConcurrently(model_name="stopcase", index=models.Index(fields=["moved_to"], name="stopcase_moved_to")),
    ]
