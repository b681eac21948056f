"""操作留痕 speaks the office's language: every fact that a schedule's trail may hold has a word."""

import re
from pathlib import Path

from appointments.selectors.drawer import TOPICS

HEART = Path(__file__).parents[2] / "appointments"
OF_A_SCHEDULE = r"""["']((?:appointment|encounter|schedule|sitting|noshow)\.[a-z_]+|supply\.(?:shared|released))["']"""
NOT_FACTS = {"appointment.reminder"}  # a message's template


def test_every_topic_about_a_schedule_has_a_word():
    sources = [*(HEART / "services").rglob("*.py"), *HEART.glob("sql/*.sql")]
    published = {topic for path in sources for topic in re.findall(OF_A_SCHEDULE, path.read_text())}

    assert {"supply.shared", "supply.released"} <= published
    assert published - NOT_FACTS - set(TOPICS) == set()
