"""The booking core: kept readable in appointments/sql/, replaced as a whole whenever a file changes."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
FUNCTIONS = "booking_ground, booking_miss, booking_lapse, booking_lapse_own, booking_over_limit, booking_claim, booking_replay, booking_give_back, book_slot, move_slot"


class Migration(migrations.Migration):
    dependencies = [("appointments", "0004_encounter_passed_at"), ("hospital", "0001_initial")]

    operations = [
        migrations.RunSQL((SQL / name).read_text(), f"DROP FUNCTION IF EXISTS {FUNCTIONS}")
        for name in ("booking_parts.sql", "book_slot.sql", "move_slot.sql")
    ]
