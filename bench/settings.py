"""The hospital's own settings; only the address table has the usual way beside ours."""

from hospital.settings import *  # noqa: F403

ROOT_URLCONF = "bench.usual.urls"

# two databases in one Redis: what is remembered of a schedule is of this database's
CACHES = {alias: {**cache, "KEY_PREFIX": DATABASES["default"]["NAME"]} for alias, cache in CACHES.items()}  # noqa: F405
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
