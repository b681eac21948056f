"""Exams in the consult room (E2, E3, E4, E6, E8): what each key does, what it refuses, and that nothing is lost."""

from datetime import timedelta

import pytest

from appointments.models import Encounter
from exams.models import ExamBooking, ExamPlan, ExamRequest, ExamSet, RepeatCheck
from tests.consult.rooms import confirm, now, open_page, press_next, take, with_a_strip
from tests.exams.consult.acts import pacemaker, question, released_report
from tests.factories import StaffFactory
from tests.factories.exams import ExamItemFactory, ExamRequestFactory, exam_booking_row, exam_variant

from .rooms import add, offered, page_of, press, states

pytestmark = pytest.mark.django_db


# ---- the list ----


def test_exams_of_this_visit_are_chosen_asked_for_planned_and_booked(client, room):
    """E2, E3"""
    variants = offered(3)
    add(client, room, *variants)

    asked = press(client, room, "ask", reason="上腹痛")
    proposal = asked.context["work"].proposal
    press(client, room, f"hold:{proposal.best.token}")
    answer = confirm(client, room)

    assert [row.reason for row in ExamRequest.objects.all()] == ["上腹痛"] * 3
    assert proposal.best.trips == 1
    assert states() == ["booked"] * 3
    assert "已约好3项，正在发给患者。" in answer.content.decode()
    plan = ExamPlan.objects.get()
    assert (plan.exams, plan.trips, plan.channel) == (3, 1, "consult")


def test_a_set_is_chosen_with_one_key(client, room):
    """E8"""
    variants = offered(3)
    row = ExamSet.objects.create(organization=variants[0].item.organization, code="S", name="术前", programme="术前")
    row.lines.set(variants)

    press(client, room, f"add:set-{row.pk}")
    press(client, room, "ask")

    assert set(ExamRequest.objects.values_list("variant", "from_set")) == {(one.pk, row.pk) for one in variants}


def test_what_is_chosen_is_kept_while_the_doctor_looks_elsewhere_and_ends_with_the_visit(client, room):
    add(client, room, *offered(2))

    assert open_page(client).context["page"].kinds[3].count == 2
    assert len(page_of(client).context["work"].chosen) == 2
    Encounter.objects.filter(pk=room.waiting[0].pk).update(status="finished", finished_at=now())
    press_next(client)

    assert page_of(client).context["work"].chosen == []


def test_another_way_and_another_priority_are_one_key_each(client, room):
    item = ExamItemFactory(name="腹部CT", modality="ct")
    plain, contrast = exam_variant(item=item), exam_variant(item=item, kind="contrast")
    add(client, room, plain)

    press(client, room, f"way:{plain.pk}:{contrast.pk}")
    press(client, room, f"priority:{contrast.pk}")
    press(client, room, "ask")

    assert list(ExamRequest.objects.values_list("variant", "priority")) == [(contrast.pk, "urgent")]


def test_enter_adds_the_first_result_and_on_an_empty_box_goes_on(client, room):
    variants = offered(3)

    press(client, room, "go", q="cgxdt")
    press(client, room, "go", q="")

    assert list(ExamRequest.objects.values_list("variant", flat=True)) == [variants[1].pk]


def test_without_script_the_same_form_answers_with_the_whole_page(client, room):
    [variant] = offered(1)
    found = press(client, room, "go", q="fbcs", script=False)
    press(client, room, f"add:item-{variant.pk}", script=False)
    asked = press(client, room, "ask", script=False)
    page = press(client, room, f"hold:{asked.context['work'].proposal.best.token}", script=False)

    assert [one["row"].name for one in found.context["work"].found] == ["腹部超声"]
    assert "<html" in page.content.decode()
    assert "待确认" in page.content.decode()
    assert states() == ["pending"]


NO_BUTTONS = (
    "fly", "add:item-0", "add:item-99999999", "add:set-7", "add:", "way:1:2", "answer:x:y", "use:5", "withdraw:9",
    "way:x", "answer:", "first:0", "add:item-१",
)  # fmt: skip


def test_a_button_that_the_page_does_not_have_is_not_found(client, room):
    assert {act: press(client, room, act).status_code for act in NO_BUTTONS} == dict.fromkeys(NO_BUTTONS, 404)
    assert states(ExamRequest) == []


def test_a_plan_that_nobody_showed_is_refused_and_senseless_wishes_plan_as_if_nothing_was_wished(client, room):
    add(client, room, *offered(1))
    press(client, room, "ask")
    senseless = ({"back": "x"}, {"back": "2020-01-01"}, {"first": "9999-99-99"}, {"half": "zz"})

    assert [press(client, room, f"hold:{token}").status_code for token in ("", "garbage", "a:b:c")] == [409] * 3
    for typed in senseless:
        assert press(client, room, "plan", **typed).context["work"].proposal.best


def test_plans_are_made_backwards_from_the_day_of_the_next_visit(client, room):
    """E3"""
    [schedule] = with_a_strip(room, days=[(2, "am")])
    take(client, room, schedule)
    [variant] = offered(1)
    add(client, room, variant)

    work = press(client, room, "ask").context["work"]
    other = press(client, room, "plan", back=(schedule.day + timedelta(days=9)).isoformat()).context["work"]

    assert work.back == schedule.day
    assert max(work.proposal.best.days) <= schedule.day
    assert ExamRequest.objects.get().wanted_by == other.back == schedule.day + timedelta(days=9)


# ---- questions and repeats ----


def test_enter_on_an_unanswered_question_leads_to_it_and_a_refusing_answer_is_said_at_once(client, room):
    """E4"""
    [variant] = offered(1)
    ExamSet.objects.create(organization=variant.item.organization, code="S", name="术前", programme="术前")
    pacemaker(variant.item)
    add(client, room, variant)

    missing = press(client, room, "go")
    said = press(client, room, "answer:pacemaker:yes")
    refused = press(client, room, "ask")

    assert missing.context["work"].question_now.row.code == "pacemaker"
    assert "装有心脏起搏器" in said.content.decode()
    usual = said.context["work"].found
    assert usual
    assert {row["key"] for row in usual} == {""}, "one answer too many asks for nothing"
    assert refused.status_code == 409
    assert "装有心脏起搏器" in refused.content.decode()
    assert states(ExamRequest) == []
    assert len(page_of(client).context["work"].chosen) == 1


def test_a_check_that_must_come_first_keeps_the_exam_off_the_plan_unless_the_doctor_says_why_not(client, room):
    """E4"""
    waits, cleared = offered(2)
    for variant in (waits, cleared):
        question(
            variant.item.organization,
            code=f"renal-{variant.pk}",
            text="近期肾功能如何？",
            answers=[("unknown", "没有查过", "check", "先查肾功能。")],
            items=[variant.item],
        )
        add(client, room, variant)
        press(client, room, f"answer:renal-{variant.pk}:unknown")

    before = exam_variant(name="血肌酐")
    waits.item.questions.get().answers.update(first=before.item)
    press(client, room, f"first:{before.item_id}")
    assert [one.variant for one in page_of(client).context["work"].chosen] == [waits, cleared, before]
    press(client, room, f"remove:{before.pk}")

    work = press(client, room, "ask", **{f"cleared-{cleared.pk}": "急诊肾功能正常"}).context["work"]

    assert [row.variant for row in work.plannable] == [cleared]
    assert [one["request"].variant for one in work.stopped] == [waits]
    assert ExamRequest.objects.get(variant=cleared).cleared_note == "急诊肾功能正常"


def test_a_valid_result_is_used_or_passed_over_with_a_reason_never_silently(client, room):
    """E6"""
    used, again = offered(2, valid_days=30)
    results = {
        one.pk: released_report(room.first, one, days_ago=4, now=now(), conclusion="轻度脂肪肝")
        for one in (used, again)
    }
    shown = add(client, room, used, again)

    silent = press(client, room, "ask")
    press(client, room, f"use:{used.pk}")
    press(client, room, "ask", **{f"why-{again.pk}": "术前复查", f"report-{again.pk}": results[again.pk].pk})

    assert "轻度脂肪肝" in shown.content.decode()
    assert silent.status_code == 422
    assert "还有有效的结果" in silent.content.decode()
    assert set(RepeatCheck.objects.values_list("variant", "outcome", "reason")) == {
        (used.pk, "avoided", ""),
        (again.pk, "went_on", "术前复查"),
    }
    assert list(ExamRequest.objects.values_list("variant", flat=True)) == [again.pk]


# ---- refusals ----


def test_the_same_exam_twice_in_a_visit_is_refused_when_it_is_added(client, room):
    [variant] = offered(1)
    add(client, room, variant)
    press(client, room, "ask")

    answer = add(client, room, variant)

    assert answer.status_code == 409
    assert "本次就诊已经开过腹部超声。" in answer.content.decode()


def test_a_page_of_the_patient_before_does_nothing(client, room):
    [variant] = offered(1)
    add(client, room, variant)
    press(client, room, "clear")
    press_next(client, room.waiting[0].pk)

    answer = add(client, room, variant)

    assert answer.status_code == 409
    assert "诊室里的患者已经换了" in answer.content.decode()
    assert page_of(client).context["work"].chosen == []


def test_a_time_that_somebody_took_meanwhile_is_refused_and_nothing_is_held(client, room):
    first, second = offered(2)
    add(client, room, first, second)
    best = press(client, room, "ask").context["work"].proposal.best
    line = next(line for line in best.lines if line.request.variant == second)
    other = ExamRequestFactory(variant=second)
    exam_booking_row(request=other, session=line.device.sessions.order_by("day").first(), start=line.start)

    answer = press(client, room, f"hold:{best.token}")

    assert answer.status_code == 409
    assert "的这个时间刚被占用" in answer.content.decode()
    assert "约这个方案" in answer.content.decode()
    assert ExamBooking.objects.filter(patient=room.first).count() == 0


def test_only_doctors_open_it(client, room):
    client.force_login(StaffFactory(roles="office"), backend="django.contrib.auth.backends.ModelBackend")

    assert press(client, room, "ask").status_code == 403


# ---- what it costs ----


def test_the_list_and_the_plans_take_a_fixed_number_of_queries(client, room, django_assert_max_num_queries):
    few, many = offered(8)[:3], offered(8)[3:]
    add(client, room, *few)
    with django_assert_max_num_queries(52):
        page_of(client)
    add(client, room, *many)
    with django_assert_max_num_queries(52):
        page_of(client)
    press(client, room, "ask")
    with django_assert_max_num_queries(62):
        page_of(client)


def test_a_device_that_nobody_has_is_said_where_the_plan_would_be(client, room):
    add(client, room, exam_variant(name="核素显像"))

    page = press(client, room, "ask").content.decode()

    assert "这些天排不出方案" in page
    assert "目前没有设备可以做核素显像。" in page
