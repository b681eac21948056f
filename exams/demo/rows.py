"""The month as rows: requests, plans, bookings with what became of them, results, repeats. In bulk, and as the services
leave them: no row here says anything that a service would not have written."""

import random
import uuid
from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.models import ExamBooking, ExamNoShow, ExamPlan, ExamRequest, RepeatCheck
from hospital.models import PatientTime, PriceItem, User

from .month import Month, Visit, Wanted
from .results import write_reports
from .wishes import HABITS

Status, Request = ExamBooking.Status, ExamRequest.Status
BATCH = 1_000
STALE = timedelta(days=5)
"""The booking centre has called by then: who still wants the exam has a time, the rest is withdrawn."""

UNWANTED = "联系后患者不再检查"
AWAY = ("临时有事，改天再约", "身体不适，暂不检查", "已在外院检查", "时间冲突")
UNDONE = ("准备不充分，改日再做", "患者未能配合", "空腹时间不够")
REASONS = ("病情有变化，需要对比", "外院图像质量不够", "术前需要近期结果")


class Rows:
    """What is collected, then written at once: booked rows know their requests and plans by object."""

    def __init__(self, month: Month, *, dice: random.Random, centre: User, now: datetime):
        self.month, self.dice, self.centre, self.now = month, dice, centre, now
        self.fees = _fees(month.devices[0].organization_id)
        self.requests: dict[int, ExamRequest] = {}
        self.plans: list[ExamPlan] = []
        self.bookings: list[tuple[ExamBooking, Wanted]] = []

    def add(self, visit: Visit) -> None:
        booked = [each for each in visit.exams if each.start >= 0]
        channel = self._channel(booked)
        plan = self._plan(visit, booked, channel) if visit.plan else None
        for wanted in visit.exams:
            request = self.requests[id(wanted)] = self._request(wanted)
            if wanted.start >= 0:
                self._book(wanted, request, channel, plan)
            elif (later := request.asked_at + STALE) < self.now:
                request.status, request.ended_at, request.note = Request.CANCELLED, later, UNWANTED

    def write(self) -> int:
        """All of it, in the order of who names whom. Returns how many bookings."""
        ExamRequest.objects.bulk_create(self.requests.values(), batch_size=BATCH)
        ExamPlan.objects.bulk_create(self.plans, batch_size=BATCH)
        rows = [row for row, _wanted in self.bookings]
        ExamBooking.objects.bulk_create(rows, batch_size=BATCH)
        PatientTime.objects.bulk_create(
            (
                PatientTime(patient_id=row.patient_id, during=row.stay, source="exam", source_id=row.pk)
                for row in rows
                if row.holds
            ),
            batch_size=BATCH,
        )
        ExamNoShow.objects.bulk_create(
            ExamNoShow(booking=row, patient_id=row.patient_id, day=row.day, marked_at=row.ended_at)
            for row in rows
            if row.status == Status.NOSHOW
        )
        reports = write_reports(rows, by=self.centre, now=self.now)
        self._repeats(reports)
        return len(rows)

    # ---- one of each ----

    def _channel(self, booked: list[Wanted]) -> str:
        if len(booked) == 1 and booked[0].walk_in:
            return "counter"
        simple = all(each.variant.item.simple for each in booked)
        if len(booked) == 1 and simple and self.dice.random() < HABITS.alone:
            return self.dice.choice(("web", "app", "app"))
        return "counter" if self.dice.random() < HABITS.centre else "consult"

    def _request(self, wanted: Wanted) -> ExamRequest:
        visit = wanted.encounter
        return ExamRequest(
            organization_id=wanted.variant.item.organization_id, patient_id=visit.patient_id, variant=wanted.variant,
            encounter=visit, requester_id=visit.practitioner_id, by_id=visit.practitioner.user_id,
            asked_at=self.month.count.moment(wanted.asked),
        )  # fmt: skip

    def _plan(self, visit: Visit, booked: list[Wanted], channel: str) -> ExamPlan:
        at = self.month.count.moment(visit.asked)
        plan = ExamPlan(
            basket=uuid.UUID(int=self.dice.getrandbits(128), version=4), patient_id=visit.encounter.patient_id,
            organization_id=booked[0].variant.item.organization_id, channel=channel, exams=len(booked),
            trips=visit.plan.trips, minutes=visit.plan.minutes, first_come_trips=visit.first_come_trips,
            by=self.centre if channel == "counter" else None, created_at=at, confirmed_at=at,
        )  # fmt: skip
        self.plans.append(plan)
        return plan

    def _book(self, wanted: Wanted, request: ExamRequest, channel: str, plan: ExamPlan | None) -> None:
        count, variant = self.month.count, wanted.variant
        device = next(each for each in self.month.able[variant.pk] if each.pk == wanted.device)
        start, end = count.moment(wanted.start), count.moment(wanted.end)
        row = ExamBooking(
            request=request, patient_id=request.patient_id, variant=variant, device=device, team_id=device.team_id,
            session_id=self.month.free.session(device.pk, wanted.start), plan=plan, day=count.day(wanted.start),
            during=DateTimeTZRange(start, end), status=Status.BOOKED, channel=channel, walk_in=wanted.walk_in,
            stay=DateTimeTZRange(start - timedelta(minutes=variant.before), end + timedelta(minutes=variant.after)),
            by=self.centre if channel == "counter" else None, fee=self.fees[variant.price_code],
            basket=plan.basket if plan else None, created_at=request.asked_at, confirmed_at=request.asked_at,
        )  # fmt: skip
        self._happen(row, request)
        self.bookings.append((row, wanted))

    def _happen(self, row: ExamBooking, request: ExamRequest) -> None:
        """What became of it by now."""
        start, end, draw = row.during.lower, row.during.upper, self.dice.random()
        request.status = Request.BOOKED
        if not row.walk_in and draw < HABITS.cancelled and (asked := request.asked_at) + timedelta(hours=4) < start:
            at = asked + (start - timedelta(hours=3) - asked) * self.dice.random()
            if at < self.now:
                self._over(row, request, Status.CANCELLED, at, self.dice.choice(AWAY))
        elif start + timedelta(minutes=61) <= self.now and draw > 1 - HABITS.missed and not row.walk_in:
            self._over(row, request, Status.NOSHOW, start + timedelta(minutes=60), "")
        elif end <= self.now and draw > 1 - HABITS.missed - HABITS.not_done:
            row.checked_in_at = start - timedelta(minutes=8)
            self._over(row, request, Status.NOT_DONE, start + timedelta(minutes=2), self.dice.choice(UNDONE))
        elif end <= self.now:
            self._seen(row)
            row.status, row.finished_at = Status.DONE, end
            request.status, request.ended_at = Request.DONE, end
        elif start <= self.now:
            self._seen(row)
            row.status = Status.RUNNING
        elif start <= self.now + timedelta(minutes=40) and self.dice.random() < 0.7:
            row.status, row.checked_in_at = Status.ARRIVED, max(request.asked_at, self.now - timedelta(minutes=9))

    def _seen(self, row: ExamBooking) -> None:
        start = row.during.lower
        row.checked_in_at = max(row.confirmed_at, start - timedelta(minutes=self.dice.randint(4, 25)))
        row.called_at = row.started_at = start
        row.calls = 1

    def _over(self, row: ExamBooking, request: ExamRequest, status: str, at: datetime, note: str) -> None:
        """Its time is free again, and the request open: of the last days somebody will book it anew."""
        row.status, row.holds, row.ended_at, row.note = status, False, at, note
        given_up = at + STALE < self.now
        request.status = Request.CANCELLED if given_up else Request.OPEN
        request.ended_at, request.note = (at, note or "患者未到，不再检查") if given_up else (None, note)

    def _repeats(self, reports: dict[int, int]) -> None:
        """Where a doctor was told of a result that was there."""
        booked = {id(wanted): row.pk for row, wanted in self.bookings}
        rows = []
        for visit, before, avoided, after in self.month.repeats:
            report = reports.get(booked.get(id(before), 0))
            request = self.requests.get(id(after)) if after else None
            if not report or (after and not request):
                continue
            rows.append(
                RepeatCheck(
                    patient_id=visit.patient_id, variant=before.variant, report_id=report, encounter=visit,
                    request=request, by_id=visit.practitioner_id, at=visit.finished_at,
                    outcome=RepeatCheck.Outcome.AVOIDED if avoided else RepeatCheck.Outcome.WENT_ON,
                    reason="" if avoided else self.dice.choice(REASONS),
                )
            )  # fmt: skip
        RepeatCheck.objects.bulk_create(rows, batch_size=BATCH)


def _fees(organization: int) -> dict:
    rows = PriceItem.objects.filter(organization=organization).order_by("effective_from")
    return dict(rows.values_list("code", "amount"))
