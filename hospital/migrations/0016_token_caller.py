"""Who calls with a token, as a function whose plan is kept."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "token_caller.sql"


class Migration(migrations.Migration):
    dependencies = [("hospital", "0015_kiosk_stays_signed_in")]

    operations = [migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop)]
