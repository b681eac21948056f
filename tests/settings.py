"""The hospital's own settings; only the hasher and the mail backend differ, and unit tests run tasks in place."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)
os.environ.setdefault("FIELD_KEYS", "2Yw5l0Jx3nS2Xo3sR9m3XQF3lq6Yp1r0v6u4c1b7a8I=")
os.environ.setdefault("HASH_KEY", "tests-only-hash-key")
os.environ.setdefault("HOSPITAL_DEMO", "1")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from hospital.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DATABASE_CLOCK = False
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
WHITENOISE_AUTOREFRESH = True  # static files from the finders, nothing collected
# the processes of one run share a Redis, not its keys
CACHES = {alias: {**cache, "KEY_PREFIX": os.environ.get("PYTEST_XDIST_WORKER", "")} for alias, cache in CACHES.items()}  # noqa: F405
