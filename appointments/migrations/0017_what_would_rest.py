"""An expired hold that would rest is not shown as left (B14)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("appointments", "0016_resale_indexes")]

    operations = [
        migrations.RunSQL(
            (SQL / "would_rest.sql").read_text(), "DROP FUNCTION IF EXISTS booking_would_rest(bigint, timestamptz)"
        )
    ]
