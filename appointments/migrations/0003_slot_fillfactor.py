"""Room on each page for heap-only updates: a number changes status and pool many times (booking.md)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("appointments", "0002_constraints")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE appointments_slot SET (fillfactor = 80)", "ALTER TABLE appointments_slot RESET (fillfactor)"
        ),
        migrations.RunSQL(
            "ALTER TABLE appointments_appointment SET (fillfactor = 85)",
            "ALTER TABLE appointments_appointment RESET (fillfactor)",
        ),
    ]
