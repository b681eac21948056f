"""R7: up and down per institution and period, time to answer, rejected and why, who referred where."""

from collections import Counter
from datetime import timedelta
from io import BytesIO
from statistics import median

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from appointments.stats import Rate
from hospital.models import AuditEvent
from referrals import stats
from referrals.models import Referral
from referrals.policies.moves import Side
from referrals.selectors import counted
from referrals.services import numbers
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    DepartmentFactory,
    OrganizationFactory,
    PractitionerFactory,
    ReferralFactory,
    RoleFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)
from tests.factories.supply import PoolFactory

from .december import DOWN, FIRST, LAST, UP, nine_days

pytestmark = pytest.mark.django_db
SPAN = {"first": FIRST, "last": LAST}
ADDRESS = {"first": "2026-12-01", "last": "2026-12-09"}


@pytest.fixture
def december(db):
    return nine_days()


def test_nine_december_days_are_79_up_and_108_down(december):
    """R7: drafts, withdrawn ones, other hospitals' and the days around them are not in it."""
    found = stats.figures(organization=december.pk, **SPAN)
    assert (found.up.sent, found.down.sent) == (UP, DOWN) == (79, 108)
    assert (sum(each.up.sent for each in found.of), sum(each.down.sent for each in found.of)) == (79, 108)
    assert (found.up.withdrawn, found.down.withdrawn) == (2, 1)
    day = timedelta(days=1)
    parts = [stats.figures(organization=december.pk, first=FIRST + n * day, last=FIRST + n * day) for n in range(9)]
    assert (sum(each.up.sent for each in parts), sum(each.down.sent for each in parts)) == (79, 108)
    around = stats.figures(organization=december.pk, first=FIRST - day, last=LAST + day)
    assert (around.up.sent, around.down.sent) == (81, 110)


def test_every_figure_opens_down_to_as_many_rows(december):
    """R7: each count is the count of its rows, of each institution too."""
    found = stats.figures(organization=december.pk, **SPAN)
    for direction in ("up", "down"):
        for what in counted.WORDS:
            rows = list(counted.rows(organization=december.pk, **SPAN, direction=direction, what=what))
            assert len(rows) == getattr(getattr(found, direction), what), (direction, what)
            other = Counter(row.origin_id if direction == "up" else row.receiver_id for row in rows)
            for each in found.of:
                assert other[each.organization] == getattr(getattr(each, direction), what), (each, what)


def test_reasons_and_answers_are_what_the_rows_say(december):
    found = stats.figures(organization=december.pk, **SPAN)
    rows = counted.rows(organization=december.pk, **SPAN, direction="up")
    minutes = [(row.answered_at - row.sent_at).total_seconds() / 60 for row in rows if row.answered_at]
    assert found.up.answered == len(minutes)
    assert found.up.median == pytest.approx(median(minutes))
    assert sum(each.count for each in found.reasons) == found.up.rejected > 0
    paths = stats.paths(organization=december.pk, **SPAN, most=1000)
    assert sum(each.count for each in paths) == 79 + 108
    for each in paths:
        whose = (each.who, each.by, each.direction)
        assert each.of == sum(one.count for one in paths if (one.who, one.by, one.direction) == whose)


def test_a_number_of_the_partners_pool_counts_as_its_own_and_the_offices_not():
    community, house = CommunityFactory(), OrganizationFactory()
    own = open_schedule(numbers=1, pool=PoolFactory(organization=house, kind="partner", name="柳堤", partner=community))
    common = open_schedule(numbers=1, day=own.day + timedelta(days=1))
    for schedule, side in ((own, Side.ORIGIN), (common, Side.RECEIVER)):
        row = ReferralFactory(department=schedule.department)
        number = appointment_row(schedule, row.patient, channel="partner", partner=community)
        numbers.take(referral=row, appointment=number, by=row.by, side=side, now=NOW)
    found = stats.figures(organization=house.pk, first=TODAY - timedelta(days=3), last=TODAY)
    assert found.up.own_share == Rate(1, 2)
    [mine] = counted.rows(
        organization=house.pk, first=TODAY - timedelta(days=3), last=TODAY, direction="up", what="own"
    )
    assert mine.appointment.schedule == own


def test_many_of_one_person_to_one_doctor_are_marked():
    """R7: for the negative list "no referral for gain"; a look is worth it, nothing is judged."""
    role = RoleFactory(practitioner=PractitionerFactory(name="王建国"))
    by = StaffFactory(roles="partner", roles__at=CommunityFactory())
    ReferralFactory.create_batch(10, by=by, department=role.department, role=role)
    ReferralFactory.create_batch(2, by=by, department=DepartmentFactory(code="D7"))
    paths = stats.paths(organization=OrganizationFactory().pk, first=TODAY - timedelta(days=3), last=TODAY)
    assert [(each.count, each.of, each.concentrated) for each in paths][0] == (10, 12, True)
    assert not any(each.concentrated for each in paths[1:])


def test_what_one_account_typed_for_two_doctors_is_each_doctors_own(client):
    """R7: whoever is looked at for gain is the doctor who referred, not the desk's account, nor its other doctor."""
    centre, by = CommunityFactory(), StaffFactory(roles="partner", roles__at=CommunityFactory())
    one, two = (PractitionerFactory(name=name, organization=centre) for name in ("冯一", "程二"))
    department = DepartmentFactory()
    for doctor, count in ((one, 3), (two, 2), (None, 1)):
        ReferralFactory.create_batch(count, by=by, doctor=doctor, department=department)
    paths = stats.paths(organization=OrganizationFactory().pk, first=TODAY - timedelta(days=3), last=TODAY)
    assert [(each.doctor, each.count, each.of) for each in paths] == [
        ("冯一", 3, 3),
        ("程二", 2, 2),
        (by.full_name, 1, 1),
    ]
    client.force_login(StaffFactory(roles="referral"))
    for each, key in zip(paths, ("who", "who", "by"), strict=True):
        said = {"first": TODAY - timedelta(days=3), "last": TODAY, "direction": "up", key: getattr(each, key)}
        page = client.get(reverse("referrals:referral_figure_rows"), said)
        assert page.context["page"].paginator.count == each.count


def test_the_office_opens_the_page_its_rows_and_the_file(client, december, django_assert_max_num_queries):
    client.force_login(StaffFactory(roles="referral"))
    address = reverse("referrals:referral_figures")
    with django_assert_max_num_queries(25):
        page = client.get(address, ADDRESS)
    text = page.content.decode()
    assert page.context["figures"].up.sent == 79
    assert ">79</a>" in text
    assert ">108</a>" in text
    assert text.count("<td") == text.count("data-label=")  # on a phone a number says what it is
    rows = client.get(reverse("referrals:referral_figure_rows"), {**ADDRESS, "direction": "up", "what": "rejected"})
    assert rows.context["page"].paginator.count == page.context["figures"].up.rejected
    name = Referral.objects.filter(status="rejected", direction="up").first().patient.name
    assert name not in rows.content.decode()
    file = client.get(reverse("referrals:referral_figures_export"), ADDRESS)
    book = load_workbook(BytesIO(b"".join(file.streaming_content)))
    sheet = book["转诊指标"]
    assert sum(row[1] for row in sheet.iter_rows(min_row=2, values_only=True)) == 79
    assert AuditEvent.objects.filter(action="office.exported").count() == 1


def test_others_and_wrong_addresses_see_nothing_of_it(client, december):
    """P10: another house's office counts its own; what is typed wrong is as if it were not there."""
    other = CommunityFactory(code="SQ9")
    client.force_login(StaffFactory(roles="referral", roles__at=other))
    address = reverse("referrals:referral_figures")
    for said in (ADDRESS, ADDRESS | {"house": december.pk}, {"first": "x", "last": "9999-12-31", "house": "x"}):
        page = client.get(address, said)
        assert page.status_code == 200
        assert page.context["figures"].empty
        assert page.context["house"] == other
    client.force_login(StaffFactory(roles="doctor"))
    assert client.get(address).status_code == 403
