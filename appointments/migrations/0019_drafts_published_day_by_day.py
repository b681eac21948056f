"""A draft that is being published, and what of it is done so far."""

from django.db import migrations, models

from hospital.migrating import DrawnOnce


class Migration(DrawnOnce):
    dependencies = [("appointments", "0018_waitlist")]

    operations = [
        migrations.AlterField(
            model_name="layoutdraft",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "待发布"),
                    ("publishing", "发布中"),
                    ("published", "已发布"),
                    ("discarded", "已放弃"),
                ],
                default="draft",
                max_length=10,
                verbose_name="状态",
            ),
        ),
        migrations.AddField(
            model_name="layoutdraft",
            name="result",
            field=models.JSONField(default=dict),
        ),
    ]
