"""The hospital: project package and ground floor. The queue is bound here so that web processes publish to it."""

import gc

# Reading the code makes a million objects that stay: looking for garbage among them every 700 is a fifth of each start.
gc.set_threshold(50_000, 20, 100)

from hospital.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
