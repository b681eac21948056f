"""`manage.py check_invariants`: does the data agree with itself? Prints what does not, with ids, and exits with 1."""

from django.core.management.base import BaseCommand, CommandError

from appointments.invariants import INVARIANTS, violations
from hospital import clock


class Command(BaseCommand):
    help = "Check what must always be true across tables. Reads only."

    def handle(self, **_options):
        found = violations(now=clock.now())
        for violation in found:
            self.stdout.write(str(violation))
        if found:
            raise CommandError(f"{len(found)} of {len(INVARIANTS)} invariants do not hold.")
        self.stdout.write(f"All {len(INVARIANTS)} invariants hold.")
