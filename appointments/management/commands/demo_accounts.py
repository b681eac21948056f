"""manage.py demo_accounts: the demo's log-ins, one a line."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from appointments.demo import people


class Command(BaseCommand):
    help = "Print the demo accounts. Only where HOSPITAL_DEMO is set."

    def handle(self, **options):
        if not settings.DEMO:
            raise CommandError("There are no demo accounts here: HOSPITAL_DEMO is not set.")
        for account in people.accounts():
            self.stdout.write(f"{account.username:<14} {people.PASSWORD:<18} {account.role}  {account.name}")
