"""Their patients in (O1): one real person is one record, whoever sends it, however often and in whatever order."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from appointments.selectors import consult
from hospital.fields import keyed_hash
from hospital.models import ApiToken, AuditEvent, Condition, ExternalRecord, Patient, PatientIdentifier
from tests.factories import NOW, IdentifierFactory, OrganizationFactory, PatientFactory

from .systems import CARD, System, person

pytestmark = pytest.mark.django_db


def test_a_new_person_is_registered_once_and_a_repeat_changes_nothing(his):
    """O1: nobody types twice."""
    first = his.patient(allergies=["青霉素"], problems=["高血压"])
    again = his.patient(allergies=["青霉素"], problems=["高血压"])

    patient = Patient.objects.get()
    assert (first.status_code, first.json()["result"]) == (201, "created")
    assert (again.status_code, again.json()["result"]) == (200, "unchanged")
    assert first.json() | {"result": ""} == again.json() | {"result": ""}
    assert first.json()["patient"] == patient.pk
    assert (patient.name, patient.sex, patient.phone, patient.insurance) == ("周志明", "F", "13800136210", "employee")
    assert patient.phone_hash == keyed_hash("phone", "13800136210")
    assert list(patient.identifiers.values_list("kind", "last4", "checked")) == [("id_card", "002X", True)]
    assert set(patient.conditions.values_list("kind", "text")) == {("allergy", "青霉素"), ("problem", "高血压")}
    done = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(done) == ["patient.registered", "patient.received"]


def test_a_person_who_is_here_already_is_found_by_the_document_and_brought_up_to_date(his):
    patient = PatientFactory(name="周志明", sex="U", birth_date=None, phone="", phone_hash="")
    IdentifierFactory(patient=patient, number=CARD)

    answer = his.patient(documents=[{"kind": "id_card", "number": " 110105 19491231 002x"},
                                    {"kind": "passport", "number": "e12345678"}])  # fmt: skip

    patient.refresh_from_db()
    assert (answer.status_code, answer.json()["patient"]) == (201, patient.pk)
    assert (patient.sex, str(patient.birth_date), patient.phone) == ("F", "1949-12-31", "13800136210")
    assert patient.identifiers.count() == 2
    assert Patient.objects.count() == 1


def test_what_is_left_out_stays_and_what_is_told_empty_goes(his):
    his.patient(allergies=["青霉素", "海鲜"], problems=["高血压"])
    answer = his.patient(
        changed_at="2026-11-23T09:10:00+08:00", allergies=["海鲜"], phone="", insurance=..., documents=[]
    )

    patient = Patient.objects.get()
    assert answer.json()["result"] == "updated"
    assert set(Condition.objects.values_list("text", flat=True)) == {"海鲜", "高血压"}
    assert (patient.phone, patient.phone_hash, patient.insurance) == ("", "", "employee")
    assert patient.identifiers.count() == 1


def their_phone(his, phone, wall):
    """What they say at that time, and what is held after it."""
    his.patient(phone=phone, changed_at=f"2026-11-23T{wall}:00+08:00")
    patient = Patient.objects.get()
    assert patient.phone_hash == (keyed_hash("phone", patient.phone) if patient.phone else "")
    return patient.phone


def here(phone):
    Patient.objects.update(phone=phone, phone_hash=keyed_hash("phone", phone) if phone else "")


def test_their_old_phone_never_overwrites_the_one_proved_here(his):
    assert their_phone(his, "13800136210", "09:00") == "13800136210"
    assert their_phone(his, "13800136211", "09:01") == "13800136211"  # a correction of theirs
    here("13900139000")  # at our window
    his.patient(phone="13800136211", insurance="resident", changed_at="2026-11-23T09:02:00+08:00")
    assert Patient.objects.get().phone == "13900139000"
    assert Patient.objects.get().insurance == "resident"
    assert their_phone(his, "13800136212", "09:03") == "13900139000"
    assert their_phone(his, "", "09:04") == "13900139000"
    assert their_phone(his, "13900139000", "09:05") == "13900139000"  # they learned of it
    assert their_phone(his, "13800136213", "09:06") == "13800136213"  # and the next change is theirs again


def test_a_phone_of_a_person_who_was_here_first_stays(his):
    IdentifierFactory(patient=PatientFactory(name="周志明", sex="U", birth_date=None, phone="13900139000"), number=CARD)
    assert their_phone(his, "13800136210", "09:00") == "13900139000"
    assert ExternalRecord.objects.exists()


def test_a_phone_released_here_stays_away_until_they_tell_a_new_one(his):
    his.patient()
    here("")  # it belongs to somebody else now
    his.patient(insurance="resident", changed_at="2026-11-23T09:02:00+08:00")
    assert Patient.objects.get().phone == ""
    assert their_phone(his, "13800136212", "09:03") == "13800136212"


def test_a_system_replaces_only_its_own_list(his, client):
    his.patient(allergies=["青霉素", "海鲜"])
    patient = Patient.objects.get()
    Condition.objects.create(patient=patient, kind="allergy", text="碘")  # noted here
    lis = System(client, name="lis")
    lis.patient("7", allergies=["青霉素", "花生"], changed_at="2026-11-23T09:01:00+08:00")
    lis.patient("7", allergies=[], changed_at="2026-11-23T09:02:00+08:00")
    assert set(patient.conditions.values_list("text", flat=True)) == {"青霉素", "海鲜", "碘"}

    lis.patient("7", allergies=["青霉素"], changed_at="2026-11-23T09:03:00+08:00")
    his.patient(allergies=["海鲜"], changed_at="2026-11-23T09:04:00+08:00")  # 青霉素 is still the other's
    facts = consult.patient_facts(patient=patient, organization_id=his.organization.pk, now=NOW)
    assert sorted(facts.allergies) == sorted(["青霉素", "海鲜", "碘"])


def test_the_consult_room_shows_what_two_systems_know_once(his, client):
    his.patient(allergies=["青霉素"], problems=["高血压"])
    System(client, name="lis").patient("7", allergies=["青霉素"], problems=["高血压"])

    facts = consult.patient_facts(patient=Patient.objects.get(), organization_id=his.organization.pk, now=NOW)
    assert (facts.allergies, facts.problems) == (["青霉素"], ["高血压"])
    assert Condition.objects.count() == 4


def test_an_older_message_never_overwrites_a_newer_one(his):
    his.patient(phone="13900139000", changed_at="2026-11-23T09:30:00+08:00")
    late = his.patient(phone="13800136210", changed_at="2026-11-23T09:00:00+08:00")

    assert (late.status_code, late.json()["result"]) == (200, "ignored")
    assert Patient.objects.get().phone == "13900139000"


def test_a_repeat_with_a_newer_time_moves_the_time_on(his):
    his.patient()
    his.patient(changed_at="2026-11-23T09:30:00+08:00")
    late = his.patient(phone="13900139000", changed_at="2026-11-23T09:20:00+08:00")

    assert late.json()["result"] == "ignored"


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"name": "周志敏"}, "姓名"), ({"birth_date": "1949-12-30", "documents": []}, "出生日期"),
     ({"sex": "M", "documents": []}, "性别")],
)  # fmt: skip
def test_a_person_who_differs_is_never_renamed_silently(his, changes, what):
    his.patient()
    answer = his.patient(changed_at="2026-11-23T09:30:00+08:00", **changes)

    assert (answer.status_code, answer.json()["code"]) == (409, "person_differs")
    assert what in answer.json()["message"]
    assert "门诊办公室" in answer.json()["next"]
    assert Patient.objects.get().name == "周志明"


def test_a_known_document_under_another_name_goes_to_the_office(his):
    IdentifierFactory(patient=PatientFactory(name="李秀英"), number=CARD)
    answer = his.patient()

    assert (answer.status_code, answer.json()["code"]) == (409, "person_differs")
    assert not ExternalRecord.objects.exists()
    assert "周" not in answer.content.decode()


def test_a_document_of_somebody_else_is_refused_and_nothing_is_written(his):
    his.patient()
    IdentifierFactory(patient=PatientFactory(), kind="passport", number="E12345678")
    answer = his.patient(
        changed_at="2026-11-23T09:30:00+08:00",
        phone="13900139000",
        documents=[{"kind": "passport", "number": "E12345678"}],
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "document_of_another")
    assert Patient.objects.get(name="周志明").phone == "13800136210"


def test_documents_of_two_people_are_refused(his):
    IdentifierFactory(patient=PatientFactory(), number=CARD)
    IdentifierFactory(patient=PatientFactory(), kind="passport", number="E12345678")
    answer = his.patient(documents=[{"kind": "id_card", "number": CARD}, {"kind": "passport", "number": "E12345678"}])

    assert (answer.status_code, answer.json()["code"]) == (409, "documents_of_two_people")


def test_a_record_that_was_closed_is_not_reopened(his):
    his.patient()
    Patient.objects.update(active=False)
    answer = his.patient(changed_at="2026-11-23T09:30:00+08:00", phone="13900139000")

    assert (answer.status_code, answer.json()["code"]) == (409, "person_inactive")


def test_two_numbers_of_theirs_may_mean_one_person(his):
    his.patient("1001")
    answer = his.patient("1002")

    assert (answer.status_code, Patient.objects.count(), ExternalRecord.objects.count()) == (201, 1, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": ...}, "name"),
        ({"name": 7}, "name"),
        ({"sex": "X"}, "sex"),
        ({"sex": "M"}, "sex"),
        ({"birth_date": "1949-12-30"}, "birth_date"),
        ({"birth_date": "2027-01-01", "documents": []}, "birth_date"),
        ({"birth_date": "31.12.1949"}, "birth_date"),
        ({"phone": "12"}, "phone"),
        ({"insurance": "gold"}, "insurance"),
        ({"documents": []}, "documents"),
        ({"documents": [{"kind": "id_card", "number": "110105194912310021"}]}, "documents.0.number"),
        ({"documents": [{"kind": "badge", "number": "1"}]}, "documents.0.kind"),
        ({"documents": "none"}, "documents"),
        ({"changed_at": "2026-11-23T09:00:00"}, "changed_at"),
        ({"changed_at": "2026-11-23T10:06:00+08:00"}, "changed_at"),
        ({"changed_at": ...}, "changed_at"),
        ({"allergies": ["x" * 61]}, "allergies.0"),
        ({"full_name": "周志明"}, "full_name"),
    ],
)
def test_what_is_wrong_is_named_by_field(his, changes, field):
    answer = his.patient(**changes)

    assert answer.status_code == 422, answer.content
    assert list(answer.json()["fields"]) == [field]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "null", "", b"\xff"])
def test_a_body_that_is_no_object_is_refused(his, body):
    assert his.put("patients/1001", body).status_code == 422


@pytest.mark.parametrize("number", [CARD, "x" * 65, "a%20b", "%0A"])
def test_a_number_that_can_be_no_number_of_theirs_is_refused(his, number):
    answer = his.patient(number)
    assert answer.status_code in {404, 422}
    assert not Patient.objects.exists()


@pytest.mark.parametrize("scopes", [["read"], ["book", "book_anyone"]])
def test_a_token_of_another_scope_writes_nothing(client, stopped, scopes):
    other = System(client, scopes=scopes)
    answer = other.patient()

    assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
    assert not Patient.objects.exists()


def test_an_expired_revoked_or_missing_token_writes_nothing(his):
    ApiToken.objects.update(expires_at=NOW - timedelta(seconds=1))
    assert his.patient().status_code == 401
    ApiToken.objects.update(expires_at=NOW + timedelta(days=1), revoked_at=NOW)
    assert his.patient().status_code == 401
    his.bearer = ""
    assert his.patient().status_code == 401


def test_the_same_number_of_another_system_is_another_number(his, client):
    his.patient("1001")
    lis = System(client, name="lis", organization=OrganizationFactory(code="H2", name="第二医院"))
    answer = lis.put("patients/1001", person(name="王芳", sex="F", birth_date="1990-03-07", documents=[
        {"kind": "passport", "number": "E7654321"}]))  # fmt: skip

    assert (answer.status_code, Patient.objects.count()) == (201, 2)


def test_the_trail_and_the_records_hold_no_personal_data(his):
    his.patient(allergies=["青霉素"])
    trail = list(AuditEvent.objects.values_list("detail", "subject"))
    kept = json.dumps(
        [trail, list(ExternalRecord.objects.values_list("number", "digest", "subject", "phone_told"))], default=str
    )

    for said in ("周志明", "13800136210", CARD, "1949", "青霉素"):
        assert said not in kept


def test_a_message_costs_few_queries_and_a_repeat_fewer(his, django_assert_max_num_queries):
    with django_assert_max_num_queries(32):
        his.patient(allergies=["青霉素"])
    with django_assert_max_num_queries(6):
        his.patient(allergies=["青霉素"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("numbers", [["1001"] * 6, ["1001", "1002"] * 3], ids=["one number", "two numbers"])
def test_messages_about_one_person_at_the_same_moment_make_one_record(his, numbers):
    def send(number):
        try:
            return System.put(his, f"patients/{number}", person()).status_code
        finally:
            connection.close()

    his.client = Client()
    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(send, numbers))

    assert set(answers) <= {200, 201}, answers
    assert answers.count(201) == len(set(numbers))
    assert (Patient.objects.count(), PatientIdentifier.objects.count()) == (1, 1)
    assert ExternalRecord.objects.count() == len(set(numbers))
