"""manage.py seed_demo [--scale small|large]: the demo hospital with its people and their behaviour."""

import time
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from appointments.demo import seeding
from appointments.demo.scale import SCALES
from hospital import clock
from hospital.embedded.bar import Bar


class Command(BaseCommand):
    help = "Fill an empty database with the demo hospital. A second run changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=SCALES, default="small")
        parser.add_argument("--after", type=Path, metavar="FILE", help="begin when this file is there")
        parser.add_argument("--accounts", type=Path, metavar="FILE", help="write there what demo_accounts prints")

    def handle(self, *, scale, after, accounts, **options):
        while after and not after.exists():
            time.sleep(0.05)
        self._seed(scale)
        if accounts:
            with accounts.open("w", encoding="utf-8") as file:
                call_command("demo_accounts", stdout=file)

    def _seed(self, scale: str) -> None:
        self.stdout.ending = ""  # a bar is drawn anew on its own line
        bar = Bar(self.stdout)
        try:
            filled = seeding.seed(scale=SCALES[scale], now=clock.now(), show=bar.show)
        except seeding.NotEmpty:
            raise CommandError("There is a hospital in this database already; the demo needs an empty one.") from None
        except seeding.AnotherScale as there:
            raise CommandError(
                f"The {there} demo hospital is in this database already. Give the {scale} one a folder of its own: "
                f"HOSPITAL_HOME=~/hospital-{scale} make demo SCALE={scale}"
            ) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped half-way. The next start throws it away and begins anew.") from None
        finally:
            bar.end()
        if not filled:
            self.stdout.write("The demo hospital is there already.\n")
