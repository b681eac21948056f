from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hospital", "0019_whose_partner_tokens_are")]

    operations = [
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "partner"), _negated=True),
                    ("organization__isnull", False),
                    ("revoked_at__isnull", False),
                    _connector="OR",
                ),
                name="apitoken_partner_is_an_institution",
            ),
        ),
    ]
