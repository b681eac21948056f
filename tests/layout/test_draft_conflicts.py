"""P2, P12: what can't be is a line by name, and a draft that is not true any more does nothing."""

from datetime import date, time, timedelta

import pytest

from appointments.errors import DraftStale
from appointments.models import Appointment, Schedule, ScheduleParticipant, ScheduleTemplate
from appointments.selectors.drafts import say
from appointments.services import drafts, patterns
from appointments.services.drafts import days
from hospital import clock
from hospital.models import Contract, PatientTime
from tests.factories import (
    NOW,
    PatientFactory,
    RoleFactory,
    RoomFactory,
    TemplateFactory,
    appointment_row,
    open_schedule,
)
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

    @pytest.mark.parametrize("people", [2, 3])
    def test_clinics_with_patients_swap_and_rotate_their_rooms_in_one_go(self, hospital, office, people):
        templates = [TemplateFactory() for _n in range(people)]
        lay_out(hospital)
        starts = {row.pk: row.start for row in [book(Schedule.objects.get(template=one)) for one in templates]}
        rooms = rotate(templates)
        draft = make(hospital, office)
        assert [(line.action, line.take) for line in draft.lines.all()] == [("change", False)] * people

        done = publish(draft, office, take=list(draft.lines.all()))

        assert (done.changed, done.told, done.refused) == (people, people, 0)
        assert [Schedule.objects.get(template=one).room for one in templates] == rooms
        assert [ScheduleParticipant.objects.get(schedule__template=one).room for one in templates] == rooms
        assert dict(Appointment.objects.filter(status="booked").values_list("pk", "start")) == starts

    def test_only_one_of_two_that_would_swap_is_refused_and_names_the_other(self, hospital, office):
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        for schedule in Schedule.objects.all():
            book(schedule)
        wanted, _own = rotate([first, second])
        draft = make(hospital, office)

        done = publish(draft, office, take=list(draft.lines.filter(schedule__template=first)))

        line = draft.lines.get(schedule__template=first)
        assert (done.changed, done.refused) == (0, 1)
        assert line.differences[0][:2] == ["room_taken", wanted.name]
        assert second.role.practitioner.name in say(line).why

    def test_what_needs_the_place_of_a_clinic_whose_patient_is_elsewhere_is_left_out_with_it(self, hospital, office):
        """Each line says what stands in its way, before and after; the others are not held up."""
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        row = book(Schedule.objects.get(template=first))
        noon = (clock.at(MONDAY, time(9)), clock.at(MONDAY, time(11)))
        PatientTime.objects.create(patient=row.patient, during=noon, source="exam", source_id=1)
        changed(first, office, room=RoomFactory(name="新诊室"), starts=time(9), ends=time(13))
        changed(second, office, room=first.room, numbers=20)
        TemplateFactory(published_at=None)
        draft = make(hospital, office)
        assert {(line.action, line.reason, line.take) for line in draft.lines.all()} == {
            ("change", "patient_elsewhere", False), ("change", "goes_along", False), ("add", "", True),
        }  # fmt: skip

        done = publish(draft, office, take=list(draft.lines.all()))

        assert (done.added, done.changed, done.refused) == (1, 0, 2)
        assert Schedule.objects.get(role=second.role).capacity == 16  # neither gone nor laid anew
        said = {line.reason: say(line).why for line in draft.lines.filter(outcome="refused")}
        assert "有患者在新的时间另有预约" in said["patient_elsewhere"]
        assert first.role.practitioner.name in said["room_taken"]

    def test_whoever_takes_the_place_meanwhile_is_named_and_the_chain_stays(self, hospital, office):
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        for schedule in Schedule.objects.all():
            book(schedule)
        free = RoomFactory(name="新诊室")
        changed(first, office, room=free)
        changed(second, office, room=first.room)
        draft = make(hospital, office)
        draft.lines.update(take=True)
        drafts.publish(draft=draft, by=office, now=NOW, seconds=-1)
        stranger = open_schedule(room=free, day=MONDAY)

        drafts.continue_all(now=NOW)

        assert {line.reason for line in draft.lines.all()} == {"room_taken"}
        why = say(draft.lines.get(schedule__role=first.role)).why
        assert stranger.role.practitioner.name in why
        assert Schedule.objects.get(role=second.role).room == second.room

    def test_a_place_taken_between_the_look_and_the_writing_takes_all_back_and_is_named(
        self, hospital, office, monkeypatch
    ):
        """The database's own word: nothing of the first try stays."""
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        book(Schedule.objects.get(template=first))
        free = RoomFactory(name="新诊室")
        changed(first, office, room=free)
        changed(second, office, numbers=20)
        draft = make(hospital, office)
        look, quick = days._leave_out, iter([True])

        def somebody_is_quicker(*said):
            look(*said)
            if next(quick, False):
                open_schedule(room=free, day=MONDAY)

        monkeypatch.setattr(days, "_leave_out", somebody_is_quicker)
        done = publish(draft, office, take=list(draft.lines.all()))

        assert (done.changed, done.refused) == (1, 1)
        assert draft.lines.get(outcome="refused").reason == "room_taken"
        assert Schedule.objects.get(role=second.role).capacity == 20

    def test_what_changed_since_is_looked_at_again_in_place_and_can_be_left_out(self, hospital, office):
        first, second = TemplateFactory(published_at=None), TemplateFactory(published_at=None)
        draft = make(hospital, office)
        ScheduleTemplate.objects.filter(pk=second.pk).update(numbers=20)
        with pytest.raises(DraftStale, match=second.role.practitioner.name):
            publish(draft, office)

        assert drafts.look_again(draft=draft, now=NOW) == 1
        assert {(line.template_id, line.take, line.reason) for line in draft.lines.all()} == {
            (first.pk, True, ""), (second.pk, False, "found_since"),
        }  # fmt: skip
        assert publish(draft, office).added == 1
        second.refresh_from_db()
        assert second.published_at is None


def rotate(templates):
    """Each gets the next one's room, the last the first one's."""
    rooms = [template.room for template in templates]
    wanted = [*rooms[1:], rooms[0]]
    for template, room in zip(templates, wanted, strict=True):
        ScheduleTemplate.objects.filter(pk=template.pk).update(room=room)
    return wanted


def with_a_history(schedule):
    """Somebody had a number and gave it back: its rows stay."""
    appointment_row(schedule, PatientFactory(), status="cancelled", cancelled_at=NOW)
    schedule.slots.update(status="free")
