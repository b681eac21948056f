"""B7: what the page says is what booking answers, and why."""

from datetime import date, timedelta

import pytest

from appointments.models import Allotment, Appointment, ConsultLevelRule, PatientSuspension, Slot
from appointments.selectors import rules, why
from appointments.services import booking
from hospital.errors import Refused
from hospital.models import HealthcareService, Organization, Patient, PriceItem
from tests.booking.acts import take_and_confirm
from tests.factories import (
    NOW,
    TODAY,
    PatientFactory,
    PoolFactory,
    ServiceFactory,
    TeamFactory,
    TeamMemberFactory,
    UserFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Scene:
    """One schedule tomorrow with three public numbers, and one patient."""

    def __init__(self):
        self.schedule = open_schedule(numbers=3)
        self.patient = PatientFactory()
        self.channel, self.number, self.partner = "web", None, None

    def change(self, row, **fields):
        type(row).objects.filter(pk=row.pk).update(**fields)
        rules.forget()

    @property
    def another(self):
        """Another clinic of another department at the same time."""
        return open_schedule(starts_at=self.schedule.starts_at, ends_at=self.schedule.ends_at, day=self.schedule.day)


def nothing(scene):
    """Booked."""


def level(scene):
    scene.channel = "consult"
    ConsultLevelRule.objects.create(organization=scene.schedule.organization, effective_from=TODAY, levels=["chief"])


def stopped(scene):
    scene.change(scene.schedule, status="stopped")


def over(scene):
    scene.change(scene.schedule, starts_at=NOW - 3 * HOUR, ends_at=NOW)


def service_off(scene):
    scene.change(HealthcareService.objects.get(pk=scene.schedule.service_id), active=False)


def no_price(scene):
    PriceItem.objects.update(effective_to=date(2025, 1, 1))


def leader_without_referral(scene):
    TeamMemberFactory(role=scene.schedule.role, team=TeamFactory(), leader=True)


def not_open(scene):
    Allotment.objects.update(opens_at=NOW + HOUR)


def another_pool(scene):
    pool = PoolFactory(kind="consult")
    Allotment.objects.update(pool=pool, shared_from=NOW + DAY)
    Slot.objects.update(pool=pool)


def shared_by_now(scene):
    another_pool(scene)
    Allotment.objects.update(shared_from=NOW)


def for_the_special_group(scene):
    scene.channel = "phone"
    scene.patient = PatientFactory(birth_date=date(1990, 1, 1))
    pool = PoolFactory(kind="special")
    Allotment.objects.update(pool=pool)
    Slot.objects.update(pool=pool)


def special_and_old_enough(scene):
    for_the_special_group(scene)
    scene.patient = PatientFactory(birth_date=date(1950, 1, 1))


def all_taken(scene):
    for number in (1, 2, 3):
        appointment_row(scene.schedule, PatientFactory(), number=number)


def that_number_taken(scene):
    scene.number = 2
    appointment_row(scene.schedule, PatientFactory(), number=2)


def that_number_held(scene):
    scene.number = 2
    appointment_row(scene.schedule, PatientFactory(), number=2, status="pending")


def hold_ran_out(scene):
    that_number_held(scene)
    Slot.objects.filter(number=2).update(hold_until=NOW)


def only_hold_ran_out(scene):
    """B14: as a returned number it rests first, since there is no other."""
    that_number_held(scene)
    Slot.objects.filter(number=2).update(hold_until=NOW)
    for number in (1, 3):
        appointment_row(scene.schedule, PatientFactory(), number=number)


def only_hold_of_the_counter_ran_out(scene):
    only_hold_ran_out(scene)
    Appointment.objects.filter(status="pending").update(self_service=False, channel="counter")


def own_hold_ran_out(scene):
    only_hold_ran_out(scene)
    Appointment.objects.filter(status="pending").update(patient=scene.patient)


def resting(scene):
    Slot.objects.update(status="resting", hold_until=NOW + HOUR)


def rested(scene):
    Slot.objects.update(status="resting", hold_until=NOW)


def minute_passed(scene):
    scene.change(scene.schedule, starts_at=NOW - HOUR, day=TODAY)
    Slot.objects.update(start=NOW - HOUR / 2)


def minute_passed_at_the_counter(scene):
    minute_passed(scene)
    scene.channel = "counter"


def inactive_person(scene):
    scene.change(Patient.objects.get(pk=scene.patient.pk), active=False)


def suspended(scene):
    PatientSuspension.objects.create(patient=scene.patient, starts_at=NOW - DAY, ends_at=NOW + 9 * DAY, reason="爽约")


def suspended_in_the_consult_room(scene):
    suspended(scene)
    scene.channel = "consult"


def same_department_and_day(scene):
    take_and_confirm(open_schedule(role=scene.schedule.role, department=scene.schedule.department, half="pm",
                                   starts_at=scene.schedule.starts_at + 6 * HOUR,
                                   ends_at=scene.schedule.ends_at + 6 * HOUR, day=scene.schedule.day),
                     scene.patient)  # fmt: skip


def over_the_limit(scene):
    for hours in (6, 12):
        take_and_confirm(open_schedule(starts_at=scene.schedule.starts_at + hours * HOUR, day=scene.schedule.day,
                                       ends_at=scene.schedule.ends_at + hours * HOUR), scene.patient)  # fmt: skip


def over_the_limit_but_exempt(scene):
    over_the_limit(scene)
    exempt = ServiceFactory(code="antenatal", name="产前检查", limits_exempt=True)
    scene.change(scene.schedule, service=exempt)


def elsewhere_then(scene):
    scene.number = 1
    take_and_confirm(scene.another, scene.patient)


def no_such_number(scene):
    scene.number = 99


def partner_without_its_own(scene):
    scene.channel = "partner"
    own, other = (Organization.objects.create(code=code, name=code) for code in ("S1", "S2"))
    pool = PoolFactory(kind="partner", partner=other)
    Allotment.objects.update(pool=pool)
    Slot.objects.update(pool=pool)
    scene.partner = own.pk


def partner_with_its_own(scene):
    partner_without_its_own(scene)
    scene.partner = Organization.objects.get(code="S2").pk


SITUATIONS = {
    nothing: "booked", level: "level_not_allowed", stopped: "stopped", over: "past", service_off: "inactive",
    no_price: "no_price", leader_without_referral: "needs_referral", not_open: "not_open", another_pool: "not_open",
    shared_by_now: "booked", for_the_special_group: "special_only", special_and_old_enough: "booked",
    all_taken: "sold_out", that_number_taken: "sold_out", that_number_held: "sold_out", hold_ran_out: "booked",
    only_hold_ran_out: "sold_out", only_hold_of_the_counter_ran_out: "booked", own_hold_ran_out: "sold_out",
    resting: "sold_out", rested: "booked", minute_passed: "past", minute_passed_at_the_counter: "booked",
    inactive_person: "no_patient", suspended: "suspended", suspended_in_the_consult_room: "booked",
    same_department_and_day: "already_booked", over_the_limit: "limit", over_the_limit_but_exempt: "booked",
    elsewhere_then: "time_conflict", no_such_number: "sold_out", partner_without_its_own: "not_open",
    partner_with_its_own: "booked",
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.__name__.replace("_", " "))
def test_the_page_says_what_booking_answers(situation):
    scene = Scene()
    situation(scene)
    rules.forget()
    scene.patient.refresh_from_db()
    schedule = type(scene.schedule).objects.select_related("service", "role__practitioner").get(pk=scene.schedule.pk)

    said = why.explain(
        why.Asked(schedule, scene.channel, scene.patient, number=scene.number, partner=scene.partner), now=NOW
    )
    try:
        given = booking.book(
            schedule=schedule, patient=scene.patient, channel=scene.channel, by=UserFactory(), request_key=None,
            number=scene.number, partner=scene.partner, now=NOW,
        )  # fmt: skip
    except Refused as refusal:
        answered = refusal.code
    else:
        answered = "booked"
        assert said.number.number == given.slot.number
    assert (said.code, answered) == (SITUATIONS[situation],) * 2
    failing = [step for step in said.steps if step.holds is False]
    assert bool(failing) == (answered != "booked")
    assert all(step.says for step in said.steps)


def test_pools_say_when_they_open_and_a_held_number_never_says_whose_it_is():
    schedule = open_schedule(numbers=1, opened=NOW + DAY)
    holder = PatientFactory(name="欧阳持号")
    add_numbers(schedule, count=1, pool="consult", opened=NOW - DAY, shared=NOW + 2 * DAY)
    appointment_row(schedule, holder, number=1, status="pending")

    said = why.explain(why.Asked(schedule, "web", PatientFactory(), number=1), now=NOW)

    pools = {line.name: (line.mine, line.open) for line in said.steps[4].pools}
    assert pools == {"公共": (True, False), "诊间": (True, False)}
    words = "".join(step.says for step in said.steps)
    assert "锁定中" in words
    assert "欧阳" not in words
    assert said.extra.holds is True


def test_without_a_patient_the_questions_about_one_stay_open(django_assert_max_num_queries):
    schedule = open_schedule(numbers=2)
    with django_assert_max_num_queries(15):
        said = why.explain(why.Asked(schedule, "web"), now=NOW)

    assert said.refusal is None
    assert [step.holds for step in said.steps] == [True] * 6 + [None] * 5
