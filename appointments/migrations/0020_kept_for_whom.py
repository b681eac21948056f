"""A number is kept for the waitlist only where somebody in it may take it: the consult room's own is free at once."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("appointments", "0019_drafts_published_day_by_day")]

    operations = [
        *(
            migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop)
            for name in ("booking_parts.sql", "would_rest.sql")
        ),
        migrations.RunSQL(
            "DROP FUNCTION IF EXISTS booking_kept_until(bigint, timestamptz)", migrations.RunSQL.noop
        ),
    ]
