"""A device goes down with patients booked: everybody is asked, keeps a time, and answers once (E1, E10)."""

from datetime import time, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from appointments.services.defaults import ensure_defaults
from exams.errors import CaseSettled, DowntimeOver, DowntimeThere, DowntimeWrong, OfferGone
from exams.models import Downtime, DowntimeCase, ExamBooking
from exams.services import booking, devices, holds
from exams.services.devices import cases
from hospital import clock, outbox
from hospital.models import Message, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    PatientFactory,
    UserFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)
LATER = NOW + timedelta(minutes=30)
Status = ExamBooking.Status


class House:
    """Two devices that do one exam, tomorrow and the day after; patients booked on the first one tomorrow."""

    def __init__(self, booked=2):
        self.variant = exam_variant(minutes=20)
        house = self.variant.item.organization
        ensure_defaults(house)  # pools, and which channel may take from which
        self.device = open_device(self.variant, days=(1, 2), organization=house)
        self.other = open_device(self.variant, days=(1, 2), organization=house)
        self.by = UserFactory()
        session = self.device.sessions.order_by("day").first()
        self.rows = [
            exam_booking_row(
                request=ExamRequestFactory(variant=self.variant, patient=PatientFactory(), organization=house),
                session=session,
                start=session.during.lower + timedelta(minutes=20 * place),
            )
            for place in range(booked)
        ]

    def take_down(self, *, during=None, cause="fault", now=NOW, device=None):
        during = during or DateTimeTZRange(clock.at(TOMORROW, time(8)), clock.at(TOMORROW, time(12)))
        return devices.take_down(
            device=device or self.device, during=during, cause=cause, reason="球管", by=self.by, now=now
        )


def deliver(now=LATER):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass


def fresh(row):
    row.refresh_from_db()
    return row


def times_of(patient):
    return list(PatientTime.objects.filter(patient=patient).values_list("during", flat=True))


def test_everybody_booked_is_asked_and_keeps_another_time():
    """E10: the offer is on the day they come anyway, held until the deadline; the link's key is nowhere but in the
    SMS; the exams that are not in the downtime stay."""
    house = House()
    safe = exam_booking_row(
        request=ExamRequestFactory(variant=house.variant), session=house.device.sessions.order_by("day").last()
    )
    down = house.take_down()
    assert [fresh(row).holds for row in house.rows] == [False, False]
    assert times_of(house.rows[0].patient) == []
    deliver()

    offers = [case.offer for case in down.cases.order_by("booking__during")]
    assert [offer.device for offer in offers] == [house.other, house.other]
    assert {offer.day for offer in offers} == {TOMORROW}
    assert [offer.hold_until for offer in offers] == [case.deadline for case in down.cases.order_by("pk")]
    assert Message.objects.filter(template="exam.device_asked", channel="sms").count() == 2
    assert "/exam-answer/" not in str(Message.objects.filter(channel="inapp").values())
    assert (fresh(safe).holds, down.cases.count()) == (True, 2)
    deliver(LATER + timedelta(hours=1))
    assert ExamBooking.objects.filter(status=Status.PENDING).count() == 2


def test_accepting_moves_the_exam_to_the_kept_time_once():
    """E10: the same booking, the new time; a second answer hears what was answered."""
    house = House(booked=1)
    down = house.take_down()
    deliver()
    case = down.cases.get()

    devices.accept(case=case, by=None, channel="web", now=LATER)
    devices.accept(case=case, by=None, channel="web", now=LATER)
    row = fresh(house.rows[0])
    assert (row.status, row.holds, row.device, row.during) == (Status.BOOKED, True, house.other, case.offer.during)
    assert times_of(row.patient) == [row.stay]
    assert fresh(case).answer == "accept"
    with pytest.raises(CaseSettled):
        devices.cancel(case=case, by=None, channel="web", now=LATER)
    deliver(LATER + timedelta(minutes=1))
    assert DowntimeCase.objects.get().answer == "accept"


def test_another_time_or_none_gives_back_what_was_kept():
    """E10: choosing and cancelling; a cancelled exam's request is open again; neither is a no-show."""
    house = House()
    down = house.take_down()
    deliver()
    mover, quitter = down.cases.order_by("booking__during")
    start = clock.at(TODAY + timedelta(days=2), time(9))

    devices.move(case=mover, device=house.device, start=start, by=None, channel="web", now=LATER)
    devices.cancel(case=quitter, by=None, channel="web", now=LATER)

    assert fresh(house.rows[0]).during.lower == start
    assert (
        fresh(house.rows[1]).status,
        house.rows[1].request.__class__.objects.get(pk=house.rows[1].request_id).status,
    ) == (
        Status.CANCELLED,
        "open",
    )
    assert {fresh(case.offer).status for case in (mover, quitter)} == {Status.CANCELLED}


def test_an_offer_that_ran_out_is_refused_and_the_patient_may_still_choose():
    """E10: unanswered at the deadline the time is free for others; the case waits for a call."""
    house = House(booked=1)
    down = house.take_down()
    deliver()
    case = down.cases.get()
    late = case.deadline + timedelta(minutes=1)
    holds.lapse(now=late)

    with pytest.raises(OfferGone):
        devices.accept(case=case, by=None, channel="web", now=late)
    start = clock.at(TODAY + timedelta(days=2), time(9))
    devices.move(case=case, device=house.other, start=start, by=None, channel="web", now=late)
    assert fresh(case).answer == "move"


def test_brought_up_sooner_everybody_who_has_not_answered_stays_where_they_were():
    """E10: who had been told hears so; who took another time keeps it; one whose own time is taken still chooses."""
    house = House(booked=3)
    down = house.take_down()
    deliver()
    Message.objects.update(status=Message.Status.SENT, sent_at=LATER)
    stays, took, busy = down.cases.order_by("booking__during")
    devices.accept(case=took, by=None, channel="web", now=LATER)
    cases.drop_offer(busy, by=None, now=LATER)
    PatientTime.objects.create(patient=busy.patient, during=busy.booking.stay, source="appointment", source_id=999_999)

    lifted = devices.bring_up(downtime=down, by=house.by, now=LATER)

    assert (lifted.back, lifted.left) == ([stays.booking_id], [busy.booking_id])
    assert fresh(house.rows[0]).holds
    assert fresh(stays.offer).status == Status.CANCELLED
    assert (fresh(stays).answer, fresh(busy).answer) == ("gone", "")
    assert not fresh(down).stands
    deliver(LATER + timedelta(minutes=1))
    assert Message.objects.filter(template="exam.device_up", channel="sms").count() == 1
    with pytest.raises(DowntimeOver):
        devices.bring_up(downtime=down, by=house.by, now=LATER)


def test_a_fault_ends_the_running_exam_and_lets_holds_go():
    """E10: one is being examined, one is called in, one holds a time that is not confirmed."""
    variant = exam_variant(minutes=20)
    device = open_device(variant, days=())
    session = device_session(device, day=TODAY, starts=time(9), ends=time(12))
    by = UserFactory()
    states = {"running": -10, "called": 10, "pending": 30}
    rows = {
        status: exam_booking_row(
            request=ExamRequestFactory(variant=variant),
            session=session,
            start=NOW + timedelta(minutes=minutes),
            status=status,
            checked_in_at=None if status == "pending" else NOW,
            started_at=NOW if status == "running" else None,
        )
        for status, minutes in states.items()
    }
    during = DateTimeTZRange(NOW - timedelta(minutes=5), clock.at(TODAY, time(12)))
    down = devices.take_down(device=device, during=during, cause="fault", reason="", by=by, now=NOW)

    after = {was: (fresh(row).status, row.holds) for was, row in rows.items()}
    assert after == {
        "running": (Status.NOT_DONE, False), "called": (Status.ARRIVED, False), "pending": (Status.CANCELLED, False),
    }  # fmt: skip
    assert [case.booking_id for case in down.cases.all()] == [rows["called"].pk]


def test_a_hold_kept_for_one_downtime_is_kept_anew_when_its_device_goes_down_too():
    """E10: the patient is asked again with another time."""
    house = House(booked=1)
    down = house.take_down()
    deliver()
    house.take_down(device=house.other, now=LATER)
    deliver(LATER + timedelta(minutes=1))

    case = down.cases.get()
    assert (case.offer.status, case.offer.day) == (Status.PENDING, TODAY + timedelta(days=2))
    assert Message.objects.filter(template="exam.device_asked", channel="sms").count() == 2


def test_nobody_answered_by_the_end_of_the_day():
    """E10: the request is open on the centre's list again, no offer is kept, the patient hears it once."""
    house = House(booked=1)
    down = house.take_down()
    deliver()
    case = down.cases.get()
    midnight = clock.at(TODAY + timedelta(days=2), time(0, 5))
    holds.lapse(now=midnight)

    assert (devices.follow_up(now=midnight - timedelta(minutes=10)), devices.follow_up(now=midnight)) == (0, 1)
    assert devices.follow_up(now=midnight) == 0
    assert (fresh(case).answer, fresh(house.rows[0]).status) == ("gone", Status.CANCELLED)
    deliver(midnight)
    assert Message.objects.filter(template="exam.cancelled", channel="sms").count() == 1


@pytest.mark.parametrize(
    ("start", "end", "refusal"),
    [
        (60, 30, DowntimeWrong),
        (-120, -60, DowntimeWrong),
        (-25 * 60, 60, DowntimeWrong),
        (0, 93 * 24 * 60, DowntimeWrong),
        (90, 150, DowntimeThere),
    ],
)
def test_a_downtime_that_cannot_be_is_refused(start, end, refusal):
    """E10."""
    house = House(booked=0)
    span = [NOW + timedelta(minutes=each) for each in (60, 120)]
    Downtime.objects.create(
        device=house.device, during=DateTimeTZRange(*span), cause="other", by=house.by, created_at=NOW
    )
    during = DateTimeTZRange(NOW + timedelta(minutes=start), NOW + timedelta(minutes=end), "[)", empty=False)
    with pytest.raises(refusal):
        house.take_down(during=during)


def test_an_answer_given_on_another_page_closes_the_question():
    """E10: the patient moves the exam in the app; the board counts it as answered and the offer goes."""
    house = House(booked=1)
    down = house.take_down()
    deliver()
    start = clock.at(TODAY + timedelta(days=2), time(9))
    booking.move(
        booking=house.rows[0],
        device=house.device,
        start=start,
        channel="counter",
        by=house.by,
        hospital=True,
        now=LATER,
    )
    deliver(LATER + timedelta(minutes=1))

    case = down.cases.get()
    assert (case.answer, case.offer.status) == ("move", Status.CANCELLED)
    assert cases.is_kept(case.offer, now=LATER) is False
