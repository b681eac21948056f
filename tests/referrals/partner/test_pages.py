"""R1: the family doctor's pages: what is typed is kept, every refusal says what to do next, nobody reads another's."""

from datetime import timedelta

import pytest

from appointments.models import Appointment
from appointments.selectors import rules
from appointments.services import supply
from hospital.models import Agreement, AuditEvent, SignedResident
from referrals.models import FollowUp, Referral
from referrals.selectors import pool_use, pools
from referrals.services import writing
from tests.booking.acts import take
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    IdentifierFactory,
    PatientFactory,
    PoolFactory,
    ReferralFactory,
    StaffFactory,
    appointment_row,
)

A_DAY = timedelta(days=1)


@pytest.fixture
def desk(client, alliance):
    client.force_login(alliance.doctor)
    return client


@pytest.fixture
def called(desk, alliance):
    """The address of the open patient, found by document and identified."""
    IdentifierFactory(patient=alliance.patient)
    found = desk.post("/phone/", {"q": "11010519491231002X"})
    asked = desk.post(found.headers["Location"] + "identified/")
    return asked.headers["Location"].removeprefix("/phone/").strip("/")


@pytest.fixture
def draft(alliance):
    return writing.draft(
        patient=alliance.patient, origin=alliance.centre, receiver=alliance.hospital, direction="up",
        by=alliance.doctor, now=NOW,
    )  # fmt: skip


def typed(alliance, **more):
    return {
        "wish": f"role-{alliance.clinic.role_id}", "urgency": "routine", "reason": "血压控制不佳", "diagnosis": "gxy",
        "diagnosis_code": "I10", "history": "高血压 8 年", "consent": "patient", "act": "save",
    } | more  # fmt: skip


def test_from_the_search_to_a_booked_referral(desk, alliance, called, django_assert_max_num_queries):
    page = desk.get(f"/partner/patients/{called}/").content.decode()
    assert "写转诊单" in page
    assert "周志明" in page
    letter = desk.post(f"/partner/patients/{called}/refer/").headers["Location"]
    assert desk.post(f"/partner/patients/{called}/refer/").headers["Location"] == letter  # gone on with
    looked = desk.post(letter, typed(alliance, act="look:"))
    with django_assert_max_num_queries(45):
        shown = desk.get(looked.headers["Location"].partition("#")[0]).content.decode()
    assert "高血压 8 年" in shown
    slot = f"{alliance.clinic.pk}@{alliance.clinic.starts_at.isoformat()}"
    assert f"hold:{slot}" in shown.replace("&#x2B;", "+")
    held = desk.post(letter, typed(alliance, act=f"hold:{slot}"))
    assert "已锁号" in desk.get(held.headers["Location"].partition("#")[0]).content.decode()
    sent = desk.post(letter, typed(alliance, act="send_booked"))
    row = Referral.objects.get()
    assert sent.headers["Location"] == f"/referrals/{row.pk}/"
    assert (row.status, row.diagnosis, row.department) == ("booked", "原发性高血压", alliance.clinic.department)
    assert desk.get(letter).headers["Location"] == f"/referrals/{row.pk}/"
    assert "已发出，办理中" in desk.get("/partner/").content.decode()


def test_what_sending_lacks_stands_at_its_field_and_all_that_was_typed_stays(desk, alliance, draft):
    letter = f"/partner/referrals/{draft.pk}/edit/"
    answer = desk.post(letter, typed(alliance, act="send", consent="", wish=""))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "转诊单还缺" in page
    assert 'id="id_wish_error"' in page
    assert "血压控制不佳" in page
    draft.refresh_from_db()
    assert (draft.status, draft.reason) == ("draft", "血压控制不佳")
    alone = desk.post(letter, typed(alliance, act="send_booked"))
    assert (alone.status_code, Referral.objects.get().status) == (409, "draft")
    assert "还没有选号" in alone.content.decode()
    assert desk.post(letter, typed(alliance, act="send")).status_code == 302
    assert (Referral.objects.get().status, Referral.objects.get().office_books) == ("sent", True)


def test_what_is_too_long_is_said_and_the_rest_is_kept(desk, alliance, draft):
    answer = desk.post(f"/partner/referrals/{draft.pk}/keep/", typed(alliance, reason="长" * 301, wish="role-999999"))
    assert answer.status_code == 422
    assert "其他都已保存" in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.history, draft.reason, draft.role) == ("高血压 8 年", "", None)
    for rubbish in ("hold:", "hold:x@y", "look:x/y", "hold:1@2026-99-99", "nonsense"):
        assert desk.post(f"/partner/referrals/{draft.pk}/edit/", typed(alliance, act=rubbish)).status_code < 500


def test_after_the_agreement_nothing_is_booked_or_sent_and_the_page_says_why(desk, alliance, draft):
    """P3."""
    Agreement.objects.create(
        hospital=alliance.hospital, member=alliance.centre, effective_from=TODAY - 9 * A_DAY,
        effective_to=TODAY - A_DAY,
    )  # fmt: skip
    rules.forget()
    for address in ("/partner/", f"/partner/referrals/{draft.pk}/edit/", "/partner/numbers/"):
        assert "柳堤社区卫生服务中心与江州市中心医院" in desk.get(address).content.decode()
    refused = desk.post(f"/partner/referrals/{draft.pk}/edit/", typed(alliance, act="send"))
    assert refused.status_code == 409
    assert Referral.objects.get().status == "draft"


def test_the_first_page_has_what_waits_for_the_institution_and_nothing_of_others(desk, alliance):
    mine = {"origin": alliance.centre, "receiver": alliance.hospital, "by": alliance.doctor}
    asked = ReferralFactory(status="asked", **mine)
    down = ReferralFactory(
        direction="down", origin=alliance.hospital, receiver=alliance.centre, by=StaffFactory(roles="doctor")
    )
    FollowUp.objects.create(referral=down, patient=down.patient, organization=alliance.centre, due_on=TODAY - A_DAY)
    other = CommunityFactory(code="SQ2", name="石埠社区")
    theirs = ReferralFactory(
        origin=other, receiver=alliance.hospital, by=StaffFactory(roles="partner", roles__at=other)
    )
    page = desk.get("/partner/").content.decode()
    for row in (asked, down):
        assert f"/referrals/{row.pk}/" in page
    assert f"/referrals/{theirs.pk}/" not in page
    assert desk.get(f"/partner/referrals/{theirs.pk}/edit/").status_code == 404
    assert "已逾期" in page


def test_the_numbers_say_when_they_are_recalled_and_then_how_many_were_lost(desk, alliance):
    """P4."""
    PoolFactory(organization=alliance.hospital, kind="public")
    take(alliance.clinic, alliance.patient, channel="partner", partner=alliance.centre.pk, confirmed=True)
    appointment_row(
        alliance.clinic, PatientFactory(), number=2, status="noshow", channel="partner", partner=alliance.centre
    )
    [found] = [pools.numbers_of(alliance.centre, alliance.hospital, now=NOW)]
    assert (found.left, found.at_stake, found.next_recall) == (2, 2, NOW + timedelta(hours=1))
    assert "data-recall" in desk.get("/partner/numbers/").content.decode()
    supply.follow_up(now=NOW + timedelta(hours=2))
    assert pools.numbers_of(alliance.centre, alliance.hospital, now=NOW + timedelta(hours=2)).rows == []
    day = alliance.clinic.day
    use = pool_use.use_of(alliance.centre, alliance.hospital, first=day, last=day, now=NOW)
    assert (use.booked, use.own, use.noshow, use.recalled, use.used_percent) == (2, 2, 1, 2, 50)
    shown = desk.get(f"/partner/use/?first={day}&last={day}").content.decode()
    assert "用掉 50%" in shown
    assert desk.get("/partner/use/?first=x&last=2026-02-31").status_code == 200


def test_signing_ends_and_begins_again_and_never_twice_at_once(desk, alliance, called):
    """R6."""
    sign = f"/partner/patients/{called}/sign/"
    year = {"first": TODAY, "last": TODAY + 364 * A_DAY, "note": "基础包"}
    wrong = desk.post(sign, year | {"last": TODAY - A_DAY})
    assert wrong.status_code == 422
    assert "基础包" in wrong.content.decode()
    assert desk.post(sign, year).status_code == 302
    assert "从第二天开始" in desk.post(sign, year).content.decode()
    row = SignedResident.objects.get()
    assert "周*明" in desk.get("/partner/residents/?q=zzm").content.decode()
    assert desk.post(f"/partner/residents/{row.pk}/end/", {"last": TODAY}).status_code == 422
    assert desk.post(f"/partner/residents/{row.pk}/end/", {"last": TODAY, "reason": "迁出"}).status_code == 302
    row.refresh_from_db()
    assert row.effective_to == TODAY
    other = CommunityFactory(code="SQ2", name="石埠社区")
    SignedResident.objects.create(
        patient=alliance.patient, organization=other, effective_from=TODAY + A_DAY, effective_to=TODAY + 90 * A_DAY
    )
    refused = desk.post(sign, year | {"first": TODAY + A_DAY}).content.decode()
    assert "石埠社区" in refused
    assert {"resident.signed", "resident.ended"} <= set(AuditEvent.objects.values_list("action", flat=True))
    theirs = SignedResident.objects.get(organization=other)
    assert desk.post(f"/partner/residents/{theirs.pk}/end/", {"last": TODAY, "reason": "x"}).status_code == 404


def test_a_guessed_or_unidentified_patient_opens_nothing(desk, alliance, called, client):
    for address in ("/partner/patients/x/", f"/partner/patients/{alliance.patient.pk}/"):
        assert desk.get(address).status_code == 404
    unasked = desk.post("/phone/", {"q": "11010519491231002X"}).headers["Location"].removeprefix("/phone/").strip("/")
    assert desk.post(f"/partner/patients/{unasked}/refer/").status_code == 404
    assert desk.get(f"/partner/patients/{unasked}/").headers["Location"] == f"/phone/{unasked}/"
    client.force_login(StaffFactory(roles="partner", roles__at=alliance.centre))
    assert client.get(f"/partner/patients/{called}/").status_code == 404  # another account's
    client.force_login(StaffFactory(roles="doctor"))
    assert client.get("/partner/").status_code == 403
    assert Appointment.objects.count() == 0
