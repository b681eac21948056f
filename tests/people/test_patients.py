"""就诊人: registered once, found quickly, stored unreadable (M3, O4)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection

from hospital import audit, patients
from hospital.errors import Refused
from hospital.models import AuditEvent, Patient, PatientIdentifier
from hospital.patients import AlreadyRegistered, register_patient, search
from tests.factories import NOW, IdentifierFactory, PatientFactory, StaffFactory

pytestmark = pytest.mark.django_db
CARD = ("id_card", "11010519491231002X")


def register(**changes):
    facts = {"name": "李秀英", "documents": [CARD], "phone": "138 0013 6210", "by": None, "now": NOW, **changes}
    return register_patient(**facts)


def names(text):
    return [found.patient.name for found in search(text).people]


def test_a_person_is_registered_with_what_the_card_says():
    patient = register(by=StaffFactory(roles="counter"), seen=True)
    assert (patient.sex, patient.birth_date, patient.phone) == ("F", date(1949, 12, 31), "13800136210")
    assert (patient.pinyin, patient.initials) == ("lixiuying", "lxy")
    assert patient.medical_number.startswith("M")
    card = patient.identifiers.get()
    assert (card.checked, card.last4, card.seen_at) == (True, "002X", NOW)


def test_registering_leaves_a_trail_without_personal_data():
    clerk = StaffFactory(roles="counter")
    patient = register(by=clerk)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.patient, event.detail) == ("patient.registered", clerk, patient, {})


def test_phone_and_document_are_unreadable_in_the_database():
    register()
    with connection.cursor() as cursor:
        cursor.execute("SELECT p.phone || p.phone_hash || i.number || i.number_hash FROM hospital_patient p"
                       " JOIN hospital_patientidentifier i ON i.patient_id = p.id")  # fmt: skip
        stored = cursor.fetchone()[0]
    assert "13800136210" not in stored
    assert "110105" not in stored


def test_the_same_document_twice_is_refused_and_names_whom_it_belongs_to_masked():
    first = register()
    with pytest.raises(AlreadyRegistered) as refusal:
        register(name="王五", documents=[("id_card", "11010519491231002x")])
    assert refusal.value.sentence == f"这个证件已建档：李*英，门诊号 {first.medical_number}。"
    assert Patient.objects.count() == 1


def test_two_persons_may_share_name_and_phone_but_no_document():
    register()
    other = register(documents=[("passport", "E12345678")])
    assert names("13800136210") == ["李秀英", "李秀英"]
    with pytest.raises(IntegrityError):
        IdentifierFactory(patient=other)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"birth_date": date(1950, 1, 1)}, "document_mismatch"),
        ({"sex": "M"}, "document_mismatch"),
        ({"documents": []}, "missing_document"),
        ({"name": "  "}, "missing_document"),
        ({"documents": [("passport", "E12345678")], "birth_date": date(2026, 11, 24)}, "impossible_birth_date"),
        ({"documents": [("id_card", "440524188001010014")]}, None),
        ({"documents": [("passport", "E12345678")], "birth_date": date(1850, 1, 1)}, "impossible_birth_date"),
        ({"documents": [("id_card", "110105194912310021")]}, "bad_document"),
        ({"phone": "123"}, "bad_phone"),
    ],
)
def test_what_can_not_be_true_is_refused_with_its_reason(changes, code):
    if code is None:
        assert register(**changes).pk
        return
    with pytest.raises(Refused) as refusal:
        register(**changes)
    assert refusal.value.code == code
    assert Patient.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_ten_desks_register_the_same_person_at_once_and_there_is_one():
    def desk(_):
        try:
            return register().pk
        except AlreadyRegistered:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as desks:
        made = [pk for pk in desks.map(desk, range(10)) if pk]
    assert len(made) == Patient.objects.count() == PatientIdentifier.objects.count() == 1


def test_medical_numbers_are_never_given_twice():
    numbers = patients.medical_numbers(50)
    assert len(set(numbers) | set(patients.medical_numbers(50))) == 100


def test_a_person_is_found_by_document_phone_number_name_pinyin_and_initials():
    patient = register()
    PatientFactory(name="王建国", pinyin="wangjianguo", initials="wjg", phone="", medical_number="M00000099")
    typed = [
        "11010519491231002X", "1101 0519 4912 31002x", "13800136210", "+86 138 0013 6210", patient.medical_number,
        patient.medical_number.lower(), "李秀英", "李秀", "李", "lixiuying", "lixiu", "lxy", "LXY", "li xiu ying",
    ]  # fmt: skip
    assert {text: names(text) for text in typed} == {text: ["李秀英"] for text in typed}


@pytest.mark.parametrize("text", ["", " ", "l", "1380", "%", "_", "张", "E99999999", "zzz", "'; --", "秀英"])
def test_what_matches_nobody_finds_nobody(text):
    register()
    assert names(text) == []


def test_whole_names_come_before_beginnings_and_there_are_at_most_twenty():
    for n in range(25):
        PatientFactory(name=f"李秀英{'甲乙丙丁戊'[n % 5]}", pinyin=f"lixiuying{n}", initials="lxyx")
    register(phone="")
    results = search("李秀英")
    assert [found.patient.name for found in results.people][0] == "李秀英"
    assert (len(results.people), results.more) == (20, True)


def test_results_are_masked():
    register()
    found = search("lxy").people[0]
    assert (found.name, found.phone, found.documents) == ("李*英", "138****6210", ["002X"])


def test_a_deactivated_record_is_not_found():
    patient = register()
    Patient.objects.filter(pk=patient.pk).update(active=False)
    assert names("李秀英") == []


def test_looking_at_a_patient_leaves_one_row_in_ten_minutes_and_another_after():
    doctor, patient = StaffFactory(roles="doctor"), PatientFactory()
    for minutes in (0, 1, 9, 11):
        audit.saw_patient(patient=patient, actor=doctor, where="consult", now=NOW + timedelta(minutes=minutes))
    looks = AuditEvent.objects.filter(action="patient.seen.consult", patient=patient, actor=doctor)
    assert list(looks.order_by("at").values_list("at", flat=True)) == [NOW, NOW + timedelta(minutes=11)]


@pytest.mark.parametrize("sql", ["UPDATE hospital_auditevent SET action = 'y'", "DELETE FROM hospital_auditevent"])
def test_the_trail_can_not_be_changed_or_deleted_even_by_sql(sql):
    audit.record(action="x", actor=None, now=NOW)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="Cannot update or delete rows"):
        cursor.execute(sql)


def test_a_search_costs_at_most_three_queries(django_assert_max_num_queries):
    for _ in range(5):
        PatientFactory()
    with django_assert_max_num_queries(3):
        search("lxy")


@pytest.mark.parametrize("text", ["李秀英", "lxy", "13800136210", "11010519491231002X", "M10000001"])
def test_every_kind_of_search_has_an_index(text):
    _by, exact, beginnings = patients._readings(text)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a small table would be read whole even with an index
    for condition in (exact, beginnings):
        if condition is not None:
            assert "Seq Scan" not in patients._active(condition)[:21].explain()
