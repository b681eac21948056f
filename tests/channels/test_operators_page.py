"""代约 (B5, B7): found, identified, booked; what another may see of it is nothing."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest

from appointments.models import Appointment
from appointments.services.defaults import ensure_defaults
from hospital.models import AuditEvent, Patient, PriceItem, RoleAssignment
from tests.booking.acts import take
from tests.channels.calling import book, identified, opened, slot_of, text
from tests.channels.conftest import DOCUMENT, WEDNESDAY
from tests.factories import (
    NOW,
    TODAY,
    RoleFactory,
    ServiceFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)
from tests.factories.billing import pays_first

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "results"}


# ---- finding and asking ----


def test_a_search_while_typing_is_masked_and_leaves_a_trace_without_the_text(operator, patient):
    answer = text(operator.post("/phone/", {"q": "zzm"}, **HTMX))

    assert "周*明" in answer
    assert "周志明" not in answer
    assert "<html" not in answer
    [event] = AuditEvent.objects.all()
    assert (event.action, event.detail) == ("patient.searched.phone", {"by": "pinyin", "shown": [patient.pk]})


def test_nothing_is_shown_before_the_caller_is_identified_and_that_is_on_the_trail(operator, patient, clinic):
    take(clinic, patient, channel="web", confirmed=True)
    call = opened(operator)

    page = text(operator.get(call))
    assert "周*明" in page
    assert "002X" in page
    assert "周志明" not in page
    assert "心血管内科" not in page
    assert "王建国" not in page
    for act in ("book/", f"cancel/{Appointment.objects.get().pk}/"):
        assert operator.post(call + act, {"slot": slot_of(clinic, 5), "request_key": uuid4()}).status_code == 404

    page = text(operator.get(operator.post(call + "identified/").url))
    assert "周志明" in page
    assert "王建国" in page
    actions = list(AuditEvent.objects.filter(patient=patient).values_list("action", flat=True).order_by("pk"))
    assert actions == ["patient.identified", "patient.seen.phone"]


def test_an_address_opens_nothing_for_another_account_or_when_made_up(operator, client, patient):
    call = identified(operator)
    assert operator.get(call).status_code == 200
    client.force_login(StaffFactory(roles="phone"))

    assert client.get(call).status_code == 404
    assert client.get(f"/phone/{patient.pk}/").status_code == 404
    assert client.get(call[:-3] + "xx/").status_code == 404


@pytest.mark.parametrize("roles", ["doctor", "triage", "office", "kiosk", "auditor"])
def test_who_does_not_book_for_others_stays_outside(client, roles):
    client.force_login(StaffFactory(roles=roles))
    assert client.get("/phone/").status_code == 403


def test_somebody_new_is_registered_in_place_and_goes_on_at_once(operator):
    page = text(operator.post("/phone/new/", {"q": "欧阳修"}))
    assert 'value="欧阳修"' in page
    assert "已核对证件原件" not in page

    said = {"name": "欧阳修", "kind": "id_card", "number": "440524188001010014", "phone": "13900136210"}
    wrong = operator.post("/phone/new/", said | {"number": "440524188001010015"})
    assert wrong.status_code == 422
    assert "校验位不符" in text(wrong)
    assert 'value="欧阳修"' in text(wrong)
    call = operator.post("/phone/new/", said).url

    assert "欧阳修" in text(operator.get(call))
    assert Patient.objects.get().identifiers.get().seen_at is None


def test_a_document_that_is_known_leads_to_its_record_masked(operator, patient):
    said = {"name": "周某", "kind": "id_card", "number": DOCUMENT}
    answer = operator.post("/phone/new/", said)

    [address] = re.findall(r'href="(/phone/[^"/]{30,}/)"', text(answer))
    assert answer.status_code == 422
    assert "周*明" in text(operator.get(address))


# ---- booking ----


def test_the_doctor_whom_the_patient_had_is_offered_first_with_his_next_times(operator, patient, clinic, wang):
    before = open_schedule(role=wang, day=TODAY - timedelta(days=30), numbers=2)
    appointment_row(before, patient, status="fulfilled")

    page = text(operator.get(identified(operator)))

    assert f'at=role-{wang.pk}"' in page
    assert "上次" in page
    assert len(re.findall(r'class="slice[ "]', page)) == 8  # half-hours of ten numbers, 24 minutes each
    assert "08:30–09:00 余1" in page


def test_a_number_is_booked_confirmed_and_read_out(operator, patient, clinic):
    """B7: channel, account, opening and confirmation stay on the row; the receipt says what to read to the caller."""
    call = identified(operator)
    done = book(operator, call, clinic)
    row = Appointment.objects.get()

    assert (row.channel, row.by, row.status, row.self_service) == ("phone", operator.user, "booked", True)
    assert row.opened_at == NOW.replace(microsecond=0)
    assert row.partner is None
    page = text(operator.get(done.url))
    assert "念给来电人" in page
    assert "周志明，您约好了11月25日 周三 08:00" in page
    assert "1号" in page
    assert "11月24日 15:00前退号" in page


def test_the_words_to_read_out_say_the_numbers_own_time_as_the_message_does(operator, patient, clinic):
    """B7: 08:10, though the slice begins at 08:00."""
    call = identified(operator)
    done = book(operator, call, clinic)
    row = Appointment.objects.get()
    start = row.start + timedelta(minutes=10)
    Appointment.objects.filter(pk=row.pk).update(start=start)

    assert "您约好了11月25日 周三 08:10" in text(operator.get(done.url))


def test_pressed_twice_it_is_one(operator, patient, clinic):
    call, key = identified(operator), uuid4()
    first, second = (book(operator, call, clinic, request_key=key) for _each in range(2))

    assert first.url == second.url
    assert Appointment.objects.count() == 1


def test_a_refusal_stands_above_fresh_times(operator, patient, clinic):
    call = identified(operator)
    book(operator, call, clinic)
    again = operator.post(
        f"{call}book/",
        {"slot": slot_of(clinic, 6), "request_key": uuid4(), "at": f"role-{clinic.role_id}"},
    )

    assert again.status_code == 409
    assert "同一天同一科室已有预约。" in text(again)
    assert 'class="slice' in text(again)


def test_a_booking_is_moved_and_given_back_from_the_same_screen(operator, patient, clinic, wang):
    later = open_schedule(role=wang, day=WEDNESDAY + timedelta(days=1), numbers=3)
    row = take(clinic, patient, channel="web", confirmed=True)
    call = identified(operator)

    assert "正在改约" in text(operator.get(f"{call}?move={row.pk}"))
    book(operator, call, later, move=row.pk)
    row.refresh_from_db()
    assert row.schedule == later

    operator.post(f"{call}cancel/{row.pk}/", {"request_key": uuid4(), "reason": "不来了"})
    row.refresh_from_db()
    assert (row.status, row.note) == ("cancelled", "不来了")


def test_the_caller_hears_what_a_move_to_a_dearer_doctor_costs(operator, patient, clinic, wang):
    pays_first()
    dear = ServiceFactory(code="s50", name="专家门诊", price_code="P50")
    later = open_schedule(role=wang, service=dear, day=WEDNESDAY + timedelta(days=1), numbers=3)
    PriceItem.objects.create(
        organization=later.organization, code="P50", name="专家", amount=50, effective_from=date(2020, 1, 1)
    )
    row = take(clinic, patient, channel="phone", confirmed=True)
    call = identified(operator)
    said = text(operator.get(book(operator, call, later, move=row.pk).url))
    assert "新号 ¥50.00，原来 ¥20.00：已经付过费的，还要补缴 ¥30.00" in said


BROKEN = ("", "x", "1@", "1@2026-11-25", "1@2026-11-25T08:00:00", "9" * 30 + "@2026-11-25T00:00:00+00:00")


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_slice_books_nothing_and_breaks_nothing(operator, patient, clinic, broken):
    call = identified(operator)
    answer = operator.post(f"{call}book/", {"slot": broken, "request_key": uuid4()})
    assert answer.status_code in {302, 404}
    look = {"slot": broken, "at": "role-999999999", "day": "0001-01-01", "since": "9999-12-31", "move": "-3"}
    assert operator.get(call, look).status_code == 200
    assert not Appointment.objects.exists()


def test_places_are_found_by_initials_of_department_doctor_and_team(operator, patient, wang, clinic):
    call = identified(operator)
    find = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "places"}

    assert "心血管内科" in text(operator.get(call, {"q": "xxg"}, **find))
    assert "王建国" in text(operator.get(call, {"q": "wjg"}, **find))
    assert "没有这个科室" in text(operator.get(call, {"q": "zzzz"}, **find))


def test_a_search_that_was_sent_with_enter_has_its_first_hit_under_the_next_key(operator, patient, wang, clinic):
    """B7: faster than the list while typing; digits press places instead of being typed."""
    call = identified(operator)

    found, nothing = text(operator.get(call, {"q": "/xxg"})), text(operator.get(call, {"q": "zzzz"}))

    assert 'data-key="Digit1" autofocus' in found
    assert found.count("autofocus") == 1
    assert " autofocus></span>" in nothing


def test_the_page_asks_as_much_for_many_sittings_as_for_few(
    operator, patient, clinic, heart, django_assert_max_num_queries
):
    for _each in range(6):
        open_schedule(role=RoleFactory(department=heart), day=WEDNESDAY, numbers=8)
    call = identified(operator)
    with django_assert_max_num_queries(32):
        assert text(operator.get(call, {"at": f"department-{heart.pk}"})).count('class="sitting"') == 7


# ---- ward ----


def test_a_ward_doctor_starts_a_week_ahead_in_the_own_department_and_reaches_three_months(client, patient, heart, wang):
    """B5: one week, two weeks, one month from today; 92 days; not limited."""
    doctor = StaffFactory()
    RoleAssignment.objects.create(user=doctor, role="ward", organization=heart.organization, department=heart)
    ensure_defaults(heart.organization)
    near = open_schedule(role=wang, day=TODAY + timedelta(days=3), numbers=2, pool="consult")
    week, far = (
        open_schedule(role=wang, day=TODAY + timedelta(days=days), numbers=2, pool="consult") for days in (9, 90)
    )
    client.force_login(doctor)

    call = identified(client)
    page = text(client.get(call))

    assert "本科室" in page
    assert "since=2026-11-30" in page
    assert "since=2026-12-07" in page
    assert "since=2026-12-23" in page
    assert slot_of(week).split("@")[0] + "%40" in page
    assert f"{near.pk}%40" not in page
    book(client, call, far)
    assert Appointment.objects.get().channel == "ward"


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:00+00:00", "0001-01-01T00:00:00+14:00"])
def test_a_slice_at_the_ends_of_the_calendar_is_no_slice(operator, patient, clinic, moment):
    call = identified(operator)
    said = {"slot": f"{clinic.pk}@{moment}"}
    assert operator.post(f"{call}book/", said | {"request_key": uuid4()}).url.split("?")[0] == call
    assert operator.get(call, {"slot": said["slot"]}).status_code == 200
    assert not Appointment.objects.exists()
