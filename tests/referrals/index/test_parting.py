"""P10: two records that were one for a while part again: numbers, letters and plans go with the person they are of."""

from datetime import timedelta

import pytest

from appointments.models import Appointment
from hospital import outbox, patient_index
from hospital.models import PatientTime
from referrals.models import CarePlan, Referral
from referrals.policies.moves import Side
from referrals.services import numbers
from tests.booking.acts import take
from tests.factories import NOW, TODAY, DepartmentFactory, PatientFactory, ReferralFactory, StaffFactory, open_schedule

pytestmark = pytest.mark.django_db
LATER, PARTED = NOW + timedelta(hours=1), NOW + timedelta(hours=2)


def number_of(patient, days, now=NOW):
    return take(open_schedule(day=TODAY + timedelta(days=days)), patient, channel="counter", confirmed=True, now=now)


def referred(patient, code, **more):
    return ReferralFactory(patient=patient, department=DepartmentFactory(code=code), **more)


def hold(referral, number, now=LATER):
    return numbers.take(referral=referral, appointment=number, by=StaffFactory(), side=Side.RECEIVER, now=now)


def test_what_was_booked_for_a_referral_goes_with_it_and_the_others_own_waits_again(clerk):
    """A number taken meanwhile for the second person's referral and plan is theirs; a number of the one that a referral
    of the other took is given up by that referral, which is back on the office's list."""
    kept, merged = PatientFactory(), PatientFactory()
    theirs, crossed, mine = referred(merged, "A1"), referred(merged, "A2"), referred(kept, "A3")
    over, my_last = referred(merged, "A5"), number_of(kept, 25)
    their_number, my_number = number_of(merged, 20), number_of(kept, 21)
    merge = patient_index.merge(kept=kept, merged=merged, reason="同一身份证", by=clerk, now=NOW)

    hold(theirs, new := number_of(kept, 22, now=LATER))
    hold(crossed, my_number)
    hold(over, my_last)
    Referral.objects.filter(pk=over.pk).update(status="arrived")
    Referral.objects.filter(pk=over.pk).update(status="completed", ended_at=LATER)
    hold(mine, Appointment.objects.get(pk=their_number.pk))
    down = referred(kept, "A4", direction="down", origin=theirs.receiver, receiver=theirs.origin, answers_to=theirs,
                    created_at=LATER)  # fmt: skip
    again = number_of(kept, 23, now=LATER)
    CarePlan.objects.create(
        referral=down, medication="阿司匹林", warning_signs="胸痛", follow_up_on=again.day, follow_up_at=down.receiver,
        appointment=again,
    )  # fmt: skip
    unrelated = number_of(kept, 24, now=LATER)
    patient_index.undo(merge=merge, reason="认错了人", by=clerk, now=PARTED)
    outbox.fan_out(now=PARTED)
    while outbox.deliver(now=PARTED):
        pass

    of_merged = {their_number.pk, new.pk, again.pk}
    assert set(Appointment.objects.filter(patient=merged).values_list("pk", flat=True)) == of_merged
    assert set(Appointment.objects.filter(patient=kept).values_list("pk", flat=True)) == {
        my_number.pk, my_last.pk, unrelated.pk,
    }  # fmt: skip
    assert set(PatientTime.objects.filter(patient=merged).values_list("source_id", flat=True)) == of_merged
    for row in (theirs, crossed, mine, down, over):
        row.refresh_from_db()
    assert [row.patient_id for row in (theirs, crossed, mine, down)] == [merged.pk, merged.pk, kept.pk, merged.pk]
    assert (theirs.status, theirs.appointment_id) == ("booked", new.pk)
    for row in (crossed, mine):
        assert (row.status, row.appointment_id, row.due_at is not None) == ("accepted", None, True)
        assert row.events.last().detail["why"] == "unmerged"
    assert (over.status, over.appointment_id, over.events.last().detail["why"]) == ("completed", None, "unmerged")
