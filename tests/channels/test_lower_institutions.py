"""Lower institutions at the operators' page (B7, P3): what one may see of what another booked is nothing."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from appointments.models import Appointment, PartnerGroup, Pool
from appointments.selectors import rules
from appointments.services import proving
from hospital.models import AuditEvent, Organization, Patient, RoleAssignment
from tests.booking.acts import take
from tests.channels.calling import book, identified, opened, text
from tests.channels.conftest import DOCUMENT, WEDNESDAY, branch, partner_of
from tests.factories import (
    DepartmentFactory,
    IdentifierFactory,
    OrganizationFactory,
    PatientFactory,
    open_schedule,
)

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "results"}


@pytest.fixture
def two(db, clinic):
    """Two lower institutions; each has booked the same patient once."""
    house = OrganizationFactory()
    ours, theirs = branch("SQ1", "柳堤社区"), branch("SQ2", "石埠社区")
    other = open_schedule(day=WEDNESDAY + timedelta(days=1), numbers=4, department=DepartmentFactory(name="内分泌科"))
    person = PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm")
    IdentifierFactory(patient=person, number=DOCUMENT)
    rows = {
        one: take(schedule, person, channel="partner", partner=one.pk, by=partner_of(one), confirmed=True)
        for one, schedule in ((ours, clinic), (theirs, other))
    }
    take(open_schedule(day=WEDNESDAY + timedelta(days=4), numbers=2), person, channel="web", confirmed=True)
    return house, ours, theirs, rows


def test_a_lower_institution_sees_and_touches_only_what_it_booked(client, two):
    _house, ours, theirs, rows = two
    client.force_login(partner_of(ours))
    call = identified(client)

    page = text(client.get(call))
    assert page.count('<li class="visit">') == 1
    assert "心血管内科" in page
    assert "内分泌科" not in page
    for theirs_row in Appointment.objects.exclude(pk=rows[ours].pk):
        assert client.post(f"{call}cancel/{theirs_row.pk}/", {"request_key": uuid4()}).status_code == 404
        assert client.get(f"{call}?move={theirs_row.pk}").status_code == 404
        assert book(client, call, rows[ours].schedule, move=theirs_row.pk).status_code == 404
    assert not Appointment.objects.filter(status="cancelled").exists()

    client.post(f"{call}cancel/{rows[ours].pk}/", {"request_key": uuid4()})
    assert Appointment.objects.get(status="cancelled") == rows[ours]


def test_a_lower_institution_finds_people_by_document_and_not_by_leafing(client, two):
    client.force_login(partner_of(two[1]))

    for q in ("zzm", "周志明"):
        answer = client.post("/phone/", {"q": q})
        assert answer.status_code == 200
        assert "周*明" not in text(answer)
        assert "请输全" in text(answer)
    assert opened(client).startswith("/phone/")
    assert AuditEvent.objects.filter(action="patient.searched.partner", detail__shown=[]).count() == 2


def test_numbers_kept_for_one_institution_are_shown_to_it_and_booked_in_its_name(client, two, wang):
    """P5."""
    house, ours, theirs, _rows = two
    group = PartnerGroup.objects.create(organization=house, name="心电组")
    group.members.add(ours)
    pool = Pool.objects.create(organization=house, kind="partner", group=group, name="心电组")
    kept = open_schedule(role=wang, day=WEDNESDAY + timedelta(days=2), numbers=2, pool=pool)
    rules.forget()
    look = {"at": f"role-{wang.pk}", "day": str(kept.day)}

    client.force_login(partner_of(theirs))
    assert f"{kept.pk}%40" not in text(client.get(identified(client), look))
    client.force_login(partner_of(ours))
    call = identified(client)
    assert f"{kept.pk}%40" in text(client.get(call, look))
    book(client, call, kept)

    assert Appointment.objects.get(schedule=kept).partner == ours


def test_an_account_with_several_roles_chooses_once(client, two):
    """A partner of two hospitals, who works the phone desk as well: the channel comes from the chosen role."""
    house, ours, *_rest = two
    second = Organization.objects.create(code="H2", name="江州市第二医院")
    PartnerGroup.objects.create(organization=second, name="胸痛组").members.add(ours)
    user = partner_of(ours)
    RoleAssignment.objects.create(user=user, role="phone", organization=house)
    client.force_login(user)

    assert client.get("/phone/").url == "/phone/seat/"
    seats = re.findall(r'name="seat" value="([\d-]+)"', text(client.get("/phone/seat/")))
    assert len(seats) == 3
    client.post("/phone/seat/", {"seat": "1-1"})
    assert client.get("/phone/").status_code == 302  # a seat that is not theirs
    client.post("/phone/seat/", {"seat": seats[-1]})
    page = text(client.get("/phone/"))
    assert "电话预约" in page
    assert "换岗位" in page


def test_an_institution_that_no_hospital_works_with_hears_whom_to_ask(client, db):
    lonely = Organization.objects.create(code="X1", name="独立诊所")
    client.force_login(partner_of(lonely))
    assert "请联系上级医院的门诊办公室" in text(client.get("/phone/seat/"))


def test_a_medical_number_opens_nobody_to_a_lower_institution_without_the_last_four(client, two):
    """B16: it is counted up. A number that nobody has is asked the same; wrong tries count by patient and by operator
    over the day, whatever session they come from, and end in a sentence and a trace."""
    client.force_login(partner_of(two[1]))
    number = Patient.objects.get(name="周志明").medical_number

    for q in (number, "M99999999"):
        for more in ({}, HTMX):
            page = client.post("/phone/", {"q": q}, **more)
            assert page.status_code == 200
            assert 'name="last4"' in text(page)
            assert "周*明" not in text(page)
            assert "002X" not in text(page)
    assert client.post("/phone/", {"q": number, "last4": "002x"}).url.startswith("/phone/")

    def wrong(q, last4="0000"):
        client.force_login(operator)  # a new session each time
        return client.post("/phone/", {"q": q, "last4": last4})

    operator = partner_of(two[1])
    for _each in range(proving.MISSES_OF_A_PATIENT - 1):
        assert "对不上" in text(wrong(number))
    assert "按门诊号找已停用" in text(wrong(number))
    operator = partner_of(two[2])  # a colleague is no fresh count
    for last4 in ("0000", "002X"):
        refused = wrong(number, last4)
        assert (refused.status_code, "按门诊号找已停用" in text(refused)) == (422, True)
    assert "周*明" not in text(refused)
    for _each in range(proving.MISSES_OF_AN_OPERATOR):
        wrong("M99999999")
    other = IdentifierFactory(patient=PatientFactory(name="李慧"), number="11010519491231123X").patient
    assert "按门诊号找已停用" in text(wrong(other.medical_number, "123X"))
    events = AuditEvent.objects.filter(action__startswith="patient.last_four_")
    assert set(events.values_list("action", flat=True)) == {proving.MISSED, proving.REFUSED}
    assert opened(client).startswith("/phone/")  # a whole document goes on finding its holder
