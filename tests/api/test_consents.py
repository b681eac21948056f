"""O4: a program books for its account's people only with the consents that the pages ask for."""

from datetime import date, timedelta

import pytest

from hospital import clock, consents, tokens
from hospital.models import AccountRule, Notice
from tests.api.conftest import Program, issue
from tests.factories import NOW, TODAY, PatientFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db


def publish(kind, *, version=1, on=TODAY):
    words = {"title": kind, "title_en": kind, "text": kind, "text_en": kind}
    return Notice.objects.create(kind=kind, version=version, published_on=on, **words)


@pytest.fixture
def book(program, patient):
    schedule = open_schedule(numbers=5)

    def send():
        answer = program.post(f"/schedules/{schedule.pk}/appointments/", {"patient": patient.pk})
        return answer.status_code, answer.json().get("code")

    return send


def test_a_booking_waits_for_consent_and_a_withdrawal_ends_it(book, account, patient):
    privacy, health = publish("privacy"), publish("health")

    assert book() == (409, "consent_needed")
    consents.give(account=account, notice=privacy, now=NOW)
    assert book() == (409, "consent_needed")
    given = consents.give(account=account, notice=health, patient=patient, now=NOW)
    assert book() == (201, None)
    consents.withdraw(consent=given, now=NOW)
    assert book() == (409, "consent_needed")


def test_a_hospitals_own_programme_has_asked_the_patient_itself(stopped_clock, account, patient):
    publish("health")
    secret = issue(account, "book_anyone")

    assert not tokens.bearer(f"Bearer {secret}", patient_id=patient.pk, now=NOW).lacks_consent


BIRTHS = [None, date(1959, 3, 1), date(2012, 11, 23), date(2012, 11, 24), date(2026, 1, 1)]


@pytest.mark.parametrize("birth", BIRTHS, ids=str)
@pytest.mark.parametrize("guarded", [None, 8])
def test_the_look_up_says_what_the_pages_say(account, stopped_clock, birth, guarded):
    """In every order of giving, for grown-ups and children, with old, current and coming versions."""
    if guarded:
        AccountRule.objects.create(effective_from=TODAY, guarded_until=guarded)
        AccountRule.objects.create(effective_from=TODAY + timedelta(days=1), guarded_until=18)  # not yet
    patient, other = PatientFactory(account=account, birth_date=birth), PatientFactory(account=account)
    secret = issue(account, "book")
    privacy, child = publish("privacy"), publish("child")
    old, health = publish("health", on=TODAY - timedelta(days=9)), publish("health", version=2)
    publish("health", version=3, on=TODAY + timedelta(days=1))

    def agree():
        said = tokens.bearer(f"Bearer {secret}", patient_id=patient.pk, now=NOW).lacks_consent
        pages = bool(consents.missing(account, patient, NOW) or consents.privacy_missing(account, NOW))
        assert said == pages
        return not said

    assert not agree()
    for notice, whose in ((privacy, None), (health, other), (health, patient), (child, patient)):
        consents.give(account=account, notice=notice, patient=whose, now=clock.now())
        done = agree()
    assert done
    assert old.version == 1


def test_a_hold_is_confirmed_and_moved_with_consent_and_given_up_without(program, account, patient):
    """O4: consent taken back after the hold was made."""
    schedule = open_schedule(numbers=5)
    path = f"/schedules/{schedule.pk}/appointments/"
    row = program.post(path, {"patient": patient.pk}).json()["appointment"]
    health = publish("health")
    verbs = {"confirm": {}, "reschedule": {"schedule": schedule.pk, "number": 3}}

    def sent(verb):
        answer = program.post(f"/appointments/{row}/{verb}/", verbs.get(verb, {}))
        return answer.status_code, answer.json().get("code")

    assert [sent(verb) for verb in verbs] == [(409, "consent_needed")] * 2
    given = consents.give(account=account, notice=health, patient=patient, now=NOW)
    assert [sent(verb) for verb in verbs] == [(200, None)] * 2
    consents.withdraw(consent=given, now=NOW)
    assert sent("cancel") == (200, None)


def test_the_accounts_people_and_bookings_are_shown_after_the_privacy_notice(program, account, patient):
    """O4: as its pages are. What is public stays so."""
    row = appointment_row(open_schedule(numbers=5), patient)
    publish("health")
    privacy = publish("privacy")
    own = ["/patients/", "/appointments/", f"/appointments/{row.pk}/"]

    answers = [program.get(path) for path in own]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(409, "consent_needed")] * 3
    assert program.get("/departments/").status_code == 200
    consents.give(account=account, notice=privacy, now=NOW)
    assert [program.get(path).status_code for path in own] == [200] * 3


def test_the_hospitals_own_programme_reads_and_confirms_without(stopped_clock, account, patient):
    publish("privacy")
    publish("health")
    house, schedule = Program(issue(account, "book_anyone")), open_schedule(numbers=5)
    row = house.post(f"/schedules/{schedule.pk}/appointments/", {"patient": patient.pk}).json()["appointment"]

    assert house.get("/appointments/", {"patient": patient.pk}).status_code == 200
    assert house.post(f"/appointments/{row}/confirm/").status_code == 200
