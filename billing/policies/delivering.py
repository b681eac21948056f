"""What is to be done with a booking that is paid for: confirm, book anew, or give the money back. Pure."""

from enum import StrEnum

from appointments.models import Appointment
from exams.models import ExamBooking


class Deed(StrEnum):
    CONFIRM = "confirm"
    BOOK_ANEW = "book_anew"  # its clock ran out: if nobody has it, the payer is the first who wants it
    NOTHING = "nothing"  # it stands already: paid afterwards
    RETURN = "return"


def deed(booking: Appointment | ExamBooking) -> Deed:
    """A hold is tried as it is: whether its clock has passed the booking service decides, by its own clock. What the
    patient or the house let go on purpose is not booked anew behind their backs."""
    if booking.status == "pending":
        return Deed.CONFIRM
    if booking.status not in ("cancelled", "not_done"):
        return Deed.NOTHING
    let_go = booking.confirmed_at is not None or booking.note != LAPSED
    return Deed.RETURN if let_go else Deed.BOOK_ANEW


LAPSED = "lapsed"
"""The note that both apps leave on a hold whose clock ran out (booking_parts.sql, exams.policies.booking)."""
