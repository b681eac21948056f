"""A system's name is one house's in every token that names one."""

import django.contrib.postgres.constraints
from django.db import migrations, models

from hospital.migrating import DrawnOnce


class Migration(DrawnOnce):

    dependencies = [
        ('hospital', '0011_retention_by_law'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='apitoken',
            name='apitoken_system_of_one_house',
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('system', ''), _negated=True), expressions=[('system', '='), ('organization', '<>')], name='apitoken_system_of_one_house'),
        ),
    ]
