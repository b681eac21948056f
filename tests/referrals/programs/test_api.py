"""R1, R7, P10: a lower institution's own system refers, over the same services as its pages."""

import pytest

from appointments.models import Appointment
from hospital.models import Agreement, ApiToken, AuditEvent, Patient
from referrals.models import Attachment, Referral
from referrals.services import answering
from tests.exams.reports.scenes import pdf
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    DepartmentFactory,
    PatientFactory,
    ReferralFactory,
    StaffFactory,
    add_numbers,
    open_schedule,
)
from tests.factories.supply import PoolFactory
from tests.referrals.admission.pictures import jpeg

from .conftest import PERSON, WRITTEN, drafted, program_of

pytestmark = pytest.mark.django_db
PDF = pdf()


def attach(program, pk, content=PDF, kind="application/pdf", name="化验单.pdf"):
    return program.client.post(
        f"/api/v1/referrals/{pk}/attachments/?name={name}", data=content, content_type=kind,
        headers={"Authorization": f"Bearer {program.secret}"},
    )  # fmt: skip


def test_draft_attach_send_answer_and_read(partner, hospital, department):
    """R1: a person found or registered by document, a file, the question back, the trail of both sides."""
    before = Patient.objects.count()
    draft = drafted(partner, department)
    assert (draft["status"], draft["direction"], draft["patient"]["name"]) == ("draft", "up", PERSON["name"])
    assert hospital.get(f"/referrals/{draft['id']}/").status_code == 404  # a draft is its writer's
    again = drafted(partner, DepartmentFactory(code="D2"), history="")
    assert again["patient"]["id"] == draft["patient"]["id"]
    assert Patient.objects.count() == before + 1

    assert attach(partner, draft["id"]).status_code == 201
    assert attach(partner, draft["id"]).json()["code"] == "attached_already"
    sent = partner.post(f"/referrals/{draft['id']}/send/").json()
    assert (sent["status"], [file["name"] for file in sent["attachments"]]) == ("sent", ["化验单.pdf"])

    row = Referral.objects.get(pk=draft["id"])
    answering.ask_back(referral=row, question="近期肾功能？", by=StaffFactory(roles="referral"), now=NOW)
    path = f"/referrals/{row.pk}/answer/"
    assert hospital.post(path, {"text": "肌酐 86"}).json()["code"] == "referral_not_their_turn"
    assert partner.post(path, {"text": "肌酐 86"}, key="same").json()["status"] == "answered"
    assert partner.post(path, {"text": "肌酐 86"}, key="same").status_code == 200
    assert partner.post(path, {"text": "别的"}, key="same").json()["code"] == "key_reused"
    seen = hospital.get(f"/referrals/{row.pk}/").json()
    assert [step["kind"] for step in seen["events"]] == ["created", "sent", "asked", "answered"]
    assert seen["history"] == WRITTEN["history"]
    assert AuditEvent.objects.filter(action="referral.read", subject=f"referral:{row.pk}").count() == 1
    assert [row["id"] for row in partner.rows("/referrals/", {"box": "sent", "status": "answered"})] == [row.pk]
    assert partner.rows("/referrals/", {"box": "received"}) == []


def test_one_key_is_one_draft_and_what_is_missing_is_named(partner, department):
    said = {"person": PERSON, "department": department.pk, "reason": "头痛"}
    first, second = (partner.post("/referrals/", said, key="one") for _each in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    path = f"/referrals/{first.json()['id']}/"
    refused = partner.post(f"{path}send/")
    assert (refused.status_code, refused.json()["code"]) == (409, "referral_incomplete")
    assert set(refused.json()["fields"]) == {"diagnosis", "history", "consent"}
    kept = {"diagnosis": "高血压", "history": "八年", "consent": "patient"}
    changed = partner.client.patch(
        f"/api/v1{path}", data=kept, content_type="application/json",
        headers={"Authorization": f"Bearer {partner.secret}"},
    )  # fmt: skip
    assert (changed.json()["diagnosis"], changed.json()["reason"]) == ("高血压", "头痛")
    assert partner.post(f"{path}send/").json()["status"] == "sent"
    assert partner.post(f"{path}withdraw/").json()["code"] == "referral_needs_reason"
    assert partner.post(f"{path}withdraw/", {"reason": "患者已好转"}).json()["status"] == "withdrawn"


def test_a_child_does_not_consent_and_whoever_does_is_named(partner, department):
    child = {
        "name": "周小明",
        "document": {"kind": "passport", "number": "E12345678"},
        "birth_date": "2020-05-01",
    }
    draft = drafted(partner, department, person=child)
    path = f"/referrals/{draft['id']}/"
    assert partner.post(f"{path}send/").json()["code"] == "child_cannot_consent"
    Referral.objects.filter(pk=draft["id"]).update(consent="guardian")
    assert "consenter" in partner.post(f"{path}send/", key="one").json()["fields"]
    sent = partner.post(f"{path}send/", {"consenter": "李秀英（母亲）"}, key="two").json()
    assert (sent["status"], sent["events"][-1]["text"]) == ("sent", "李秀英（母亲）")


def test_a_number_of_its_own_pool_goes_with_the_referral(partner, community, department):
    """R1: booked by the referral in the same step; all or nothing."""
    schedule = open_schedule(numbers=0, department=department)
    pool = PoolFactory(organization=schedule.organization, kind="partner", name="柳堤", partner=community)
    add_numbers(schedule, count=2, pool=pool)
    draft = drafted(partner, department, consent=None)
    held = partner.post(f"/schedules/{schedule.pk}/appointments/", {"patient": draft["patient"]["id"]}).json()
    path = f"/referrals/{draft['id']}/"
    refused = partner.post(f"{path}send/", {"appointment": held["appointment"]})
    assert refused.json()["code"] == "referral_incomplete"
    assert partner.get(f"/appointments/{held['appointment']}/").json()["status"] == "pending"  # the hold stays
    Referral.objects.filter(pk=draft["id"]).update(consent="patient", consented_at=NOW)
    sent = partner.post(f"{path}send/", {"appointment": held["appointment"]}).json()
    assert (sent["status"], sent["appointment"]["status"]) == ("booked", "booked")


def test_a_strangers_referral_and_patient_are_not_found(partner, hospital, community, department):
    """P10: another institution's are as if they were not there."""
    other = CommunityFactory(code="SQ2", name="石埠社区")
    theirs = ReferralFactory(origin=other, department=department)
    path = f"/referrals/{theirs.pk}/"
    assert partner.get(path).status_code == 404
    for verb in ("send", "answer", "withdraw"):
        assert partner.post(f"{path}{verb}/", {"text": "x"} if verb == "answer" else {}).status_code == 404
    assert attach(partner, theirs.pk).status_code == 404
    assert [row["id"] for row in hospital.rows("/referrals/")] == [theirs.pk]
    stranger = PatientFactory()
    said = {"patient": stranger.pk, "department": department.pk}
    assert partner.post("/referrals/", said).json()["code"] == "no_patient"
    ReferralFactory(origin=community, patient=stranger, department=DepartmentFactory(code="D9"))
    assert partner.post("/referrals/", said).status_code == 201


def test_a_number_taken_for_a_guessed_id_makes_nobody_known(partner, community, department):
    """P10: a program books anyone by id alone; who the person is it hears when they came, or by their document."""
    schedule, stranger = open_schedule(numbers=0, department=department), PatientFactory()
    pool = PoolFactory(organization=schedule.organization, kind="partner", name="柳堤", partner=community)
    add_numbers(schedule, count=2, pool=pool)
    taken = partner.post(f"/schedules/{schedule.pk}/appointments/", {"patient": stranger.pk}).json()["appointment"]
    said = {"patient": stranger.pk, "department": department.pk}
    assert partner.post("/referrals/", said).json()["code"] == "no_patient"
    number = Appointment.objects.filter(pk=taken)
    number.update(by=None)  # what the waitlist gave to an id that a program put on it
    assert partner.post("/referrals/", said).json()["code"] == "no_patient"
    number.update(by=StaffFactory(roles="partner", roles__at=community))  # at the desk the document was asked
    assert partner.post("/referrals/", said).status_code == 201


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_no_day_is_too_far_for_the_list(partner, day):
    assert partner.rows("/referrals/", {"created_from": day, "created_to": day}) == []


def test_nothing_after_the_agreement_and_the_token_are_over(partner, community, department):
    """P10: a partner whose contract ended; a token that leaked and was revoked."""
    draft = drafted(partner, department)
    span = {"effective_from": TODAY.replace(month=1), "effective_to": TODAY.replace(month=2)}
    Agreement.objects.create(hospital=department.organization, member=community, **span)
    assert partner.post(f"/referrals/{draft['id']}/send/").json()["code"] == "agreement_ended"
    ApiToken.objects.update(revoked_at=NOW)
    assert partner.get("/referrals/").status_code == 401
    booking_only = program_of(community, "read", "book")
    assert booking_only.get("/referrals/").json()["code"] == "out_of_scope"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"department": 0}, "department"),
        ({"department": 2**62}, "department"),
        ({"patient": 1}, "patient"),
        ({"doctor": 2**62}, "doctor"),
        ({"urgency": "soon"}, "urgency"),
        ({"diagnosis_code": "高血压"}, "diagnosis_code"),
        ({"history": "x" * 4001}, "history"),
        ({"story": "x"}, "story"),
        ({"reason": "a\0b"}, "reason"),
        ({"person": {**PERSON, "document": {"kind": "id_card"}}}, "person.document.number"),
    ],
)
def test_what_is_wrong_is_named_by_field(partner, department, change, field):
    said = {"person": PERSON, "department": department.pk, **change}
    answer = partner.post("/referrals/", said)
    assert answer.status_code == 422
    assert field in answer.json()["fields"]
    assert not Referral.objects.exists()


def test_a_document_of_somebody_called_otherwise_renames_nobody(partner, department):
    drafted(partner, department)
    said = {"person": {**PERSON, "name": "周志刚"}, "department": department.pk}
    assert partner.post("/referrals/", said).json()["code"] == "person_differs"


def test_bad_files_are_refused_by_what_they_are(partner, department, settings):
    """R1: wrong type, a script inside, too long, none at all, and not even JSON."""
    pk = drafted(partner, department)["id"]
    assert attach(partner, pk, jpeg(), "image/jpeg", "x.jpg").status_code == 201
    assert attach(partner, pk, PDF).status_code == 201
    assert attach(partner, pk, b"MZ\x90", "application/pdf").json()["code"] == "unfit_file"
    assert attach(partner, pk, pdf(more=b"/OpenAction << /S /JavaScript /JS (x) >>")).status_code == 422
    assert attach(partner, pk, b"").json()["code"] == "unfit_file"
    assert attach(partner, pk, b"{}", "application/json").status_code == 415
    assert attach(partner, pk, b"%PDF-1.4" + b"x" * 11 * 2**20).json()["code"] == "attachment_too_long"
    assert attach(partner, pk, b"x" * (20 * 2**20 + 1)).json()["code"] == "too_large"
    assert attach(partner, pk, name="").status_code == 422
    assert Attachment.objects.count() == 2
