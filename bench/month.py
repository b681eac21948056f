"""Trips of the demo hospital's month of exams, as its centre booked them, against booking each exam first-come.

People's requests and wishes are drawn (exams.demo), the plans are the planner's, the trips are counted from the rows
that were booked; `first_come_trips` was found at each booking with the devices as they were at that moment.
"""

from django.db.models import Sum

from appointments.demo import seeding
from appointments.demo.scale import SCALES
from bench import apart, table
from bench.scratch import Scratch
from exams.models import ExamPlan
from hospital import clock


def measure(scratch: Scratch) -> list[table.Row]:
    return [apart.run(scratch.url(scratch.named("month")), "month", "in_a_new_house")]


def in_a_new_house() -> table.Row:
    seeding.seed(scale=SCALES["small"], now=clock.now())
    return row()


def row() -> table.Row:
    """Counted from the plans of several exams in this database."""
    plans = ExamPlan.objects.filter(exams__gt=1, confirmed_at__isnull=False, first_come_trips__isnull=False)
    trips = plans.aggregate(planned=Sum("trips"), first_come=Sum("first_come_trips"))
    return table.compare(
        "trips in the demo month: booked plans ÷ first-come", [trips["planned"]], [trips["first_come"]],
        target=0.9, better="lower", note=f"{plans.count()} plans of two exams and more",
    )  # fmt: skip
