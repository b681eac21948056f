"""`manage.py run_jobs [name …]`: run jobs here and now, as beat would. Without a name: all of them, once."""

import time

from celery import current_app
from django.core.management.base import BaseCommand, CommandError

SIGNS_OF_LIFE = "heartbeat"
LAST = ("deliver", "send")
"""What the others publish is delivered, and what is then to be said is sent."""


class Command(BaseCommand):
    help = "Run the periodic jobs in this process, without Redis: all of them, or those named."

    def add_arguments(self, parser):
        parser.add_argument(
            "name", nargs="*", help="generate, release, share, lapse, noshow, stops, remind, deliver, send"
        )

    def handle(self, *, name, **_options):
        current_app.loader.import_default_modules()
        jobs = {key: entry["task"] for key, entry in current_app.conf.beat_schedule.items() if key != SIGNS_OF_LIFE}
        unknown = [each for each in name if each not in jobs]
        if unknown:
            raise CommandError(f"No job is called {', '.join(unknown)}. There are: {', '.join(jobs)}.")
        for each in name or [*(job for job in jobs if job not in LAST), *LAST]:
            began = time.perf_counter()
            current_app.tasks[jobs[each]]()
            self.stdout.write(f"{each}: {time.perf_counter() - began:.1f} s")
