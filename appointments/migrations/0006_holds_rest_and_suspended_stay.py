"""What self-service held rests like a returned number and keeps its clock (B14); the suspended do not book by moving."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("appointments", "0005_booking_functions")]

    operations = [
        migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop)
        for name in ("booking_parts.sql", "move_slot.sql")
    ]
