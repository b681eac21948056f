"""The hospital's own settings, but beat's rounds are a second apart: a test doesn't wait for the next full minute."""

from celery.schedules import crontab

from hospital.settings import *  # noqa: F403

EVERY_MINUTE, SECONDS = crontab(), range(1, 31)

CELERY_BEAT_SCHEDULE = {
    name: entry | ({"schedule": 1} if entry["schedule"] in (EVERY_MINUTE, *SECONDS) else {})
    for name, entry in CELERY_BEAT_SCHEDULE.items()  # noqa: F405
}
