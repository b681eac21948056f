"""K: each figure by its definition (docs/decisions/0009-figures.md), against rows counted by hand."""

from datetime import timedelta

import pytest
from django.db.models import Q

from appointments import stats
from appointments.models import NoShow
from appointments.selectors.office import monday_of
from tests.factories import NOW, TODAY, EncounterFactory, PatientFactory, appointment_row, open_schedule


@pytest.fixture
def clinic(db):
    return open_schedule(day=TODAY)


def figures():
    return stats.week_figures(schedules=Q(), first=monday_of(TODAY))


def visit(clinic, number, *, channel="web", status="fulfilled", **fields):
    return appointment_row(clinic, PatientFactory(), number=number, channel=channel, status=status, **fields)


def test_in_visit_rate_counts_visits_booked_in_consult_room_or_ward(clinic):
    visit(clinic, 1, channel="consult")
    visit(clinic, 2, channel="ward")
    visit(clinic, 3, channel="web")
    visit(clinic, 4, channel="consult", status="booked")  # no visit yet

    this, _before = figures()

    assert (this.in_visit.numerator, this.in_visit.denominator, this.in_visit.percent) == (2, 3, 66.7)


def test_total_booking_rate_leaves_out_walk_ins_of_the_day(clinic):
    visit(clinic, 1, channel="counter", created_at=NOW)
    visit(clinic, 2, channel="counter", created_at=NOW - timedelta(days=1))
    visit(clinic, 3, channel="web", created_at=NOW)

    this, _before = figures()

    assert (this.booked.numerator, this.booked.denominator) == (2, 3)


def test_use_of_numbers_leaves_out_stopped_sessions_and_blocked_numbers(clinic):
    visit(clinic, 1)
    visit(clinic, 2, status="booked")
    clinic.slots.filter(number=10).update(status="blocked")
    open_schedule(day=TODAY, status="stopped")

    this, _before = figures()

    assert (this.used.numerator, this.used.denominator) == (2, 9)


def test_noshow_rate_leaves_out_excused_ones_and_what_is_not_due(clinic):
    visit(clinic, 1)
    visit(clinic, 2, status="arrived")
    visit(clinic, 3, status="booked")
    for number, excused in ((4, None), (5, NOW)):
        row = visit(clinic, number, status="noshow")
        NoShow.objects.create(appointment=row, patient=row.patient, day=row.day, marked_at=NOW, excused_at=excused)

    this, _before = figures()

    assert (this.noshow.numerator, this.noshow.denominator) == (1, 4)


def test_waiting_is_the_mean_from_the_later_of_start_and_check_in_and_never_negative(clinic):
    for number, check_in, call in ((1, 0, 20), (2, 30, 40), (3, 0, 10)):
        row = visit(clinic, number, status="arrived")
        start = clinic.starts_at
        EncounterFactory(
            appointment=row,
            checked_in_at=start + timedelta(minutes=check_in),
            called_at=start + timedelta(minutes=call),
        )

    this, _before = figures()

    # number 1: 20 − 0; number 2 (08:24), here 08:30, called 08:40: 10; number 3 (08:48) called early: 0
    assert (this.waiting_minutes, this.waits) == (10.0, 3)


def test_the_week_before_is_beside_it(clinic):
    last_week = open_schedule(day=TODAY - timedelta(days=7))
    visit(last_week, 1, channel="consult")
    visit(clinic, 1)

    this, before = figures()

    assert (before.in_visit.percent, this.in_visit.percent) == (100.0, 0.0)


def test_where_nothing_was_counted_there_is_no_figure(db):
    this, before = figures()

    assert (this.in_visit.percent, this.waiting_minutes, before.used.percent) == (None, None, None)


def test_the_figures_take_three_queries(clinic, django_assert_num_queries):
    for day in range(5):
        visit(open_schedule(day=TODAY + timedelta(days=day)), 1)

    with django_assert_num_queries(3):
        figures()


def test_every_figure_has_its_definition_beside_it(client, clinic):
    from tests.factories import StaffFactory

    client.force_login(StaffFactory(roles="office"))
    visit(clinic, 1)

    shown = client.get("/office/").context["figures"]

    assert [figure.name for figure in shown] == [
        "诊间预约率",
        "总预约率",
        "号源使用率",
        "爽约率",
        "平均候诊",
        "停诊改约完成",
    ]
    assert all("分子" in figure.definition or "平均" in figure.definition for figure in shown)
    assert all("来源" in figure.definition for figure in shown)
