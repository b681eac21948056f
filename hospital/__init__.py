"""The hospital: project package and ground floor. The queue is bound here so that web processes publish to it."""

from hospital.celery import app as celery_app

__all__ = ["celery_app"]
