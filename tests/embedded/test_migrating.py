"""Migrations drawn once make what Django's own way makes."""

import pytest
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from pgtrigger import compiler
from pgtrigger.migrations import AddTrigger

from hospital.migrating import DrawnOnce

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, ordinal_position
    FROM information_schema.columns WHERE table_name LIKE 'drawn_%' ORDER BY table_name, ordinal_position
"""
REST = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid::regclass::text LIKE 'drawn_%'
    UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'drawn_%'
    UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgrelid::regclass::text LIKE 'drawn_%' AND NOT tgisinternal
    ORDER BY 1, 2, 3
"""


def _first_house(apps, editor):
    apps.get_model("drawn", "House").objects.create(name="first")


def _operations() -> list:
    """New tables that point at each other, additions to new and to old tables, what is changed twice or taken away
    again, and rows written half-way."""
    key = {"id": models.BigAutoField(primary_key=True)}
    trigger = compiler.Trigger(
        name="stays",
        sql=compiler.UpsertTriggerSql(
            func="RETURN NULL;", hash="1", operation="DELETE", pgid="drawn_stays", table="drawn_house", when="BEFORE"
        ),
    )
    house = models.ForeignKey("drawn.House", models.CASCADE)
    return [
        migrations.CreateModel("House", [*key.items(), ("name", models.CharField(max_length=9))]),
        migrations.CreateModel("Room", [*key.items(), ("house", house)]),
        migrations.AddField("House", "best", models.ForeignKey("drawn.Room", models.SET_NULL, null=True)),
        migrations.AddConstraint(
            "House", models.CheckConstraint(condition=~models.Q(name=""), name="drawn_house_has_a_name")
        ),
        migrations.AddIndex("Room", models.Index(fields=["house", "-id"], name="drawn_room_newest")),
        AddTrigger("house", trigger),
        migrations.RunPython(_first_house),
        migrations.AddField("House", "beds", models.IntegerField(default=3), preserve_default=False),
        migrations.CreateModel("Bed", [*key.items(), ("room", models.ForeignKey("drawn.Room", models.CASCADE))]),
        migrations.AddField("Room", "bed", models.ForeignKey("drawn.Bed", models.CASCADE, null=True)),
        migrations.AddConstraint(
            "Room", models.UniqueConstraint(fields=["house"], condition=models.Q(bed=None), name="drawn_one_empty")
        ),
        migrations.AlterField("House", "beds", models.BigIntegerField(default=3)),
        migrations.AlterField("House", "beds", models.BigIntegerField(null=True)),
        migrations.AlterField("Bed", "room", models.ForeignKey("drawn.Room", models.PROTECT, null=True)),
        migrations.RemoveConstraint("House", "drawn_house_has_a_name"),
        migrations.AddConstraint(
            "House", models.CheckConstraint(condition=models.Q(beds__gte=0), name="drawn_house_has_a_name")
        ),
        migrations.RemoveIndex("Room", "drawn_room_newest"),
        migrations.AddField("Bed", "made", models.BooleanField(default=False)),
        migrations.AlterField("Bed", "made", models.BooleanField(null=True)),
        migrations.RemoveConstraint("Room", "drawn_one_empty"),
    ]


def _made_by(kind) -> list:
    """What is in the database after it; taken back again."""
    migration = kind("0001_initial", "drawn")
    migration.operations = _operations()
    with transaction.atomic(), connection.cursor() as cursor:
        # Inside a test's transaction constraints wait for its end; here the end is now.
        with connection.schema_editor(atomic=False) as editor:
            state = migration.apply(ProjectState(), editor)
        house = state.apps.get_model("drawn", "House").objects.get()
        found = [(house.name, house.beds)]
        for question in (COLUMNS, REST):
            cursor.execute(question)
            found += cursor.fetchall()
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
def test_a_migration_drawn_once_makes_what_one_operation_after_another_makes():
    expected = _made_by(migrations.Migration)
    assert len(expected) > 20
    assert _made_by(DrawnOnce) == expected
