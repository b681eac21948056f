"""Questions that pages and services ask."""
