"""May this be done now, and why not: pure functions that return a refusal or None. No query, no clock."""
