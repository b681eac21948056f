"""manage.py demo_accounts: the demo's log-ins, one a line. Patients sign in by phone: the page leads to the code."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from appointments.demo import accounts, people


class Command(BaseCommand):
    help = "Print the demo accounts. Only where HOSPITAL_DEMO is set."

    def handle(self, **options):
        if not settings.DEMO:
            raise CommandError("There are no demo accounts here: HOSPITAL_DEMO is not set.")
        for account in people.accounts():
            self.stdout.write(f"{account.username:<14} {people.PASSWORD:<18} {account.role}  {account.name}")
        for account in accounts.shown():
            self.stdout.write(f"{account.phone:<14} {'SMS code':<18} {_('患者')}  {account.people}")
