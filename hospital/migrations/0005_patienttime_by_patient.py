"""GiST finds a patient only for a bigint parameter; a literal in a page's query read the whole table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hospital", "0004_role_policies")]

    operations = [
        migrations.AddIndex(
            model_name="patienttime",
            index=models.Index(fields=["patient"], name="patienttime_patient"),
        ),
    ]
