"""History by database trigger: bulk updates and raw SQL are caught too."""

import pghistory


def keeps_history(model):
    """Keep a row as it was before each change; the table itself holds what is true now.

    The trackers remember the first model's fields, so each model gets its own.
    """
    changed = pghistory.UpdateEvent("changed", row=pghistory.Old)
    deleted = pghistory.DeleteEvent("deleted", row=pghistory.Old)
    return pghistory.track(changed, deleted)(model)
