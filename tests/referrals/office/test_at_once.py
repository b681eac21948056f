"""R4: two of the office at once, and the office against the patient: one wins, nobody hangs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from appointments.models import Appointment
from appointments.services import changes
from hospital.errors import Refused
from referrals.models import Referral
from referrals.policies.moves import Side
from referrals.services import answering, booking_for, ending, numbers
from tests.factories import NOW, TODAY, ReferralFactory, StaffFactory, appointment_row, open_schedule


def at_once(*acts) -> list:
    """What each returned, or the name of its refusal."""
    gate = Barrier(len(acts))

    def run(act):
        try:
            gate.wait(10)
            return act()
        except Refused as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_two_of_the_office_book_for_one_patient_at_once():
    """One gets it, the other hears of it; no second number, and no hold is left."""
    row = ReferralFactory()
    days = [open_schedule(day=TODAY + timedelta(days=ahead), department=row.department) for ahead in (3, 4)]
    asked = {"referral": row, "source": booking_for.OWN, "side": Side.RECEIVER, "now": NOW}
    people = [StaffFactory(roles="referral") for _each in days]
    done = at_once(*(
        lambda day=day, by=by: booking_for.book(schedule=day, start=day.starts_at, by=by, request_key="k", **asked)
        for day, by in zip(days, people, strict=True)
    ))  # fmt: skip
    assert [str(each) for each in done].count("NumberChanged") == 1, done
    number = Appointment.objects.exclude(status="cancelled").get()
    assert (number.status, Referral.objects.get().appointment) == ("booked", number)


@pytest.mark.django_db(transaction=True)
def test_one_rejects_while_another_accepts_and_the_patient_cancels():
    office, other = StaffFactory(roles="referral"), StaffFactory(roles="referral")
    for turn in range(4):
        row = ReferralFactory()
        number = appointment_row(open_schedule(), row.patient)
        numbers.take(referral=row, appointment=number, by=row.by, side=Side.ORIGIN, now=NOW)
        said = {"reason": "请先到眼科", "give_back": True, "now": NOW}
        done = at_once(
            lambda row=row, said=said: ending.reject(referral=row, by=office, **said),
            lambda row=row, said=said: ending.reject(referral=row, by=other, **said),
            lambda number=number: changes.cancel(appointment=number, by=None, channel="counter", now=NOW),
            lambda row=row: answering.accept(referral=row, by=other, now=NOW),
        )
        row = Referral.objects.get(pk=row.pk)
        number.refresh_from_db()
        assert (row.status, number.status) == ("rejected", "cancelled"), (turn, done)
        assert [str(each) for each in done[:2]].count("ReferralOver") == 1, done
        assert list(row.events.values_list("kind", flat=True)).count("rejected") == 1
