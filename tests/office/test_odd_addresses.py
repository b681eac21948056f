"""A wrong day or number in an address falls back to what the page shows by itself, and is never an error page (O1)."""

import pytest

from appointments.models import LayoutDraft
from tests.factories import NOW, TODAY, ScheduleFactory, StaffFactory

WORST = ("9999-12-31", "99999999999999999999", "\x00")
"""Each name alone: beyond what a day, a number and a text can be."""

ODD = ("0001-01-01", "9999-12", "-1", *WORST)
"""All names at once."""

ASKED = {
    "/office/": ("week", "campus", "group", "department", "level", "pool", "who", "schedule"),
    "/office/releases/": ("month", "day"),
    "/office/releases/extra/": ("day",),
    "/office/runs/": ("day", "job", "page"),
    "/office/resale/": ("first", "last", "after"),
    "/office/audit/": ("day", "after", "subject", "who", "action"),
    "/office/hours/": ("house",),
    "/office/imports/": ("page",),
    "/office/acts/": ("first", "last", "kind", "status", "page"),
    "/office/rules/": ("house", "kind", "department"),
    "/office/rules/new/supply/": ("house", "department", "base"),
    "/office/rules/new/channel/": ("channel", "base"),
    "/office/balance/": ("first", "last", "house"),
    "/office/why/": ("patient", "channel", "department", "role", "day", "schedule", "number", "at", "partner"),
    "/office/partners/": ("house",),
    "/office/templates/": ("department", "q", "day"),
    "/office/templates/new/": ("department", "actor", "weekday", "half"),
    "/office/drafts/": ("scope",),
    "/office/drafts/{draft}/": ("show", "page"),
    "/office/calendar/": ("house", "day", "year"),
    "/office/contracts/": ("house",),
    "/office/schedules/{schedule}/": ("shown", "week"),
    "/office/stops/": ("page", "status"),
    "/office/stops/new/": ("schedule", "practitioner", "department", "first", "last"),
    "/office/calls/": ("page",),
}
EXPORTS = ("week", "audit", "resale", "balance", "rules", "templates", "drafts", "stops", "calls", "calendar", "acts")
ASKED |= {
    f"/office/export/{what}.xlsx": ("week", "first", "last", "day", "month", "house", "department", "draft", "year")
    for what in EXPORTS
}


@pytest.fixture
def places(office):
    schedule = ScheduleFactory()
    draft = LayoutDraft.objects.create(
        organization=schedule.organization, department=schedule.department, first_day=TODAY, last_day=TODAY,
        by=office.user, created_at=NOW,
    )  # fmt: skip
    return {"schedule": schedule.pk, "draft": draft.pk}


@pytest.mark.parametrize("address", ASKED)
def test_a_wrong_day_or_number_in_the_address_is_never_an_error_page(office, places, address):
    office.raise_request_exception = False
    asked = [dict.fromkeys(ASKED[address], odd) for odd in ODD]
    if "export" not in address:  # those have the same forms as the pages
        asked += [{name: odd} for name in ASKED[address] for odd in WORST]
    if "why" in address:
        asked += [{"schedule": places["schedule"], **each} for each in asked]
    wrong = []
    for each in asked:
        answer = office.get(address.format(**places), each, headers={"HX-Request": "true"})
        if answer.status_code >= 500:
            wrong.append(each)
    assert wrong == []


@pytest.mark.parametrize(
    ("role", "address", "names"),
    [
        ("doctor", "/my/schedule/", ("schedule", "first", "last", "page")),
        ("phone", "/phone/", ("department", "day", "week", "q")),
        ("kiosk", "/kiosk/", ("department", "day")),
        ("kiosk", "/kiosk/departments/1/", ("day", "move")),
    ],
)
def test_nor_on_the_pages_of_others(client, db, role, address, names):
    client.force_login(StaffFactory(roles=role))
    client.raise_request_exception = False

    assert [odd for name in names for odd in ODD if client.get(address, {name: odd}).status_code >= 500] == []
