"""The verbs: one transaction each, locks in a fixed order, a fact for what happened."""
