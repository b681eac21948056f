"""What every test gets."""

import pytest


@pytest.fixture(autouse=True)
def _fresh_rules():
    """Rule rows are kept a few seconds in the process; a test sees its own."""
    from appointments.selectors import rules, schedules

    rules.forget()
    schedules.forget()
    yield
    rules.forget()
    schedules.forget()
