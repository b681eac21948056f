"""R1: what was meant is what is kept: a diagnosis that was picked, a guardian who is named, words nobody overwrote."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from appointments.services import changes
from hospital.errors import Refused
from referrals import errors
from referrals.forms.icd10 import DiagnosisForm
from referrals.models import Referral
from referrals.selectors import icd10, pools
from referrals.selectors.holding import held_by
from referrals.selectors.story import story_of
from referrals.services import sending_up, writing
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    DepartmentFactory,
    ReferralFactory,
    StaffFactory,
    add_numbers,
    appointment_row,
)

from .test_pages import typed

WRITTEN = {"reason": "血压控制不佳", "diagnosis": "高血压", "diagnosis_code": "I10", "history": "8 年"}


def begin(alliance, *, origin=None, by=None, **more):
    return writing.draft(
        patient=alliance.patient, origin=origin or alliance.centre, receiver=alliance.hospital, direction="up",
        by=by or alliance.doctor, now=NOW, **(WRITTEN | {"consent": "patient"} | more),
    )  # fmt: skip


@pytest.fixture
def draft(alliance):
    return begin(alliance, department=alliance.clinic.department)


@pytest.fixture
def desk(client, alliance):
    client.force_login(alliance.doctor)
    return client


@pytest.mark.parametrize(
    ("code", "box", "kept", "asks"),
    [
        ("I10", "gxy", "I10", False),
        ("", "gxy", "", True),  # several begin so
        ("", "i10", "I10", False),  # a whole code
        ("", "E1", "", True),
        ("", "yfxgxy", "I10", False),  # only one can be meant
        ("I10", "高血压 3 级", "I10", False),  # words of one's own beside the code
        ("I10", "tnb", "", True),  # picked for what stood there before
        ("I10", "糖尿病", "", False),
        ("", "高血压", "", False),
        ("", "hypertension grade 3", "", False),
    ],
)
def test_a_code_is_what_the_pick_and_the_box_say_together(code, box, kept, asks):
    assert (icd10.meant(code, box), icd10.only_searched(code, box)) == (kept, asks)
    form = DiagnosisForm({"diagnosis": box, "diagnosis_code": code})
    assert form.is_valid() is not asks


def test_initials_are_no_diagnosis_to_send(desk, draft):
    letter = f"/partner/referrals/{draft.pk}/edit/"
    words = {"urgency": "routine", "reason": "头晕", "history": "一周", "consent": "patient", "diagnosis": "gxy"}
    words["wish"] = f"department-{draft.department_id}"
    answer = desk.post(letter, words | {"act": "send"})
    assert answer.status_code == 422
    assert 'id="id_diagnosis_error"' in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.status, draft.diagnosis, draft.reason) == ("draft", "gxy", "头晕")  # kept as it stands in the box
    assert desk.post(letter, words | {"act": "send", "diagnosis_code": "I10"}).status_code == 302
    draft.refresh_from_db()
    assert (draft.status, draft.diagnosis) == ("sent", "原发性高血压")


def test_a_child_does_not_consent_alone_and_the_trail_names_who_did(desk, alliance, draft):
    alliance.patient.birth_date = TODAY - timedelta(days=13 * 365)
    alliance.patient.save()
    letter = f"/partner/referrals/{draft.pk}/edit/"
    words = typed(alliance, wish=f"department-{draft.department_id}", act="send")
    alone = desk.post(letter, words)
    assert (alone.status_code, "未满 14 周岁" in alone.content.decode()) == (409, True)
    unnamed = desk.post(letter, words | {"consent": "guardian"})
    assert (unnamed.status_code, 'id="id_consenter_error"' in unnamed.content.decode()) == (422, True)
    desk.post(letter, words | {"consent": "guardian", "consenter": "李秀英（母亲）", "act": "save"})
    assert "李秀英（母亲）" in desk.get(letter).content.decode()  # nothing typed is lost
    assert desk.post(letter, words | {"consent": "guardian", "consenter": "李秀英（母亲）"}).status_code == 302
    assert "同意人：李秀英（母亲）" in [line.words for line in story_of(Referral.objects.get())]


def test_two_windows_on_one_draft_overwrite_nothing_unseen(desk, alliance, draft):
    colleague = Client()
    colleague.force_login(StaffFactory(roles="partner", roles__at=alliance.centre))
    letter, keep = (f"/partner/referrals/{draft.pk}/{act}/" for act in ("edit", "keep"))
    mine, theirs = (page.get(letter).context for page in (desk, colleague))
    words = typed(alliance, wish=f"department-{draft.department_id}")
    one = words | {"window": mine["window"], "seen": mine["page"].seen}
    two = words | {"window": theirs["window"], "seen": theirs["page"].seen}
    assert desk.post(keep, one | {"history": "三年"}).status_code == 200
    assert desk.post(keep, one | {"history": "三年余"}).status_code == 200  # the answer before was cut off
    late = colleague.post(keep, two | {"history": "不详"}, headers={"HX-Request": "true"})
    assert (late.status_code, "还没有保存" in late.content.decode()) == (422, True)
    assert late["HX-Retarget"] == "#saved"  # or the script drops what nobody asked for
    draft.refresh_from_db()
    assert draft.history == "三年余"
    pressed = colleague.post(letter, two | {"history": "不详", "act": "send"})
    page = pressed.content.decode()
    assert (pressed.status_code, pressed.context["theirs"]) == (409, [("病史摘要", "三年余")])
    assert "不详" in page  # what was typed here stands in its box
    again = two | {"seen": pressed.context["page"].seen, "history": "不详，三年余"}
    assert colleague.post(letter, again).status_code == 302
    draft.refresh_from_db()
    assert draft.history == "不详，三年余"


def test_of_another_institutions_letter_only_that_it_is_under_way_is_said(alliance, draft):
    other = CommunityFactory(code="SQ2", name="石埠社区")
    first = ReferralFactory(
        patient=alliance.patient, department=draft.department, origin=other, receiver=alliance.hospital,
        by=StaffFactory(roles="partner", roles__at=other),
    )  # fmt: skip
    with pytest.raises(errors.ReferredElsewhere) as refused:
        writing.send(referral=draft, by=alliance.doctor, now=NOW)
    assert first.number not in refused.value.in_full
    assert other.name not in refused.value.in_full


def test_no_second_number_on_a_day_in_a_department_where_the_patient_has_one(desk, alliance, draft):
    own = appointment_row(alliance.clinic, alliance.patient, number=4)
    letter = f"/partner/referrals/{draft.pk}/edit/"
    slot = f"hold:{alliance.clinic.pk}@{alliance.clinic.starts_at.isoformat()}"
    words = typed(alliance, act=slot, history="十年")
    refused = desk.post(letter, words)
    assert (refused.status_code, "同一天同一科室已有预约" in refused.content.decode()) == (409, True)
    assert "十年" in refused.content.decode()
    changes.cancel(appointment=own, by=None, channel="counter", now=NOW)
    for _twice in range(2):  # the same time again, or another: the hold only moves
        assert desk.post(letter, words).status_code == 302
    assert held_by(draft, now=NOW).schedule == alliance.clinic


def test_a_hold_that_ran_out_beside_the_open_page_leaves_the_department(desk, alliance, draft):
    sending_up.hold(
        referral=draft, schedule=alliance.clinic, start=alliance.clinic.starts_at, by=alliance.doctor, now=NOW,
        decided=NOW,
    )  # fmt: skip
    sending_up.release(referral=draft, by=alliance.doctor, now=NOW, decided=NOW)
    words = typed(alliance, history="十年")
    del words["wish"]  # the page showed the hold, not the choice
    assert desk.post(f"/partner/referrals/{draft.pk}/keep/", words).status_code == 200
    draft.refresh_from_db()
    assert (draft.history, draft.role, draft.department) == ("十年", alliance.clinic.role, alliance.clinic.department)


def test_without_script_a_sought_department_is_offered_after_saving(desk, alliance, draft):
    initials = alliance.clinic.department.name[:2]
    saved = desk.post(f"/partner/referrals/{draft.pk}/edit/", typed(alliance, wish="", wish_q=initials))
    assert f"department-{draft.department_id}" in desk.get(saved["Location"]).content.decode()


def test_of_what_is_left_the_desk_says_how_many_are_for_signed_residents(desk, alliance):
    """R6."""
    add_numbers(alliance.clinic, count=3, pool="signed")
    [cell] = [cell for row in pools.numbers_of(alliance.centre, alliance.hospital, now=NOW).rows for cell in row.cells]
    assert (cell.left, cell.signed) == (7, 3)
    assert "其中签约居民 3" in desk.get("/partner/numbers/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_family_doctors_send_the_same_patient_at_the_same_moment(alliance):
    other = CommunityFactory(code="SQ2", name="石埠社区")
    desks = [(alliance.centre, alliance.doctor), (other, StaffFactory(roles="partner", roles__at=other))]
    gate = Barrier(2)

    def send(letter):
        try:
            gate.wait(10)
            return sending_up.send_to_office(referral=letter, by=letter.by, now=NOW, decided=NOW).status
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    for _turn in range(3):
        place = DepartmentFactory(organization=alliance.hospital)
        letters = [begin(alliance, origin=origin, by=by, department=place) for origin, by in desks]
        with ThreadPoolExecutor(2) as crowd:
            done = list(crowd.map(send, letters))
        assert sorted(done) == ["referred_elsewhere", "sent"]
        assert sorted(Referral.objects.filter(department=place).values_list("status", flat=True)) == ["draft", "sent"]
