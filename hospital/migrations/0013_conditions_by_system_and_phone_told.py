"""Each system has its own list of conditions, and what phone it told last is remembered."""

from django.db import migrations, models

from hospital.migrating import DrawnOnce


class Migration(DrawnOnce):

    dependencies = [
        ('hospital', '0012_system_of_one_house'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='condition',
            name='condition_once',
        ),
        migrations.AddField(
            model_name='condition',
            name='system',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='来源'),
        ),
        migrations.AddField(
            model_name='externalrecord',
            name='phone_told',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddConstraint(
            model_name='condition',
            constraint=models.UniqueConstraint(fields=('patient', 'kind', 'text', 'system'), name='condition_once'),
        ),
    ]
