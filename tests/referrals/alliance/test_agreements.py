"""P3, P10: a lower institution whose contract ended; a programme's token that leaked."""

from datetime import timedelta

import pytest

from appointments.errors import AgreementEnded
from appointments.models import Appointment
from appointments.selectors import operator, rules
from appointments.services import booking, changes, supply
from hospital.models import Agreement, ApiToken, AuditEvent, Organization
from tests.api.conftest import Program, issue
from tests.booking.acts import take
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    PatientFactory,
    PoolFactory,
    StaffFactory,
    UserFactory,
    open_schedule,
)

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


@pytest.fixture
def clinic():
    return open_schedule(numbers=4, pool="partner", shared=NOW + timedelta(hours=1))


@pytest.fixture
def centre():
    return CommunityFactory()


def agree(centre, clinic, last=None, first=TODAY - 30 * A_DAY):
    rules.forget()
    return Agreement.objects.create(
        hospital=clinic.organization, member=centre, effective_from=first, effective_to=last
    )


def ask(clinic, centre, **more):
    return take(clinic, PatientFactory(), channel="partner", partner=centre.pk, confirmed=True, **more)


def test_the_last_day_counts_and_the_day_after_books_nothing(clinic, centre):
    row = agree(centre, clinic, last=TODAY)
    booked = ask(clinic, centre)
    Agreement.objects.filter(pk=row.pk).update(effective_to=TODAY - A_DAY)
    rules.forget()
    with pytest.raises(AgreementEnded) as refused:
        ask(clinic, centre)
    assert "柳堤社区卫生服务中心与江州市中心医院" in refused.value.sentence
    pools = rules.pools_for("partner", organization_id=clinic.organization_id, day=TODAY, partner_id=centre.pk)
    assert pools.ids == ()
    changes.cancel(appointment=booked, by=None, channel="partner", request_key=None, now=NOW)
    assert Appointment.objects.get(pk=booked.pk).status == "cancelled"  # it still looks after what it booked
    assert operator.hosts_of(centre) == [clinic.organization]


def test_a_visit_booked_before_is_not_moved_to_another_number_after(clinic, centre):
    booked = ask(clinic, centre)
    agree(centre, clinic, last=TODAY - A_DAY)
    with pytest.raises(AgreementEnded):
        booking.reschedule(
            appointment=booked, schedule=clinic, by=None, channel="partner", partner=centre.pk, request_key=None,
            number=3, now=NOW,
        )  # fmt: skip
    assert Appointment.objects.get(pk=booked.pk).status == "booked"


def test_what_it_left_unbooked_is_recalled_like_every_other_rest(clinic, centre):
    PoolFactory(organization=clinic.organization, kind="public")
    ask(clinic, centre)
    agree(centre, clinic, last=TODAY - A_DAY)
    supply.follow_up(now=NOW + timedelta(hours=2))
    assert clinic.slots.filter(pool__kind="public", status="free").count() == 3


def test_an_agreement_that_begins_tomorrow_opens_nothing_today(clinic, centre):
    agree(centre, clinic, first=TODAY + A_DAY)
    with pytest.raises(AgreementEnded):
        ask(clinic, centre)


def test_an_institution_of_another_alliance_takes_nothing_of_what_this_one_shares(clinic, centre):
    """P10."""
    stranger = Organization.objects.create(code="SQ9", name="别处社区", kind="community")
    day = {"organization_id": clinic.organization_id, "day": TODAY}
    assert rules.pools_for("partner", **day, partner_id=stranger.pk).ids == ()
    assert len(rules.pools_for("partner", **day, partner_id=centre.pk).ids) == 1


def test_a_programmes_token_ends_with_the_agreement_and_at_once_when_it_leaked(stopped_clock, clinic, centre):
    secret = issue(UserFactory(), "read", "book_anyone", channel="partner", organization=centre)
    program, path = Program(secret), f"/schedules/{clinic.pk}/appointments/"
    held = program.post(path, {"patient": PatientFactory().pk}).json()["appointment"]
    agree(centre, clinic, last=TODAY - A_DAY)
    refused = program.post(path, {"patient": PatientFactory().pk})
    assert (refused.status_code, refused.json()["code"]) == (409, "agreement_ended")
    day = f"/departments/{clinic.department_id}/availability/?from={clinic.day}"
    assert [each["left"] for each in program.get(day).json()["schedules"]] == [0]

    ApiToken.objects.update(revoked_at=NOW)
    again = program.post(path, {"patient": PatientFactory().pk})
    for answer in (program.get(day), program.post(f"/appointments/{held}/confirm/"), again):
        assert answer.status_code == 401
    assert Appointment.objects.get(pk=held).status == "pending"


def test_a_partners_programme_reaches_what_its_institution_booked_and_nothing_else(stopped_clock, clinic, centre):
    """P10: it books anyone, so the patient alone opens nothing."""
    other = CommunityFactory(code="SQ2", name="石埠社区")
    patient = PatientFactory()
    theirs = take(clinic, patient, channel="partner", partner=other.pk, confirmed=True)
    program = Program(issue(UserFactory(), "read", "book", "book_anyone", channel="partner", organization=centre))
    mine = ask(clinic, centre)
    assert program.rows("/appointments/", {"patient": patient.pk}) == []
    assert program.get(f"/appointments/{theirs.pk}/").status_code == 404
    assert program.post(f"/appointments/{theirs.pk}/cancel/").status_code == 404
    assert program.get(f"/appointments/{mine.pk}/").status_code == 200


def test_the_office_makes_and_ends_agreements_and_others_look(client, stopped_clock, clinic, centre):
    """P3: what is wrong stands at its field, what was typed stays; an auditor's page has no buttons."""
    page = "/office/partners/agreements/"
    client.force_login(StaffFactory(roles="office"))
    said = {"member": centre.pk, "effective_from": TODAY, "effective_to": TODAY - A_DAY, "note": "三年一签"}
    wrong = client.post(page, said)
    assert wrong.status_code == 422
    assert "失效日早于生效日" in wrong.content.decode()
    assert "三年一签" in wrong.content.decode()
    assert client.post(page, said | {"effective_to": ""}).status_code == 302
    row = Agreement.objects.get()
    assert "重叠" in client.post(page, said | {"effective_to": ""}).content.decode()
    assert client.post(f"{page}{row.pk}/end/", {"last_day": TODAY - A_DAY}).status_code == 302
    assert Agreement.objects.get().effective_to is None
    client.post(f"{page}{row.pk}/end/", {"last_day": TODAY})
    assert Agreement.objects.get().effective_to == TODAY
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"agreement.made", "agreement.ended"}
    assert client.get("/office/partners/").status_code == 200

    client.force_login(StaffFactory(roles="auditor"))
    looked = client.get(page).content.decode()
    assert "柳堤社区" in looked
    assert "登记协议</button>" not in looked
    assert client.post(page, said).status_code == 403
    elsewhere = Organization.objects.create(code="H9", name="另一家医院")
    client.force_login(StaffFactory(roles="office", roles__at=elsewhere))
    assert client.post(f"{page}{row.pk}/end/", {"last_day": TODAY + A_DAY}).status_code == 404
