"""P2, P12: what can't be is a line by name, and a draft that is not true any more does nothing."""

from datetime import date, time, timedelta

import pytest

from appointments.errors import DraftStale
from appointments.models import Schedule, ScheduleTemplate
from appointments.selectors.drafts import say
from appointments.services import patterns
from hospital.models import Contract
from tests.factories import NOW, PatientFactory, RoleFactory, RoomFactory, TemplateFactory, appointment_row
from tests.layout.scenes import WEEK, book, changed, make, publish
from tests.supply.scenes import MONDAY, lay_out


@pytest.mark.django_db
class TestConflicts:
    def test_a_doctor_in_two_places_and_a_room_taken_twice_are_lines_by_name(self, hospital, office):
        there = TemplateFactory(room=RoomFactory(name="心内1诊室"))
        lay_out(hospital)
        TemplateFactory(role=RoleFactory(practitioner=there.role.practitioner), published_at=None)
        TemplateFactory(room=there.room, starts=time(11), ends=time(13), published_at=None)

        lines = list(make(hospital, office).lines.order_by("pk"))

        assert {line.action for line in lines} == {"conflict"}
        assert {tuple(line.differences[0][:2]) for line in lines} == {
            ("doctor_elsewhere", there.role.practitioner.name),
            ("room_taken", "心内1诊室"),
        }
        assert not any(line.take for line in lines)

    def test_a_contract_that_ends_is_a_conflict_by_name(self, hospital, office):
        """P12."""
        template = TemplateFactory()
        person = template.role.practitioner
        Contract.objects.create(
            practitioner=person, organization=hospital, effective_from=date(2026, 1, 1), effective_to=MONDAY
        )
        lines = list(make(hospital, office, last=MONDAY + WEEK).lines.order_by("day"))

        assert [line.action for line in lines] == ["add", "conflict"]
        assert lines[1].differences == [["outside_contract", person.name, hospital.name]]

    def test_a_line_that_needs_the_place_of_one_left_out_is_refused_by_name(self, hospital, office):
        leaving = TemplateFactory()
        lay_out(hospital)
        patterns.end(template=leaving, last_day=MONDAY - timedelta(days=1), by=office, now=NOW)
        TemplateFactory(room=leaving.room, effective_from=MONDAY, published_at=None)
        draft = make(hospital, office)
        assert {line.action for line in draft.lines.all()} == {"add", "drop"}

        done = publish(draft, office, take=list(draft.lines.filter(action="add")))

        assert (done.added, done.refused, Schedule.objects.count()) == (0, 1, 1)
        assert draft.lines.get(action="add").reason == "room_taken"

    def test_a_stale_draft_does_nothing_and_names_what_changed(self, hospital, office):
        TemplateFactory(published_at=None)
        draft = make(hospital, office)
        newcomer = TemplateFactory(published_at=None)

        with pytest.raises(DraftStale, match=newcomer.role.practitioner.name):
            publish(draft, office)
        assert Schedule.objects.count() == 0

    def test_swapped_rooms_without_patients_are_laid_anew(self, hospital, office):
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        one, two = first.room, second.room
        ScheduleTemplate.objects.filter(pk=first.pk).update(room=two)
        ScheduleTemplate.objects.filter(pk=second.pk).update(room=one)
        draft = make(hospital, office)
        assert {line.action for line in draft.lines.all()} == {"change"}

        assert publish(draft, office).changed == 2
        assert Schedule.objects.get(template=first).room == two

    def test_a_clinic_that_moves_into_a_room_which_another_leaves_finds_it_free(self, hospital, office):
        """Both keep their numbers, so neither is laid anew: whichever is asked first."""
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        book(Schedule.objects.get(role=first.role))
        with_a_history(Schedule.objects.get(role=second.role))
        changed(second, office, room=RoomFactory(name="新诊室"))
        changed(first, office, room=second.room)
        draft = make(hospital, office)

        assert publish(draft, office, take=list(draft.lines.all())).changed == 2
        assert Schedule.objects.get(role=first.role).room == second.room
        assert Schedule.objects.get(role=second.role).room.name == "新诊室"

    def test_clinics_with_a_history_that_want_each_others_room_are_refused_by_name_and_stay(self, hospital, office):
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        for schedule in Schedule.objects.all():
            with_a_history(schedule)
        one, two = first.room, second.room
        ScheduleTemplate.objects.filter(pk=first.pk).update(room=two)
        ScheduleTemplate.objects.filter(pk=second.pk).update(room=one)
        draft = make(hospital, office)

        done = publish(draft, office, take=list(draft.lines.all()))

        assert (done.changed, done.refused) == (0, 2)
        line = draft.lines.get(schedule__role=first.role)
        assert line.differences[0][:2] == ["room_taken", str(two)]
        assert second.role.practitioner.name in line.differences[0][2]
        assert "先发布其他变动，再生成一次草稿" in say(line).why
        assert Schedule.objects.get(role=first.role).room == one


def with_a_history(schedule):
    """Somebody had a number and gave it back: its rows stay."""
    appointment_row(schedule, PatientFactory(), status="cancelled", cancelled_at=NOW)
    schedule.slots.update(status="free")
