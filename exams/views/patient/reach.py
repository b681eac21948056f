"""Whose exams an account may open, and what stands in the way of booking."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest

from appointments.models.rules import Channel
from appointments.views.bookings.reach import lacks_consent
from exams.models import ExamBooking, ExamRequest
from exams.policies import booking as core
from exams.policies import screening
from exams.policies import self_service as policy
from exams.selectors import around, mine, standing
from exams.selectors.my_questions import questions_ahead
from exams.services.self_service import held_of
from hospital.errors import Refused
from hospital.models import RelatedPerson, User


def own_booking(request: HttpRequest, pk: int) -> ExamBooking:
    """One of the account's people's exams. Anybody else's does not exist, whatever its number."""
    row = mine.bookings_of(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def own_request(request: HttpRequest, pk: int) -> ExamRequest:
    row = mine.requests_of(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@dataclass(frozen=True)
class Way:
    """What stands between an account and a time for these requests of one person."""

    requests: list[ExamRequest]
    stop: Refused | None  # nothing to be done on the phone
    consent: RelatedPerson | None  # whose notices must be agreed to first (O4)
    questions: list
    verdict: screening.Verdict
    unfit: Refused | None  # what the answers given so far mean

    @property
    def first(self) -> ExamRequest:
        return self.requests[0]

    @property
    def answers(self) -> dict[str, str]:
        return {code: said for each in self.requests for code, said in each.answers.items()}

    @property
    def open(self) -> bool:
        return self.stop is None and self.consent is None and self.unfit is None


def way_of(requests: list[ExamRequest], *, account: User, now: datetime) -> Way:
    held = held_of(requests)
    refusals = (policy.refusal_to_book(each, held=each.pk in held) for each in requests)
    stop = next((refusal for refusal in refusals if refusal), None)
    person, house = requests[0].patient, requests[0].organization_id
    stop = stop or standing.refusal_to_book_alone(person.pk, house, now=now)
    questions = questions_ahead(requests, now=now)
    answers = {code: said for each in requests for code, said in each.answers.items()}
    done = around.done_items(person.pk, now=now) if any(each.answers for each in requests) else set()
    verdict = screening.judge(questions, answers)
    fits = (core.refusal_by_answers(each, verdict=verdict, channel=Channel.WEB, done_items=done) for each in requests)
    return Way(
        requests=requests,
        stop=stop,
        consent=lacks_consent(requests[0], account=account, now=now),
        questions=questions,
        verdict=verdict,
        unfit=next((refusal for refusal in fits if refusal), None),
    )
