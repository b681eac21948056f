"""What the exams put on the patient's home page."""

from datetime import datetime

from appointments.views.patient import neighbours
from exams.selectors import mine
from hospital.models import User


@neighbours.join
def next_trip(account: User, now: datetime) -> neighbours.Coming | None:
    """The nearest day with exams: when to be there, and what to do before."""
    rows = [row for row in mine.coming(account, now=now) if row.status in mine.COMING and row.end > now]
    if not rows:
        return None
    first = rows[0]
    same = [row for row in rows if (row.day, row.patient_id) == (first.day, first.patient_id)]
    [trip] = mine.trips_of(mine.cards_of(same, now=now))
    return neighbours.Coming(first.start, "exams/patient/_next_trip.html", trip)
