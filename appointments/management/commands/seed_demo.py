"""manage.py seed_demo [--scale small|large]: the demo hospital with its people and their behaviour."""

from time import monotonic

from django.core.management.base import BaseCommand, CommandError

from appointments.demo import seeding
from appointments.demo.scale import SCALES
from hospital import clock


class Command(BaseCommand):
    help = "Fill an empty database with the demo hospital. A second run changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=SCALES, default="small")

    def handle(self, *, scale, **options):
        began = monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"{monotonic() - began:6.1f} s  {text}")

        try:
            filled = seeding.seed(scale=SCALES[scale], now=clock.now(), say=say)
        except seeding.NotEmpty:
            raise CommandError("There is a hospital in this database already; the demo needs an empty one.") from None
        if not filled:
            self.stdout.write("The demo hospital is there already.")
