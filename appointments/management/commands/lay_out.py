"""`manage.py lay_out`: lay out schedules ahead as the nightly job does, and say what the office should look at."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from appointments.services import planning
from hospital import clock
from hospital.models import Organization


class Command(BaseCommand):
    help = "Schedules and numbers from the templates; --preview and --relay for templates that changed afterwards."

    def add_arguments(self, parser):
        parser.add_argument("--organization", help="code; else every organization that has templates")
        parser.add_argument(
            "--days", type=int, default=planning.AHEAD, help=f"how far ahead, today included ({planning.AHEAD})"
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--preview", action="store_true", help="only say what --relay would do")
        how.add_argument("--relay", action="store_true", help="also bring unbooked schedules in line with templates")

    def handle(self, *, organization, days, preview, relay, **_options):
        now = clock.now()
        first = clock.today(now)
        span = {"first_day": first, "last_day": first + timedelta(days=days), "now": now}
        for row in self._organizations(organization):
            self.stdout.write(f"{row}")
            if preview:
                self._list("would change", planning.changes(organization=row, **span))
                continue
            if relay:
                self._list("changed", planning.relay(organization=row, **span))
            laid = planning.lay_out(organization=row, **span)
            self.stdout.write(
                f"  {laid.added} schedules with {laid.numbers} numbers added, {laid.standing} stood already, "
                f"{laid.skipped} templates not in use"
            )
            if laid.waiting or laid.declined:
                self.stdout.write(
                    f"  {laid.waiting} wait for a draft, since an old pattern still stands; "
                    f"{laid.declined} were left out of one"
                )
            self._list("conflict", laid.conflicts)
            self._list("differs from its template, nobody booked: --relay", laid.changed)
            self._list("differs from its template, left alone", laid.left_alone)

    def _organizations(self, code: str | None):
        rows = Organization.objects.filter(active=True, templates__active=True).distinct().order_by("id")
        if code is None:
            return rows
        if not Organization.objects.filter(code=code).exists():
            raise CommandError(f"There is no organization {code}.")
        return Organization.objects.filter(code=code)

    def _list(self, what: str, rows) -> None:
        for row in rows:
            self.stdout.write(f"  {what}: {row}")
