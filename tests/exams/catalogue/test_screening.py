"""Whom a preparation question concerns, and what the answers mean together (E4). No database."""

from datetime import date
from types import SimpleNamespace

import pytest

from exams.models import ScreeningAnswer, ScreeningQuestion
from exams.policies.screening import age_on, concerns, judge


def question(*, items=(), groups=(), answers=(), **fields) -> ScreeningQuestion:
    row = ScreeningQuestion(pk=1, **fields)
    row._prefetched_objects_cache = {
        "items": [SimpleNamespace(pk=each) for each in items],
        "groups": [SimpleNamespace(pk=each) for each in groups],
        "answers": [ScreeningAnswer(code=code, effect=effect, sentence=sentence) for code, effect, sentence in answers],
    }
    return row


@pytest.mark.parametrize(
    ("asked", "sex", "age", "concerned"),
    [
        ({}, "M", 40, True),
        ({"sex": "F"}, "M", 40, False),
        ({"sex": "F"}, "F", 40, True),
        ({"sex": "F"}, "U", 40, True),
        ({"min_age": 12, "max_age": 55}, "F", 11, False),
        ({"min_age": 12, "max_age": 55}, "F", 12, True),
        ({"min_age": 12, "max_age": 55}, "F", 55, True),
        ({"min_age": 12, "max_age": 55}, "F", 56, False),
        ({"min_age": 12}, "F", None, True),
        ({"max_age": 0}, "F", 1, False),
        ({"items": [7]}, "M", 40, True),
        ({"items": [8]}, "M", 40, False),
        ({"items": [8], "groups": [2]}, "M", 40, True),
        ({"groups": [3]}, "M", 40, False),
    ],
)
def test_a_question_is_asked_of_whom_it_concerns(asked, sex, age, concerned):
    """E4: of an exam with item 7 in groups 1 and 2. Who is unknown is asked everything."""
    assert concerns(question(**asked), sex=sex, age=age, item=7, groups={1, 2}) is concerned


@pytest.mark.parametrize(
    ("born", "age"),
    [(None, None), (date(2000, 2, 29), 25), (date(2000, 2, 28), 26), (date(2026, 2, 28), 0)],
)
def test_age_is_in_full_years(born, age):
    assert age_on(date(2026, 2, 28), born=born) == age


def test_the_gravest_answer_decides_and_every_meaning_is_told():
    """E4: what nobody offered as an answer is no answer."""
    ways = [("a", "ok", ""), ("b", "warn", "提醒"), ("c", "check", "先查"), ("d", "refuse", "不能做")]
    one, two, three = (question(code=code, answers=ways) for code in ("one", "two", "three"))
    told = judge([one, two, three], {"one": "b", "two": "d", "three": "c"})
    assert (told.effect, told.sentences, told.clear) == ("refuse", ("不能做", "先查", "提醒"), False)
    assert judge([one, two], {"one": "b", "two": "a"}).clear
    assert judge([one, two], {"one": "a", "two": "nonsense"}).unanswered == ("two",)
    assert not judge([one], {}).clear
    assert judge([], {}).clear
