"""Another's patient or booking by guessed id: the whole address table, walked by a stranger (B16, O4)."""

import itertools
import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import URLPattern, get_resolver

from appointments.models import Appointment, WaitlistEntry
from appointments.services import booking
from exams.models import DiagnosticReport, ExamBooking, ExamRequest
from hospital.models import (
    Agreement,
    ApiToken,
    AuditEvent,
    DataRequest,
    DuplicateSuspect,
    Patient,
    RelatedPerson,
    SignedResident,
)
from referrals.models import (
    AdmissionNeed,
    AdmissionRequest,
    Attachment,
    CarePlan,
    FollowUp,
    GreenCall,
    Referral,
    ReferralEvent,
)
from tests.factories import (
    NOW,
    AccountFactory,
    EncounterFactory,
    ExamRequestFactory,
    IdentifierFactory,
    PatientFactory,
    ReferralFactory,
    RelatedPersonFactory,
    StaffFactory,
    UserFactory,
    exam_booking_row,
    exam_variant,
    open_schedule,
)

pytestmark = pytest.mark.django_db

REFERRED = (
    "胰头占位", "黄疸三周", "利伐沙班", "碘过敏", "CA199 升高", "转诊来信.pdf", "康复锻炼计划", "腹痛加重",
    "根治手术", "夜间出血",
)  # fmt: skip
"""What one institution wrote to another about that person."""

SECRETS = (
    "欧阳望舒", "ouyangwangshu", "13900001234", "1390****1234", "139****1234", "002X", "M99999123",
    "肝囊肿", "甲状腺超声", *REFERRED,
)  # fmt: skip
"""Of the person whose ids are guessed: none of it may stand in any answer."""


def addresses(patterns=None, prefix=""):
    """(view, name, template of the path, converters) of every address outside the admin."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if getattr(pattern, "app_name", "") == "admin":
            continue
        here = prefix + (getattr(pattern.pattern, "_route", None) or readable(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield pattern.name, here
        else:
            yield from addresses(pattern.url_patterns, here)


def readable(pattern) -> str:
    """A regular expression as the path of its first alternative."""
    text = re.sub(r"\(\?P<(\w+)>\\d\+\)", r"<int:\1>", pattern.regex.pattern)
    return re.sub(r"\(\?P<\w+>(\w+)(\|\w+)+\)", r"\1", text).strip("^$\\Z")


WALK = sorted((name, route) for name, route in addresses() if name)
WITH_IDS = [(name, route) for name, route in WALK if "<" in route]


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def victim(django_db_setup, django_db_blocker):
    """One for all the walks; what a walk changes is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(NOW, tick=False):
            ids = somebody_with_everything()
        yield ids
        transaction.set_rollback(True)


def somebody_with_everything() -> dict[str, int]:
    """Somebody with a family, bookings in every state, a request and a visit."""
    account = AccountFactory(phone="13900001234")
    patient = PatientFactory(pk=4_000_001,  # no booking's number: a cashier may look up a patient of the house
                             name="欧阳望舒", pinyin="ouyangwangshu", initials="oyws", medical_number="M99999123",
                             phone="13900001234")  # fmt: skip
    IdentifierFactory(patient=patient)
    binding = RelatedPersonFactory(account=account, patient=patient)
    booked, held = (
        booking.book(
            schedule=open_schedule(),
            patient=patient,
            channel="app",
            by=account,
            request_key=None,
            confirmed=sure,
            now=NOW,
        )  # fmt: skip
        for sure in (True, False)
    )
    DataRequest.objects.create(account=account, kind="erasure", asked_at=NOW)
    wait = WaitlistEntry.objects.create(
        schedule=booked.schedule, patient=patient, by=account, channel="app", seat=1, most=3, joined_at=NOW,
        closes_at=NOW + timedelta(days=1),
    )  # fmt: skip
    somebodys_exams(patient, asked=booked.pk, held=held.pk)
    somebodys_referrals(patient, asked=booked.pk, held=held.pk)
    return {"account": account.pk, "patient": patient.pk, "binding": binding.pk, "booked": booked.pk, "held": held.pk,
            "wait": wait.pk}  # fmt: skip


def somebodys_exams(patient, *, asked: int, held: int) -> None:
    """A booked exam with a report, and one that is to be booked, under numbers that are walked anyway."""
    variant = exam_variant(name="甲状腺超声")
    row = exam_booking_row(request=ExamRequestFactory(pk=asked, patient=patient, variant=variant), pk=asked)
    ExamRequestFactory(pk=held, patient=patient, variant=variant)
    report = DiagnosticReport.objects.create(
        pk=asked, organization=row.request.organization, patient=patient, variant=variant, booking=row, performed_at=NOW
    )
    version = report.versions.create(
        number=1, conclusion="肝囊肿", by=UserFactory(), written_at=NOW, released_at=NOW, released_by=UserFactory()
    )
    DiagnosticReport.objects.filter(pk=report.pk).update(status="released", current=version, released_at=NOW)


def somebodys_referrals(patient, *, asked: int, held: int) -> None:
    """One up with what was attached, one down with its plan; an admission to come; a record that may be a double."""
    EncounterFactory(pk=asked, appointment=Appointment.objects.get(pk=asked))
    up = ReferralFactory(
        pk=asked, patient=patient, reason="黄疸三周", diagnosis="胰头占位", history="黄疸三周", medication="利伐沙班",
        allergies="碘过敏", results="CA199 升高", urgency="green",
    )  # fmt: skip
    GreenCall.objects.create(pk=asked, referral=up, rung_at=NOW, due_at=NOW, note="夜间出血")
    Attachment.objects.create(
        pk=asked, referral=up, name="转诊来信.pdf", kind="application/pdf", size=9, digest="d" * 64,
        file="2026/11/x.pdf", organization=up.origin, by=up.by, added_at=NOW,
    )  # fmt: skip
    down = ReferralFactory(
        pk=held, patient=patient, direction="down", origin=up.receiver, receiver=up.origin, diagnosis="胰头占位"
    )
    CarePlan.objects.create(
        pk=held, referral=down, medication="利伐沙班", rehabilitation="康复锻炼计划", warning_signs="腹痛加重",
        follow_up_on=NOW.date(), follow_up_at=up.origin,
    )  # fmt: skip
    FollowUp.objects.create(
        pk=asked, referral=down, patient=patient, organization=up.origin, due_on=NOW.date(), text="腹痛加重"
    )
    AdmissionRequest.objects.create(
        pk=asked, organization=up.receiver, patient=patient, department=up.department, kind="ward", by=up.by,
        diagnosis="胰头占位", purpose="根治手术", wished_from=NOW.date(), asked_at=NOW,
    )  # fmt: skip
    AdmissionNeed.objects.create(pk=asked, request_id=asked, kind="other", text="夜间出血")
    twin = PatientFactory(pk=patient.pk + 1, name="欧阳望舒", pinyin="ouyangwangshu", initials="oyws")
    DuplicateSuspect.objects.create(pk=asked, first=patient, second=twin, why=["name_birth"], found_at=NOW)
    SignedResident.objects.create(
        pk=asked, patient=patient, organization=up.origin, effective_from=NOW.date(), effective_to=NOW.date()
    )
    Agreement.objects.create(pk=asked, hospital=up.receiver, member=up.origin, effective_from=NOW.date())


def filled(route: str, ids: list[int]):
    """The path with each combination of the guessed ids; words get a word."""
    places = re.findall(r"<(?:(\w+):)?(\w+)>", route)
    words = {"uuid": [str(uuid.uuid4())], "slug": ["accept", "withdraw"], "int": ids}
    choices = [words.get(kind, ["health"]) for kind, _name in places]
    for values in itertools.product(*choices):
        path = route
        for (kind, name), value in zip(places, values, strict=True):
            path = path.replace(f"<{kind}:{name}>" if kind else f"<{name}>", str(value))
        yield f"/{path}"


def state():
    """What a stranger must not have changed."""
    return (
        list(Appointment.objects.order_by("pk").values_list("pk", "status", "slot_id")),
        list(RelatedPerson.objects.order_by("pk").values_list("pk", "ended_at", "relation")),
        list(WaitlistEntry.objects.order_by("pk").values_list("pk", "status")),
        list(DataRequest.objects.order_by("pk").values_list("pk", "status")),
        list(ExamBooking.objects.order_by("pk").values_list("pk", "status", "during")),
        list(ExamRequest.objects.order_by("pk").values_list("pk", "status", "answers")),
        list(Referral.objects.order_by("pk").values_list("pk", "status", "appointment", "department")),
        list(ReferralEvent.objects.order_by("pk").values_list("pk", flat=True)),
        list(Attachment.objects.order_by("pk").values_list("pk", "removed_at")),
        list(FollowUp.objects.order_by("pk").values_list("pk", "done_at", "tries")),
        list(GreenCall.objects.order_by("pk").values_list("pk", "acknowledged_at", "state")),
        list(AdmissionRequest.objects.order_by("pk").values_list("pk", "status", "scheduled_on")),
        list(AdmissionNeed.objects.order_by("pk").values_list("pk", "done_at")),
        list(SignedResident.objects.order_by("pk").values_list("pk", "effective_to")),
        list(Agreement.objects.order_by("pk").values_list("pk", "effective_to")),
        list(DuplicateSuspect.objects.order_by("pk").values_list("pk", "status")),
        list(Patient.objects.order_by("pk").values_list("pk", "active", "phone_hash", "name")),
    )


def told(response) -> list[str]:
    """What an answer gives away."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = body.decode(errors="replace") + response.headers.get("Location", "")
    return [secret for secret in SECRETS if secret in text]


VERBS = ("get", "post")
OF_PROGRAMS = (*VERBS, "put", "delete")


def knock(client, path: str, **more):
    """Every verb. No answer may be an error of ours, give something away, or let in."""
    answers = []
    for verb in OF_PROGRAMS if path.startswith("/api/") else VERBS:
        response = getattr(client, verb)(path, {}, **more)
        assert response.status_code < 500 or response.status_code == 503, (verb, path, response.status_code)
        assert told(response) == [], (verb, path)
        answers.append(response.status_code)
    return answers


def test_the_walk_knows_the_addresses_of_patients():
    names = {name for name, _route in WITH_IDS}
    assert {"booking", "booking_cancel", "booking_change", "booking_calendar", "family_member", "waiting"} <= names
    assert {"my_exam", "my_exam_request", "my_exam_move", "my_exam_cancel", "my_exams_together", "my_report"} <= names


@pytest.mark.parametrize(("name", "route"), WITH_IDS, ids=[name for name, _route in WITH_IDS])
def test_another_patients_account_finds_nothing_behind_a_guessed_id(client, victim, name, route):
    stranger = AccountFactory()
    own = RelatedPersonFactory(account=stranger)
    client.force_login(stranger)
    before = state()

    for path in filled(route, sorted(set(victim.values()) - {own.pk, own.patient_id, stranger.pk})):
        answers = knock(client, path)
        if re.match(r"(booking|family|consent|waiting|my_exam|my_report)", name):
            assert set(answers) <= {302, 403, 404, 405}, (path, answers)
            assert 404 in answers or 302 in answers, (path, answers)

    assert state() == before


@pytest.mark.parametrize(("name", "route"), WITH_IDS, ids=[name for name, _route in WITH_IDS])
def test_nobody_signed_in_finds_nothing_behind_a_guessed_id(client, victim, name, route):
    before = state()
    for path in filled(route, sorted({victim["patient"], victim["booked"]})):
        knock(client, path)
    assert state() == before


API = [(name, route) for name, route in WITH_IDS if route.startswith("api/") and "integration" not in route]


@pytest.mark.parametrize(("name", "route"), API, ids=[name for name, _route in API])
def test_another_accounts_token_finds_nothing_behind_a_guessed_id(client, victim, name, route):
    stranger = AccountFactory()
    _token, secret = ApiToken.issue(
        name="theirs", user=stranger, channel="app", scopes=["read", "book"], expires_at=NOW + timedelta(days=3650)
    )
    before = state()
    for path in filled(route, sorted(set(victim.values()))):
        knock(
            client,
            path,
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": str(uuid.uuid4())},
        )
    assert state() == before


@pytest.mark.parametrize(("name", "route"), WALK, ids=[name for name, _route in WALK])
def test_no_list_of_another_account_shows_the_person(client, victim, name, route):
    """Addresses without ids: own lists stay own; nothing breaks without a word of input."""
    if "<" in route or name == "account_logout":
        return
    client.force_login(AccountFactory())
    knock(client, f"/{route}")


def test_a_member_of_staff_without_the_role_finds_nothing_either(client, victim):
    client.force_login(StaffFactory(roles="cashier"))
    seen = AuditEvent.objects.count()
    for _name, route in WITH_IDS:
        for path in filled(route, [victim["booked"]]):
            knock(client, path)
    assert AuditEvent.objects.count() >= seen
