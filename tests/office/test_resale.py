"""P11: numbers given back and taken again within minutes by the same operator, phone or address are listed."""

from datetime import timedelta
from itertools import count

import pytest

from appointments.models import Appointment, BookingRule
from hospital import outbox
from hospital.models import AccountPhone, AuditEvent, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db

PAGE = "/office/resale/"
BACK = NOW - timedelta(hours=2)


numbers = count(13900000001)


def stranger(**fields):
    return PatientFactory(**{"phone": str(next(numbers)), **fields})


def given_back(schedule, *, by, patient=None, number=1, at=BACK, **fields) -> Appointment:
    row = appointment_row(schedule, patient or stranger(), number=number, status="cancelled", cancelled_at=at, **fields)
    row.slot.status = "free"
    row.slot.save()
    key, payload = f"appointment:{row.pk}", {"appointment": row.pk}
    outbox.publish(topic="appointment.cancelled", key=key, payload=payload, actor=by, now=at)
    return row


def taken_again(before, *, by, patient=None, minutes=4, **fields) -> Appointment:
    at = before.cancelled_at + timedelta(minutes=minutes)
    return appointment_row(
        before.schedule,
        patient or stranger(),
        number=before.slot.number,
        **{"created_at": at, "confirmed_at": at, "by": by, **fields},
    )


def listed(client, **asked) -> list[tuple[int, int, tuple]]:
    response = client.get(PAGE, asked)
    assert response.status_code == 200
    return [(c.gave.pk, c.took.pk, c.reasons) for c in response.context["page"].clues]


def test_the_same_operator_who_takes_a_number_again_for_another_is_listed(office):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk, channel="counter")
    after = taken_again(before, by=clerk, channel="counter")

    assert listed(office) == [(before.pk, after.pk, ("operator",))]


def test_who_takes_back_a_number_for_the_same_patient_sells_nothing(office):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk)
    taken_again(before, by=clerk, patient=before.patient)

    assert listed(office) == []


def test_two_operators_and_two_phones_are_no_clue(office):
    taken_again(given_back(open_schedule(), by=UserFactory()), by=UserFactory())

    assert listed(office) == []


def test_the_same_phone_of_two_patients_is_a_clue_and_is_never_shown(office):
    one, other = (PatientFactory(name=name, phone="13912345678") for name in ("周志明", "李秀英"))
    before = given_back(open_schedule(), by=UserFactory(), patient=one)
    after = taken_again(before, by=UserFactory(), patient=other)

    assert listed(office) == [(before.pk, after.pk, ("phone",))]
    page = office.get(PAGE).content.decode()
    assert "13912345678" not in page
    assert "周志明" not in page
    assert "周*明 139****5678" in page
    assert "李*英 139****5678" in page


def test_the_phone_that_an_account_signs_in_with_counts_too(office):
    account = AccountFactory(phone="13912345678")
    before = given_back(open_schedule(), by=UserFactory(), patient=PatientFactory(phone="13912345678"))
    after = taken_again(before, by=account)
    assert AccountPhone.objects.filter(user=account).exists()

    assert listed(office) == [(before.pk, after.pk, ("phone",))]


@pytest.mark.parametrize(("address", "reasons"), [("10.1.2.3", [("address",)]), ("10.9.9.9", [])])
def test_two_accounts_at_one_address_are_a_clue(office, address, reasons):
    one, other = AccountFactory(), AccountFactory()
    for user, seen_at in ((one, "10.1.2.3"), (other, address)):
        event = {"actor": user, "address": seen_at, "at": BACK - timedelta(hours=1)}
        AuditEvent.objects.create(action="account.signed_in", **event)
    taken_again(given_back(open_schedule(), by=one), by=other)

    assert [clue[2] for clue in listed(office)] == reasons


def test_two_windows_of_the_house_share_an_address_and_that_says_nothing(office):
    one, other = StaffFactory(roles="counter"), StaffFactory(roles="counter")
    for user in (one, other):
        AuditEvent.objects.create(action="account.signed_in", actor=user, address="10.1.2.3", at=BACK)
    taken_again(given_back(open_schedule(), by=one, channel="counter"), by=other, channel="counter")

    assert listed(office) == []


@pytest.mark.parametrize(("minutes", "found"), [(10, 1), (11, 0)])
def test_ten_minutes_are_the_default(office, minutes, found):
    clerk = StaffFactory(roles="counter")
    taken_again(given_back(open_schedule(), by=clerk), by=clerk, minutes=minutes)

    assert len(listed(office)) == found


@pytest.mark.parametrize(("minutes", "found"), [(30, 1), (31, 0)])
def test_how_many_minutes_is_a_rule_of_the_department(office, minutes, found):
    clerk, schedule = StaffFactory(roles="counter"), open_schedule()
    BookingRule.objects.create(
        organization=schedule.organization,
        department=schedule.department,
        effective_from=TODAY - timedelta(days=9),
        resale_minutes=30,
    )
    taken_again(given_back(schedule, by=clerk), by=clerk, minutes=minutes)

    assert len(listed(office)) == found


def test_another_departments_minutes_are_not_ours(office):
    clerk, schedule = StaffFactory(roles="counter"), open_schedule()
    elsewhere = DepartmentFactory(name="眼科")
    since = {"organization": schedule.organization, "effective_from": TODAY - timedelta(days=9)}
    BookingRule.objects.create(**since, department=elsewhere, resale_minutes=60)
    taken_again(given_back(schedule, by=clerk), by=clerk, minutes=15)

    assert listed(office) == []


def test_a_number_that_was_given_back_again_still_tells(office):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk)
    middle, again = taken_again(before, by=clerk, minutes=2), BACK + timedelta(minutes=3)
    Appointment.objects.filter(pk=middle.pk).update(status="cancelled", cancelled_at=again)
    key = f"appointment:{middle.pk}"
    outbox.publish(topic="appointment.cancelled", key=key, payload={}, actor=clerk, now=again)
    last = taken_again(before, by=clerk, minutes=5)

    assert [clue[:2] for clue in listed(office)] == [
        (middle.pk, last.pk),
        (before.pk, last.pk),
        (before.pk, middle.pk),
    ]


def test_a_hold_that_nobody_confirmed_gave_nothing_back(office):
    clerk = StaffFactory(roles="counter")
    taken_again(given_back(open_schedule(), by=clerk, confirmed_at=None), by=clerk)

    assert listed(office) == []


def test_one_family_is_said_so(office):
    account = AccountFactory()
    mother, child = stranger(), stranger()
    for person in (mother, child):
        RelatedPersonFactory(account=account, patient=person)
    taken_again(given_back(open_schedule(), by=account, patient=mother), by=account, patient=child)

    [line] = office.get(PAGE).context["lines"]
    assert line["clue"].family
    assert "同一账号的家人" in office.get(PAGE).content.decode()


def test_what_was_found_out_stays_with_the_pair_as_an_audit_event(office):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk)
    after = taken_again(before, by=clerk)

    sent = {"gave": before.pk, "took": after.pk, "note": "同一家人换人就诊"}
    response = office.post(f"{PAGE}seen/?reason=operator", sent, follow=True)

    assert response.redirect_chain == [(f"{PAGE}?reason=operator", 302)]
    event = AuditEvent.objects.get(action="resale.seen")
    assert (event.actor, event.subject) == (office.user, f"appointment:{after.pk}")
    assert event.detail == {"gave": before.pk, "note": "同一家人换人就诊"}
    assert "同一家人换人就诊" in response.content.decode()
    assert listed(office, unseen="1") == []


def test_nothing_is_noted_without_a_word_or_about_what_is_no_clue(office):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk)
    after = taken_again(before, by=clerk)
    other = appointment_row(open_schedule(), PatientFactory())

    empty = office.post(f"{PAGE}seen/", {"gave": before.pk, "took": after.pk, "note": "  "})
    assert empty.status_code == 422
    assert "请写一句核实结果" in empty.content.decode()
    for sent in ({"gave": before.pk, "took": other.pk}, {"gave": other.pk, "took": after.pk}):
        assert office.post(f"{PAGE}seen/", {**sent, "note": "x"}).status_code == 404
    for odd in ({}, {"gave": "x", "took": 2**70, "note": "x"}):
        assert office.post(f"{PAGE}seen/", odd).status_code == 422
    assert not AuditEvent.objects.filter(action="resale.seen").exists()


def test_an_auditor_reads_and_can_not_note(client):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk)
    after = taken_again(before, by=clerk)
    client.force_login(StaffFactory(roles="auditor"))

    page = client.get(PAGE)
    assert [clue.took.pk for clue in page.context["page"].clues] == [after.pk]
    assert "seen/" not in page.content.decode()
    sent = {"gave": before.pk, "took": after.pk, "note": "x"}
    assert client.post(f"{PAGE}seen/", sent).status_code == 403


def test_the_office_of_one_department_sees_and_notes_its_own(client):
    clerk = StaffFactory(roles="counter")
    before = given_back(open_schedule(), by=clerk)
    after = taken_again(before, by=clerk)
    user, house = StaffFactory(), OrganizationFactory()
    RoleAssignment.objects.create(user=user, role="office", organization=house, department=DepartmentFactory())
    client.force_login(user)

    assert listed(client) == []
    sent = {"gave": before.pk, "took": after.pk, "note": "x"}
    assert client.post(f"{PAGE}seen/", sent).status_code == 404


def test_pages_follow_each_other_without_a_gap_and_the_queries_do_not_grow(office, django_assert_max_num_queries):
    clerk = StaffFactory(roles="counter")
    schedule = open_schedule(numbers=60, minutes=1)
    for n in range(1, 61):
        taken_again(given_back(schedule, by=clerk, number=n, at=BACK + timedelta(seconds=n // 2)), by=clerk)

    with django_assert_max_num_queries(17):
        first = office.get(PAGE)
    second = office.get(PAGE, {"after": first.context["next"]})

    numbers = [c.gave.slot.number for page in (first, second) for c in page.context["page"].clues]
    assert numbers == list(range(60, 0, -1))
    assert second.context["next"] == ""


@pytest.mark.parametrize(
    "odd", [{"first": "x", "last": "2026-13-01"}, {"after": "1-2"}, {"after": "9" * 16 + "-1-1"}, {"reason": "x"},
            {"first": "2026-12-01", "last": "2020-01-01"}, {"first": "0001-01-01", "last": "0001-01-01"},
            {"last": "9999-12-31"}]
)  # fmt: skip
def test_odd_filters_are_as_if_they_were_not_there(office, odd):
    assert office.get(PAGE, odd).status_code == 200


def test_looking_leaves_a_trace_of_how_many(office):
    office.get(PAGE)
    assert AuditEvent.objects.get(action="resale.listed").detail == {"clues": 0}
