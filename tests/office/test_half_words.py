"""A session is called what it is by its hours, on every page: 11:00–16:00 is no morning."""

from datetime import time

import pytest

from appointments.models import ScheduleTemplate
from hospital import clock
from hospital.models.time import HALF_WORDS, half_of
from tests.factories import TODAY, ScheduleFactory


@pytest.mark.parametrize(
    ("half", "starts", "ends", "word"),
    [
        ("am", time(8), time(12), "上午"),
        ("am", time(8), time(12, 30), "上午"),
        ("am", time(11), time(16), "全天"),
        ("pm", time(11), time(16), "全天"),
        ("am", time(8), time(20), "全天"),
        ("am", time(11), time(13), "上午"),
        ("am", time(12, 30), time(14), "下午"),
        ("pm", time(13, 30), time(17, 30), "下午"),
        ("pm", time(12), time(17), "下午"),
        ("pm", time(14), time(20), "下午"),
        ("pm", time(9), time(11), "上午"),
        ("pm", time(18), time(20), "夜间"),
        ("ev", time(17), time(20, 30), "夜间"),
        ("ev", time(22), time(0, 30), "夜间"),
        ("ev", time(14), time(17), "下午"),
    ],
)
def test_a_session_is_named_by_its_hours(half, starts, ends, word):
    assert HALF_WORDS[half_of(half, starts, ends)] == word


def test_templates_and_sessions_say_it_themselves():
    schedule = ScheduleFactory.build(half="am", starts_at=clock.at(TODAY, time(11)), ends_at=clock.at(TODAY, time(16)))
    assert schedule.get_half_display() == "全天"
    assert ScheduleTemplate(half="am", starts=time(11), ends=time(16)).get_half_display() == "全天"
    assert ScheduleTemplate(half="ev").get_half_display() == "夜间"
