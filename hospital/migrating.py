"""Large migrations in seconds: what a run of operations adds is drawn once, at its end, not after each of them.

Django draws the models an operation touches, and all that are related to them, before the next operation; with a
hundred and fifty models that hang together this is nine tenths of what migrating an empty database takes. Only the
state after the run matters to operations that add and do not change: each finds its model there.
"""

from itertools import groupby

from django.db import migrations
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger, RemoveTrigger

ADDING = (
    migrations.CreateModel,
    migrations.AddField,
    migrations.AddConstraint,
    migrations.AddIndex,
    AddTrigger,
    RemoveTrigger,
)
WITH_ITS_TABLE = (migrations.AddField, migrations.AddConstraint, migrations.AddIndex)


class DrawnOnce(migrations.Migration):
    """A migration whose neighbouring additions are made together; everything else goes Django's own way, one by one.

    Reversing it is Django's own way too. Not for a migration that is not atomic.
    """

    def apply(self, project_state, schema_editor, collect_sql=False):
        for adding, run in groupby(self.operations, key=_adds):
            operations = list(run)
            if adding and not collect_sql:
                project_state = self._add(operations, project_state, schema_editor)
            else:
                project_state = self._one_by_one(operations, project_state, schema_editor, collect_sql)
        return project_state

    def _add(self, operations: list[Operation], state, schema_editor):
        before = state.clone()
        state.__dict__.pop("apps", None)  # else every operation draws anew
        for operation in operations:
            operation.state_forwards(self.app_label, state)
        # A table comes with all that the run gives it: its model is the one after the run.
        new = {operation.name_lower for operation in operations if isinstance(operation, migrations.CreateModel)}
        for operation in operations:
            if not (isinstance(operation, WITH_ITS_TABLE) and operation.model_name_lower in new):
                operation.database_forwards(self.app_label, schema_editor, before, state)
        return state

    def _one_by_one(self, operations: list[Operation], state, schema_editor, collect_sql: bool):
        part = migrations.Migration(self.name, self.app_label)
        part.operations = operations
        part.atomic = self.atomic
        return part.apply(state, schema_editor, collect_sql)


def _adds(operation: Operation) -> bool:
    return isinstance(operation, ADDING)
