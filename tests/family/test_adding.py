"""Adding a person to an account: real name, document, proof (B22), and what a stranger can't find out (B16)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection

from hospital import family
from hospital.family_policies import (
    AlreadyYours,
    ChildHasNoAccount,
    FamilyFull,
    GuardianNeeded,
    SecondSelf,
    TooManyAdditions,
    TooManyWrongTries,
)
from hospital.identity import BadDocument
from hospital.models import AccountRule, AuditEvent, Consent, Patient, PatientIdentifier, RelatedPerson
from tests.factories import NOW, AccountFactory, NoticeFactory, PatientFactory, RelatedPersonFactory

from .people import CARD, CHILD_CARD, OTHER_CARD, person, registered

pytestmark = pytest.mark.django_db


def add(account, *, now=NOW, **fields):
    return family.add(account=account, person=person(**fields), now=now)


def test_an_unknown_document_makes_a_record_of_its_own(account):
    """B22: real name and document, birth date and sex from the card, the account's phone where none is told."""
    row = add(account)

    patient = Patient.objects.get()
    assert (row.patient, row.relation, row.proof, row.place, row.guardian) == (patient, "self", "registered", 1, False)
    assert (patient.name, patient.sex, patient.birth_date) == ("李秀英", "F", date(1949, 12, 31))
    assert patient.phone == "13800000001"
    assert PatientIdentifier.objects.get().last4 == "002X"
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["patient.registered", "family.added"]


def test_a_known_person_with_the_accounts_own_phone_is_bound_at_once(account):
    patient = registered(phone="13800000001")

    row = add(account, name=" 李秀英 ")

    assert (row.patient, row.proof) == (patient, "phone")
    assert Patient.objects.count() == 1


def test_a_known_person_with_another_phone_has_to_answer_a_code_first(account):
    patient = registered(phone="13800136210")

    needed = add(account)

    assert isinstance(needed, family.CodeNeeded)
    assert needed.patient == patient
    assert not RelatedPerson.objects.exists()

    row = family.bind_proved(account=account, patient=patient, relation="self", agreed=False, now=NOW)
    assert (row.patient, row.proof) == (patient, "phone")


@pytest.mark.parametrize("phone", ["", "01062341234", "+85291234567"])
def test_a_record_without_a_mobile_sends_people_to_the_window(account, phone):
    registered(phone=phone)
    with pytest.raises(family.GoToTheWindow):
        add(account)


def test_a_wrong_name_is_refused_in_words_that_tell_nothing_of_the_registered_person(account):
    """B16: whoever bought a document number does not learn whose it is, or that it is known by phone."""
    registered(name="周志明", phone="13800136210")
    with pytest.raises(family.NameMismatch) as refusal:
        add(account, name="李秀英")
    said = refusal.value.sentence + refusal.value.next
    assert said.startswith("姓名和证件号码对不上。")
    assert not any(part in said for part in ("周", "志", "明", "6210", "138"))


def test_a_closed_record_answers_like_a_wrong_name(account):
    registered(active=False, phone="13800000001")
    with pytest.raises(family.NameMismatch):
        add(account)


def test_five_wrong_names_a_day_then_none_until_the_hospitals_midnight(account):
    registered(name="周志明", phone="13800000001")
    for _try in range(5):
        with pytest.raises(family.NameMismatch):
            add(account)
    with pytest.raises(TooManyWrongTries):
        add(account, name="周志明")
    with pytest.raises(TooManyWrongTries):  # 23:59 there
        add(account, name="周志明", now=NOW + timedelta(hours=13, minutes=59))

    assert add(account, name="周志明", now=NOW + timedelta(hours=14)).proof == "phone"
    assert AuditEvent.objects.filter(action="family.refused").count() == 5


def test_anothers_wrong_names_do_not_count(account):
    registered(name="周志明", phone="13800000001")
    other = AccountFactory()
    for _try in range(5):
        with pytest.raises(family.NameMismatch):
            add(other)
    assert add(account, name="周志明")


def test_the_trail_of_a_wrong_name_holds_no_personal_data(account):
    registered(name="周志明")
    with pytest.raises(family.NameMismatch):
        add(account)
    event = AuditEvent.objects.get(action="family.refused")
    assert (event.detail, event.patient, event.subject) == ({"kind": "id_card"}, None, "")


def test_a_number_with_one_digit_wrong_is_no_document(account):
    with pytest.raises(BadDocument):
        add(account, number=CARD[:-2] + "1X")
    assert not AuditEvent.objects.filter(action="family.refused").exists()


def test_a_second_self_is_refused(account):
    add(account)
    with pytest.raises(SecondSelf):
        add(account, name="周志明", number=OTHER_CARD)


def test_the_same_person_twice_is_refused(account):
    add(account)
    with pytest.raises(AlreadyYours):
        add(account, relation="parent")


def test_mother_and_father_look_after_one_child(account):
    """B22: a person of one account is bound to a second one by the same proof."""
    mother = AccountFactory()
    child = registered(name="李小宝", number=CHILD_CARD, phone="13800000001", birth_date=date(2015, 1, 1))
    RelatedPersonFactory(account=mother, patient=child, relation="child", guardian=True)

    row = add(account, name="李小宝", number=CHILD_CARD, relation="child", agreed=True)

    assert row.patient == child
    assert family.is_mine(mother, child.pk)
    assert family.is_mine(account, child.pk)


def test_a_child_needs_a_guardian_who_agrees_to_the_childrens_rules(account):
    """O4: under 14 only with the guardian's separate consent."""
    notice = NoticeFactory(kind="child")
    child = {"name": "李小宝", "number": CHILD_CARD, "relation": "child"}
    with pytest.raises(GuardianNeeded):
        add(account, **child)
    assert not Patient.objects.exists()

    row = add(account, **child, agreed=True)

    assert row.guardian
    consent = Consent.objects.get()
    assert (consent.account, consent.notice, consent.patient) == (account, notice, row.patient)


def test_the_childs_age_is_the_hospitals_day_not_utcs(account):
    """Fourteen at midnight there, while it is still the day before in UTC."""
    passport = {"kind": "passport", "number": "E12345678", "relation": "child", "birth_date": date(2012, 11, 24)}
    late = NOW + timedelta(hours=13, minutes=59)
    with pytest.raises(GuardianNeeded):
        add(account, now=late, **passport)
    assert not add(account, now=late + timedelta(minutes=1), **passport).guardian


def test_a_childs_age_is_read_from_the_record_when_the_document_has_none(account):
    patient = registered(number="110105199003070011", phone="13800000001", birth_date=date(2015, 1, 1))
    patient.identifiers.update(kind="passport", number_hash=family.identity.document_hash("passport", "E12345678"))
    with pytest.raises(GuardianNeeded):
        add(account, kind="passport", number="E12345678", relation="child", birth_date=date(1990, 1, 1))


def test_a_child_is_nobodys_self(account):
    with pytest.raises(ChildHasNoAccount):
        add(account, number=CHILD_CARD, agreed=True)


def test_the_sixth_person_is_refused_and_a_rule_row_changes_that(account):
    for _place in range(5):
        RelatedPersonFactory(account=account)
    with pytest.raises(FamilyFull) as refusal:
        add(account, relation="other")
    assert "最多添加 5 位" in refusal.value.sentence

    AccountRule.objects.create(effective_from=date(2026, 11, 23), family_limit=6)
    assert add(account, relation="other").place == 6


def test_an_account_that_keeps_exchanging_people_is_stopped(account):
    """B16: ten additions in thirty days, ended ones too."""
    for day in range(10):
        RelatedPersonFactory(account=account, since=NOW - timedelta(days=day), ended_at=NOW)
    with pytest.raises(TooManyAdditions):
        add(account)
    assert add(account, now=NOW + timedelta(days=22))


def test_an_ended_person_can_be_added_again_into_the_free_place(account):
    row = add(account)
    RelatedPersonFactory(account=account)
    family.unbind(row=row, by=account, now=NOW)
    assert add(account).place == 1


def test_unbinding_ends_the_row_and_the_consents_and_twice_is_once(account):
    patient = PatientFactory(account=account)
    row = RelatedPerson.objects.get()
    Consent.objects.create(account=account, notice=NoticeFactory(kind="health"), patient=patient, given_at=NOW)

    for _time in range(2):
        family.unbind(row=row, by=account, now=NOW + timedelta(hours=1))

    row.refresh_from_db()
    assert row.ended_at == NOW + timedelta(hours=1)
    assert Consent.objects.get().withdrawn_at == NOW + timedelta(hours=1)
    assert AuditEvent.objects.filter(action="family.ended").count() == 1
    assert family.people_of(account) == []


def test_a_relation_changes(account):
    row = RelatedPersonFactory(account=account, relation="spouse")
    family.change_relation(row=row, relation="parent", now=NOW)
    row.refresh_from_db()
    assert row.relation == "parent"


@pytest.mark.django_db(transaction=True)
def test_two_persons_race_for_the_last_place():
    """B22: the account is held while a place is taken; PostgreSQL refuses the rest."""
    account = AccountFactory()
    for _place in range(4):
        RelatedPersonFactory(account=account)

    def race(number):
        try:
            return add(account, name="王芳", number=number, relation="other").place
        except FamilyFull:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as crowd:
        places = list(crowd.map(race, [CARD, OTHER_CARD]))

    assert sorted(places, key=bool) == [None, 5]
    assert len(family.people_of(account)) == 5


@pytest.mark.django_db(transaction=True)
def test_two_wrong_names_at_once_are_both_counted():
    account = AccountFactory()
    registered(name="周志明")

    def race(_n):
        try:
            add(account)
        except (family.NameMismatch, TooManyWrongTries) as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crowd:
        codes = sorted(crowd.map(race, range(7)))

    assert codes == ["name_mismatch"] * 5 + ["too_many_wrong_documents"] * 2
