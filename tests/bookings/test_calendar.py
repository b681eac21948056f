"""The calendar file: two independent readers take it, and a later file of the same booking changes the event (V1)."""

from datetime import UTC, datetime, time, timedelta

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from appointments import calendar_file
from appointments.services import booking, changes
from hospital import clock
from tests.factories import NOW, appointment_row

from .scenes import SOON, account_with, at, booked, clinic, people

START = datetime(2026, 11, 26, 0, 0, tzinfo=UTC)


def entry(**fields) -> calendar_file.Entry:
    told = {
        "uid": "appointment-1@h1.hospital",
        "sequence": 0,
        "starts": START,
        "ends": START + timedelta(minutes=30),
        "summary": "就诊",
        "location": "本部院区",
        "description": "请带证件",
    }
    return calendar_file.Entry(**{**told, **fields})


def event_of(text: bytes):
    """The one event, as the first reader sees it."""
    [event] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    return event


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_comes_back_whole_from_both_readers_and_no_line_is_too_long(words):
    """RFC 5545: 75 octets a line, Chinese signs uncut, backslash, comma, semicolon and line end escaped."""
    file = calendar_file.text_of(entry(description=words), now=NOW)
    lines = file.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert all(line.decode() for line in lines[:-1])  # each line is whole UTF-8

    plain = "".join(sign for sign in words.replace("\r\n", "\n") if sign == "\n" or sign.isprintable())
    assert str(event_of(file)["DESCRIPTION"]) == plain
    assert vobject.readOne(file.decode()).vevent.description.value == plain


def test_a_line_of_exactly_75_octets_is_not_folded():
    assert calendar_file.folded("A" * 75) == b"A" * 75 + b"\r\n"
    assert calendar_file.folded("A" * 76) == b"A" * 75 + b"\r\n A\r\n"
    assert calendar_file.folded("号" * 26) == "号".encode() * 25 + b"\r\n " + "号".encode() + b"\r\n"


def test_both_readers_see_the_same_moments_alarms_and_state():
    file = calendar_file.text_of(entry(), now=NOW)
    event, other = event_of(file), vobject.readOne(file.decode()).vevent

    assert event.start == other.dtstart.value == START
    assert event.end == other.dtend.value == START + timedelta(minutes=30)
    assert [alarm.TRIGGER for alarm in event.walk("VALARM")] == [-timedelta(days=1), -timedelta(hours=2)]
    assert str(event["STATUS"]) == other.status.value == "CONFIRMED"


@pytest.mark.django_db
def test_the_file_of_a_booking_says_when_where_and_nothing_more_of_the_person_than_the_page(mine):
    schedule = clinic()
    row = booked(mine, schedule, mine.person)
    response = mine.get(f"/bookings/{row.pk}/calendar.ics")

    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"booking-{row.pk}.ics" in response["Content-Disposition"]
    event = event_of(response.content)
    assert event.start == schedule.starts_at
    assert event.start.astimezone(clock.ZONE).date() == SOON
    assert "江州市人民路1号" in event["LOCATION"]
    assert "地铁2号线" in event["DESCRIPTION"]
    assert "11月25日 15:00前退号或改约" in event["DESCRIPTION"]
    assert "周*明" in event["DESCRIPTION"]
    assert "周志明" not in response.content.decode().replace("\r\n ", "")
    vobject.readOne(response.content.decode())


@pytest.mark.django_db
def test_the_file_has_the_same_times_as_the_card(mine):
    """The second number of the slice is called at 08:15; the person is asked for 08:00, less a quarter."""
    schedule = clinic()
    row = appointment_row(schedule, mine.person, number=2)
    event = event_of(mine.get(f"/bookings/{row.pk}/calendar.ics").content)

    assert event.start == schedule.starts_at
    assert "大约08:15叫到" in event["DESCRIPTION"]
    assert "08:00前15分钟到" in event["DESCRIPTION"]


@pytest.mark.django_db
def test_after_the_cut_off_the_file_asks_for_nothing_that_is_no_longer_possible(mine):
    row = booked(mine, clinic(), mine.person)
    with at(mine, clock.at(SOON - timedelta(days=1), time(15, 1))):
        words = event_of(mine.get(f"/bookings/{row.pk}/calendar.ics").content)["DESCRIPTION"]

    assert "前退号或改约" not in words
    assert "网上退号时间已过；如不能来，请到窗口退号" in words


@pytest.mark.django_db
def test_a_moved_and_a_cancelled_booking_change_the_same_event(mine):
    first = clinic()
    second = clinic(day=SOON + timedelta(days=1), role=first.role)
    row = booked(mine, first, mine.person)
    address = f"/bookings/{row.pk}/calendar.ics"

    seen = [event_of(mine.get(address).content)]
    booking.reschedule(appointment=row, schedule=second, by=None, channel="counter", request_key=None, now=NOW)
    seen.append(event_of(mine.get(address).content))
    changes.cancel(appointment=row, by=mine.user, channel="web", now=NOW)
    seen.append(event_of(mine.get(address).content))

    assert len({str(event["UID"]) for event in seen}) == 1
    assert [int(event["SEQUENCE"]) for event in seen] == [0, 1, 2]
    assert seen[1].start == second.slots.get(number=1).start
    assert [str(event["STATUS"]) for event in seen] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert not seen[2].walk("VALARM")


@pytest.mark.django_db
def test_somebody_elses_file_does_not_exist_and_a_stranger_signs_in(mine, client):
    row = appointment_row(clinic(), people(account_with("李秀英"))[0])
    assert mine.get(f"/bookings/{row.pk}/calendar.ics").status_code == 404
    client.logout()
    assert client.get(f"/bookings/{row.pk}/calendar.ics").url.startswith("/sign-in/?next=/bookings/")
