"""Which bookings take time."""

from datetime import datetime

from django.db.models import Q

from exams.models import ExamBooking


def holding(now: datetime) -> Q:
    """Bookings that take time at `now`: a hold whose clock has run out takes none."""
    return Q(holds=True) & ~Q(status=ExamBooking.Status.PENDING, hold_until__lte=now)
