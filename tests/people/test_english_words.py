"""Days, fees and stored names on a page in English (V5)."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.utils import translation

from hospital.templatetags.hospital_chinese import TITLES, chinese, doctor_title
from hospital.templatetags.hospital_days import long_day, short_day, short_moment, staff_day, weekday
from tests.factories import NOW
from tests.patient.scenes import TODAY, doctor, half_day

DAY = date(2026, 11, 25)
LATE = datetime.fromisoformat("2026-11-24T17:30:00+00:00")  # already the 25th at the hospital


@pytest.mark.parametrize(
    ("says", "in_chinese", "in_english"),
    [
        (weekday, "周三", "Wed"),
        (short_day, "11-25", "25 Nov"),
        (short_moment, "11-25 01:30", "25 Nov 01:30"),
        (staff_day, "11-25 周三", "Wed 25 Nov"),
        (long_day, "11月25日 周三", "Wed 25 Nov"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(says, in_chinese, in_english):
    """V5: 11-12 has two readings in English, so the month is a word there; the hospital's wall clock counts."""
    value = LATE if says is short_moment else DAY
    assert says(value) == in_chinese
    assert says(LATE) == in_chinese
    with translation.override("en"):
        assert says(value) == in_english
        assert says(None) == ""


def test_stored_chinese_says_that_it_is_chinese_and_stays_escaped():
    assert chinese("心内<科>") == "心内<科>"
    with translation.override("en"):
        assert chinese("心内<科>") == '<span lang="zh-CN">心内&lt;科&gt;</span>'
        assert chinese("Anna Berg") == "Anna Berg"
        assert chinese(None) == ""


def test_titles_have_their_english_and_unknown_ones_are_shown_as_written():
    assert doctor_title("主任医师") == "主任医师"
    with translation.override("en"):
        assert doctor_title("主任医师") == "Chief physician"
        assert doctor_title("特聘教授") == '<span lang="zh-CN">特聘教授</span>'
        assert doctor_title("") == ""
        assert len({doctor_title(title) for title in TITLES}) == len(TITLES)


@pytest.mark.django_db
def test_a_doctors_page_in_english_has_day_fee_and_title_in_english(client):
    """V5: days, fees and levels formatted; Accept-Language is enough for who comes the first time."""
    with time_machine.travel(NOW, tick=False):
        role = doctor(fee=50)
        half_day(role=role, day=TODAY + timedelta(days=1))
        page = client.get(f"/book/doctors/{role.pk}/", headers={"Accept-Language": "en-GB,en;q=0.9"}).content.decode()
    assert '<html lang="en"' in page
    assert "Tue 24 Nov" in page
    assert "Registration fee ¥50.00" in page
    assert "Chief physician" in page
    assert '<span lang="zh-CN">王建国</span>' in page
