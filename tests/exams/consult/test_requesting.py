"""Asking for exams (E2, E4, E6): all or nothing, each question answered, and no repeat without a word about it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from exams import errors
from exams.models import ExamRequest, RepeatCheck
from exams.policies import repeat
from exams.selectors import repeats
from exams.services import requesting
from exams.services.requesting import Asked
from hospital.models import Fact
from tests.exams.consult.acts import ask, in_the_room, pacemaker, released_report
from tests.factories import OrganizationFactory, PatientFactory
from tests.factories.base import NOW
from tests.factories.exams import ExamItemFactory, exam_variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def encounter():
    return in_the_room()


def topics():
    return list(Fact.objects.filter(topic__startswith="exam").order_by("pk").values_list("topic", "key"))


def test_a_doctor_asks_for_two_exams_at_once(encounter):
    """E2"""
    first, second = exam_variant(), exam_variant()

    rows = ask(encounter, Asked(first, priority="urgent", reason="腹痛待查"), second)

    assert [(row.variant, row.status, row.encounter) for row in rows] == [
        (first, "open", encounter),
        (second, "open", encounter),
    ]
    assert (rows[0].priority, rows[0].reason, rows[0].requester) == ("urgent", "腹痛待查", encounter.practitioner)
    assert topics() == [("exam.requested", f"examrequest:{row.pk}") for row in rows]


def test_the_same_exam_twice_in_a_visit_is_refused_and_nothing_of_the_list_is_asked(encounter):
    once, other = exam_variant(), exam_variant()
    ask(encounter, once)

    with pytest.raises(errors.AlreadyRequested) as refused:
        ask(encounter, other, once)

    assert once.name in refused.value.sentence
    assert ExamRequest.objects.count() == 1


def test_a_withdrawn_exam_can_be_asked_for_again(encounter):
    once = exam_variant()
    [row] = ask(encounter, once)
    requesting.withdraw(request=row, by=None, reason="开错", now=NOW)

    assert len(ask(encounter, once)) == 1


def test_a_list_without_exams_and_one_with_an_exam_out_of_use_are_refused(encounter):
    gone = exam_variant()
    gone.active = False

    with pytest.raises(errors.NothingAsked):
        ask(encounter)
    with pytest.raises(errors.NotOffered):
        ask(encounter, gone)


def test_nobody_asks_for_a_patient_who_has_left_the_room(encounter):
    variant = exam_variant()
    encounter.status, encounter.finished_at = "finished", NOW
    encounter.save()

    with pytest.raises(errors.VisitOver):
        ask(encounter, variant)


def test_an_unanswered_question_and_a_refusing_answer_stop_the_request(encounter):
    """E4"""
    variant = exam_variant(modality="mr")
    pacemaker(variant.item)

    with pytest.raises(errors.NotAnswered):
        ask(encounter, variant)
    with pytest.raises(errors.NotPossible) as refused:
        ask(encounter, Asked(variant, answers={"pacemaker": "yes"}))
    ask(encounter, Asked(variant, answers={"pacemaker": "no"}))

    assert "不能做磁共振" in refused.value.sentence
    assert ExamRequest.objects.get().answers == {"pacemaker": "no"}


# ---- repeats ----


@pytest.mark.parametrize(
    ("ago", "valid", "holds"),
    [(0, 1, True), (13, 14, True), (14, 14, False), (0, 0, False)],
)
def test_a_result_holds_for_its_days(ago, valid, holds):
    """E6"""
    assert repeat.still_valid(NOW - timedelta(days=ago), valid_days=valid, now=NOW) is holds


def test_a_valid_result_is_passed_over_only_with_a_reason_about_it(encounter):
    """E6: never silently."""
    variant = exam_variant(valid_days=14)
    old = released_report(encounter.patient, variant, days_ago=8)
    newest = released_report(encounter.patient, variant, days_ago=3)

    for said in (None, (newest, "  "), (old, "复查")):
        with pytest.raises(errors.RepeatUndecided):
            ask(encounter, Asked(variant, repeat=said))
    [row] = ask(encounter, Asked(variant, repeat=(newest, "症状加重")))

    check = RepeatCheck.objects.get()
    assert (check.outcome, check.reason, check.report, check.request) == ("went_on", "症状加重", newest, row)


def test_a_used_result_counts_once_as_an_avoided_exam(encounter):
    """E6"""
    variant = exam_variant(valid_days=14)
    report = released_report(encounter.patient, variant)
    use = {"patient": encounter.patient, "variant": variant, "encounter": encounter, "by": encounter.practitioner}

    for _press in range(2):
        requesting.use_result(**use, report=report, now=NOW)

    assert list(RepeatCheck.objects.values_list("outcome", "request")) == [("avoided", None)]
    with pytest.raises(errors.ResultOutdated):
        requesting.use_result(**use, report=report, now=NOW + timedelta(days=30))


def test_an_equivalent_exam_of_a_partner_counts_and_other_peoples_or_old_results_do_not(
    encounter, django_assert_num_queries
):
    """E6"""
    ours = exam_variant(valid_days=14, equivalence="US-ABD")
    plain = exam_variant(valid_days=0)
    theirs = exam_variant(
        item=ExamItemFactory(organization=OrganizationFactory(code="P1", name="城南社区"), equivalence="US-ABD")
    )
    released_report(encounter.patient, plain)
    released_report(encounter.patient, ours, days_ago=20)
    released_report(PatientFactory(), ours)
    draft = released_report(encounter.patient, ours, days_ago=1)
    draft.status = "withdrawn"
    draft.save()
    partners = released_report(
        encounter.patient, theirs, days_ago=9, organization=theirs.item.organization, conclusion="脂肪肝"
    )

    with django_assert_num_queries(1):
        found = repeats.valid_results(patient=encounter.patient, variants=[ours, plain], now=NOW)
        assert found[ours.pk].organization.name == "城南社区"
        assert found[ours.pk].current.conclusion == "脂肪肝"

    assert found == {ours.pk: partners}


# ---- taking back ----


def test_a_request_is_withdrawn_once_with_a_reason(encounter):
    [row] = ask(encounter, exam_variant())

    with pytest.raises(errors.NeedsWithdrawReason):
        requesting.withdraw(request=row, by=None, reason=" ", now=NOW)
    for _press in range(2):
        requesting.withdraw(request=row, by=None, reason="开错", now=NOW)

    row.refresh_from_db()
    assert (row.status, row.note) == ("cancelled", "开错")
    assert [topic for topic, _key in topics()] == ["exam.requested", "exam.withdrawn"]


def test_a_booked_request_is_not_withdrawn_behind_its_bookings_back(encounter):
    [row] = ask(encounter, exam_variant())
    ExamRequest.objects.filter(pk=row.pk).update(status="booked")

    with pytest.raises(errors.WrongExamState):
        requesting.withdraw(request=row, by=None, reason="开错", now=NOW)


def test_the_database_knows_one_standing_request_per_visit_and_exam(encounter):
    [row] = ask(encounter, exam_variant())

    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
