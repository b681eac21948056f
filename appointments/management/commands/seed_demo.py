"""manage.py seed_demo [--scale small|large]: the demo hospital with its people and their behaviour."""

from django.core.management.base import BaseCommand, CommandError

from appointments.demo import seeding
from appointments.demo.scale import SCALES
from hospital import clock
from hospital.embedded.bar import Bar


class Command(BaseCommand):
    help = "Fill an empty database with the demo hospital. A second run changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=SCALES, default="small")

    def handle(self, *, scale, **options):
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
