"""Templates that are laid out already need no draft any more, and pools that are open have been opened."""

from django.db import migrations

TEMPLATES = "UPDATE appointments_scheduletemplate SET published_at = now() WHERE published_at IS NULL"
ALLOTMENTS = "UPDATE appointments_allotment SET opened_at = opens_at WHERE opened_at IS NULL AND opens_at <= now()"


class Migration(migrations.Migration):
    dependencies = [("appointments", "0007_the_office")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (TEMPLATES, ALLOTMENTS)]
