"""Figures, each with its definition, counted from the app's own rows."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q

from appointments.models import Encounter
from appointments.models.rules import Channel
from hospital import clock
from hospital.models import Practitioner

IN_VISIT_CHANNELS = (Channel.CONSULT, Channel.WARD)


@dataclass(frozen=True)
class Rate:
    """A share with both of its counts, so that it can be checked and opened down to the rows."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        """One decimal; None where nothing was counted yet."""
        return round(100 * self.numerator / self.denominator, 1) if self.denominator else None


def in_visit_rate(*, practitioner: Practitioner, now: datetime) -> Rate:
    """诊间预约率 of one doctor, this month to date.

    Numerator: of the denominator, those whose number was booked from a consult room or ward.
    Denominator: visits that this doctor finished on days of this month (of the hospital's calendar).
    Source: Encounter (finished) and its Appointment's channel. A visit seen for a colleague counts for who saw it.
    """
    today = clock.today(now)
    visits = Encounter.objects.filter(
        practitioner=practitioner,
        status=Encounter.Status.FINISHED,
        schedule__day__range=(date(today.year, today.month, 1), today),
    )
    counted = visits.aggregate(
        booked_in_visit=Count("id", filter=Q(appointment__channel__in=IN_VISIT_CHANNELS)), visits=Count("id")
    )
    return Rate(counted["booked_in_visit"], counted["visits"])
