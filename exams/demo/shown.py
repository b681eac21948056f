"""What a visitor of the demo finds open, made by the services: requests of the demo's patients and of those who wait
for the demo doctor, and a report to read."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from appointments.models import Encounter
from exams.models import Device, ExamRequest, ExamVariant, ScreeningAnswer
from exams.policies.reports import Measured
from exams.selectors import screening
from exams.services import booking, reports, requesting, visit
from exams.services.requesting import Asked
from hospital import clock
from hospital.errors import Refused
from hospital.models import AccountPhone, Patient, Practitioner, RelatedPerson, User

from .month import Month

OPEN_FOR_PATIENTS = (("US01", "LB01"), ("EC01",), ("US01", "LB02", "LB04"))
"""For the people of the demo's accounts, one after the other."""

INSTEAD = (("US06",), ("XR02",), ("EC02",))
"""Where somebody has a valid result already."""

OPEN_FOR_WAITING = (("CT02*", "MR01*", "US01"), ("EC01", "US05", "TM01"), ("XR01",))
SEEN = "XR01"
AGO = timedelta(days=3)


def live(month: Month, *, doctor: Practitioner, centre: User, now: datetime) -> None:
    """Each by itself: what the drawn month leaves no room for is left out."""
    people = _people()
    asked = now - timedelta(hours=20)
    for patient, codes in zip(people, OPEN_FOR_PATIENTS, strict=False):
        _ask(month, patient, codes, doctor=doctor, now=asked)
    for patient, codes in zip(_waiting(doctor, now=now), OPEN_FOR_WAITING, strict=False):
        _ask(month, patient, codes, doctor=doctor, now=asked)
    if people:
        _examined(month, people[0], doctor=doctor, centre=centre, now=now)


def _people() -> list[Patient]:
    """Who of the demo's accounts is shown first, each account's own person."""
    accounts = AccountPhone.objects.order_by("pk").values_list("user", flat=True)[:3]
    own = RelatedPerson.objects.filter(account__in=list(accounts), ended_at=None, relation=RelatedPerson.Relation.SELF)
    return [row.patient for row in own.select_related("patient").order_by("account_id")]


def _waiting(doctor: Practitioner, *, now: datetime) -> list[Patient]:
    rows = Encounter.objects.filter(schedule__role__practitioner=doctor, schedule__day=clock.today(now))
    rows = rows.filter(status=Encounter.Status.WAITING).select_related("patient").order_by("checked_in_at", "pk")
    return [row.patient for row in rows[: len(OPEN_FOR_WAITING)]]


def _ask(
    month: Month, patient: Patient, codes: Iterable[str], *, doctor: Practitioner, now: datetime
) -> list[ExamRequest]:
    for choice in (codes, *INSTEAD):
        variants = [month.variants[code] for code in choice if code in month.variants]
        wanted = [Asked(each, answers=_answers(each, patient, now=now)) for each in variants]
        with suppress(Refused):
            return requesting.request(
                patient=patient, wanted=wanted, encounter=None, requester=doctor, by=doctor.user, now=now
            )
    return []


def _answers(variant: ExamVariant, patient: Patient, *, now: datetime, at_check_in: bool = False) -> dict[str, str]:
    """What a healthy person says."""
    questions = screening.questions_for([variant], patient=patient, day=clock.today(now), at_check_in=at_check_in)
    return {
        question.code: next(
            answer.code for answer in question.answers.all() if answer.effect == ScreeningAnswer.Effect.OK
        )
        for question in questions
        if any(answer.effect == ScreeningAnswer.Effect.OK for answer in question.answers.all())
    }


def _examined(month: Month, patient: Patient, *, doctor: Practitioner, centre: User, now: datetime) -> None:
    """From the request to the released report, in the days behind."""
    variant = month.variants[SEEN]
    asked = now - AGO
    for device in month.able[variant.pk]:
        for ago in (2, 1, 3):
            start = _free(month, device, variant, clock.today(now).toordinal() - ago)
            if start and asked < start and start < now - timedelta(hours=6):
                _go(patient, device, variant, start, doctor=doctor, centre=centre, asked=asked)
                return


def _free(month: Month, device: Device, variant: ExamVariant, ordinal: int) -> datetime | None:
    day = ordinal - month.count.first_day.toordinal()
    spans = month.free.on(device.pk, day, first=day * 1440, last=(day + 1) * 1440)
    return next((month.count.moment(a) for a, b in spans if b - a >= variant.minutes), None)


def _go(patient, device, variant, start: datetime, *, doctor, centre, asked: datetime) -> None:
    try:
        [request] = requesting.request(
            patient=patient, wanted=[Asked(variant, answers=_answers(variant, patient, now=asked))], encounter=None,
            requester=doctor, by=doctor.user, now=asked,
        )  # fmt: skip
        held = booking.hold_one(
            request=request, device=device, start=start, channel="consult", by=doctor.user, basket=None, now=asked
        )
        booking.confirm(booking=held, by=doctor.user, now=asked)
        came = start - timedelta(minutes=12)
        visit.check_in(
            booking=held, answers=_answers(variant, patient, now=came, at_check_in=True), by=centre, now=came
        )
        visit.start(booking=held, by=centre, now=start)
        done = visit.finish(booking=held, by=centre, now=start + timedelta(minutes=variant.minutes))
        says = reports.Says(
            findings="双肺纹理清晰，未见实质性病变；心影大小、形态正常。", conclusion="胸部正位片未见明显异常。",
            measurements=[Measured("心胸比", "0.46", "", "0.30", "0.50")],
        )  # fmt: skip
        written = start + timedelta(minutes=50)
        version = reports.register(booking=done, says=says, by=centre, now=written)
        reports.release(version=version, by=doctor.user, now=written + timedelta(minutes=20))
    except Refused:
        return
