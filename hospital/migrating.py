"""Large migrations in seconds: what a run of operations makes is drawn once, at its end, not after each of them.

Django draws the models an operation touches, and all that are related to them, before the next operation; with a
hundred and fifty models that hang together this is nine tenths of what migrating an empty database takes. Of operations
that touch different things only the states before and after the run matter: each finds what was before it, or after.
"""

from django.db import migrations
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger, RemoveTrigger

OF_ITS_MODEL = (
    migrations.AddField,
    migrations.AddConstraint,
    migrations.AddIndex,
    migrations.AlterField,
    migrations.RemoveConstraint,
    migrations.RemoveIndex,
)
TOGETHER = (migrations.CreateModel, *OF_ITS_MODEL, AddTrigger, RemoveTrigger)
CHANGING = (migrations.AlterField, migrations.RemoveConstraint, migrations.RemoveIndex)


class DrawnOnce(migrations.Migration):
    """A migration whose neighbouring operations are made together; what is not TOGETHER goes Django's own way, one by
    one.

    Reversing it is Django's own way too. Not for a migration that is not atomic.
    """

    def apply(self, project_state, schema_editor, collect_sql=False):
        for operations in _runs(self.operations):
            if isinstance(operations[0], TOGETHER) and not collect_sql:
                project_state = self._together(operations, project_state, schema_editor)
            else:
                project_state = self._one_by_one(operations, project_state, schema_editor, collect_sql)
        return project_state

    def _together(self, operations: list[Operation], state, schema_editor):
        before = state.clone()
        state.__dict__.pop("apps", None)  # else every operation draws anew
        for operation in operations:
            operation.state_forwards(self.app_label, state)
        # A table comes with all that the run gives it: its model is the one after the run.
        new = {operation.name_lower for operation in operations if isinstance(operation, migrations.CreateModel)}
        for operation in operations:
            if not (isinstance(operation, OF_ITS_MODEL) and operation.model_name_lower in new):
                operation.database_forwards(self.app_label, schema_editor, before, state)
        return state

    def _one_by_one(self, operations: list[Operation], state, schema_editor, collect_sql: bool):
        part = migrations.Migration(self.name, self.app_label)
        part.operations = operations
        part.atomic = self.atomic
        return part.apply(state, schema_editor, collect_sql)


def _runs(operations: list[Operation]) -> list[list[Operation]]:
    """Neighbours that go together, and those that do not. What changes a thing that its run has made or changed begins
    a run of its own: the state before does not know that thing as it is then."""
    runs: list[list[Operation]] = []
    touched: set[tuple[str, str]] = set()
    for operation in operations:
        goes = isinstance(operation, TOGETHER)
        thing = _thing(operation) if isinstance(operation, OF_ITS_MODEL) else None
        again = isinstance(operation, CHANGING) and thing in touched
        if not runs or again or goes != isinstance(runs[-1][0], TOGETHER):
            runs.append([])
            touched.clear()
        runs[-1].append(operation)
        touched.add(thing)
    return runs


def _thing(operation: Operation) -> tuple[str, str]:
    """The model, and the field, constraint or index of it."""
    made = getattr(operation, "constraint", None) or getattr(operation, "index", None) or operation
    return operation.model_name_lower, made.name.lower()
