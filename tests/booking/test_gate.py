"""知名专家团队 (B11): only a member's internal referral opens the leading expert's numbers, in every channel."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from appointments import errors
from appointments.models import TeamReferral
from appointments.models.rules import Channel
from appointments.services import extras
from tests.booking.acts import A_SECOND, take, take_and_confirm
from tests.booking.sound import unsound
from tests.booking.test_move import move
from tests.factories import (
    NOW,
    TODAY,
    EncounterFactory,
    PatientFactory,
    RoleFactory,
    RoomFactory,
    TeamFactory,
    TeamMemberFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    """A team whose leader has gated numbers in a week, and a member who has seen a patient."""
    row = TeamFactory()
    leader, member = TeamMemberFactory(team=row, leader=True).role, TeamMemberFactory(team=row).role
    return SimpleNamespace(
        row=row, leader=leader, member=member, schedule=leaders(row, leader), patient=PatientFactory()
    )


def leaders(team, role, **more):
    return open_schedule(role=role, gate_team=team, pool="team", day=TODAY + timedelta(days=7), numbers=4, **more)


def seen_by(role, patient, *, status="in_room", **more):
    """A visit of the patient with this doctor, this morning."""
    schedule = open_schedule(role=role, day=TODAY, **more)
    visit = appointment_row(schedule, patient, status="arrived")
    return EncounterFactory(
        appointment=visit, practitioner=role.practitioner, status=status, room=schedule.room, started_at=NOW
    )


def refer(team, patient, *, care_team=None, valid_until=None):
    return TeamReferral.objects.create(
        team=care_team or team.row,
        patient=patient,
        encounter=seen_by(team.member, patient),
        by=team.member.practitioner,
        reason="冠脉造影后需专家判断",
        created_at=NOW,
        valid_until=valid_until or NOW + timedelta(days=30),
    )


@pytest.mark.parametrize("channel", Channel.values)
def test_without_a_referral_the_leader_has_no_numbers_in_any_channel(team, channel):
    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel=channel)
    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel=channel, number=1)


@pytest.mark.parametrize("channel", ["consult", "web", "counter"])
def test_a_members_referral_opens_them_for_this_patient(team, channel):
    booked = take(team.schedule, team.patient, channel=channel, referral=refer(team, team.patient))

    assert (booked.schedule, booked.referral.patient) == (team.schedule, team.patient)


def test_a_referral_of_somebody_else_opens_nothing(team):
    referral = refer(team, PatientFactory())

    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel="consult", referral=referral)


def test_a_referral_inside_another_team_opens_nothing(team):
    referral = refer(team, team.patient, care_team=TeamFactory())

    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel="consult", referral=referral)


def test_a_referral_opens_until_it_ends_and_not_at_that_moment(team):
    ends = NOW + timedelta(days=2)
    referral = refer(team, team.patient, valid_until=ends)

    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel="consult", referral=referral, now=ends)
    assert take(team.schedule, team.patient, channel="consult", referral=referral, now=ends - A_SECOND)


def test_the_leader_books_a_follow_up_of_a_patient_of_their_own(team):
    own = seen_by(team.leader, team.patient)

    assert take(team.schedule, team.patient, channel="consult", encounter=own).booked_from == own


def test_the_leaders_own_visit_does_not_open_them_outside_the_consult_room(team):
    own = seen_by(team.leader, team.patient)

    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel="web", encounter=own)


@pytest.mark.parametrize("whose", ["another patient", "another doctor", "not called yet"])
def test_a_visit_that_is_not_the_leaders_with_this_patient_opens_nothing(team, whose):
    encounter = {
        "another patient": lambda: seen_by(team.leader, PatientFactory()),
        "another doctor": lambda: seen_by(RoleFactory(), team.patient),
        "not called yet": lambda: seen_by(team.leader, team.patient, status="waiting"),
    }[whose]()

    with pytest.raises(errors.NeedsTeamReferral):
        take(team.schedule, team.patient, channel="consult", encounter=encounter)


def test_a_referral_opens_the_leaders_team_numbers_and_no_other_pool(team):
    other = leaders(team.row, team.leader, half="pm", room=RoomFactory(), **afternoon(team.schedule))
    other.slots.update(pool=open_schedule(pool="counter").slots.first().pool)

    with pytest.raises(errors.SoldOut):
        take(other, team.patient, channel="counter", referral=refer(team, team.patient))


def afternoon(schedule):
    return {"starts_at": schedule.ends_at, "ends_at": schedule.ends_at + timedelta(hours=4)}


@pytest.mark.parametrize("channel", ["web", "counter", "consult"])
def test_an_ordinary_booking_is_not_moved_behind_the_gate(team, channel):
    row = take_and_confirm(open_schedule(), team.patient)

    with pytest.raises(errors.NeedsTeamReferral):
        move(row, team.schedule, channel=channel)


def test_who_was_referred_may_choose_another_time_of_the_same_leader(team):
    """Even when the referral has run out meanwhile: the visit stands, only its time changes."""
    row = take_and_confirm(team.schedule, team.patient, referral=refer(team, team.patient))
    later = leaders(team.row, team.leader, room=RoomFactory(), **afternoon(team.schedule))

    moved = move(row, later, now=NOW + timedelta(days=5))

    assert (moved.schedule, moved.referral) == (later, row.referral)


def test_the_leader_moves_a_patient_of_their_own_to_their_own_numbers_and_the_record_says_why(team):
    row = take_and_confirm(open_schedule(), team.patient)
    own = seen_by(team.leader, team.patient)

    moved = move(row, team.schedule, channel="consult", encounter=own)

    assert (moved.schedule, moved.booked_from) == (team.schedule, own)
    assert "leader_by_referral_only" not in unsound()


def test_another_doctor_who_changes_the_time_does_not_become_the_reason(team):
    own, other = seen_by(team.leader, team.patient), seen_by(RoleFactory(), team.patient)
    row = take_and_confirm(team.schedule, team.patient, channel="consult", encounter=own)

    moved = move(row, team.schedule, number=3, channel="consult", encounter=other)

    assert (moved.slot.number, moved.booked_from) == (3, own)


def test_a_place_with_one_leader_is_none_with_another(team):
    row = take_and_confirm(team.schedule, team.patient, referral=refer(team, team.patient))

    with pytest.raises(errors.NeedsTeamReferral):
        move(row, leaders(team.row, RoleFactory(), room=RoomFactory()))
    with pytest.raises(errors.NeedsTeamReferral):
        move(row, leaders(TeamFactory(), RoleFactory(), room=RoomFactory()))


def test_an_add_on_with_the_leader_passes_the_same_gate(team):
    def add(key, **more):
        return extras.add_extra(
            schedule=team.schedule,
            patient=team.patient,
            by=UserFactory(),
            reason="病情变化",
            request_key=key,
            now=NOW,
            **more,
        )

    with pytest.raises(errors.NeedsTeamReferral):
        add("1")
    assert add("2", encounter=seen_by(team.leader, team.patient)).extra


def test_a_doctor_who_became_a_leader_gives_no_first_visits_from_schedules_laid_out_before(team):
    """B11: the numbers still lie in the public pool; the gate stands all the same."""
    before = open_schedule(role=team.leader, day=TODAY + timedelta(days=3), numbers=4)

    for channel in Channel.values:
        with pytest.raises(errors.NeedsTeamReferral):
            take(before, channel=channel)
    referral = refer(team, team.patient)
    assert take(before, team.patient, channel="consult", referral=referral).slot.number == 1


def test_a_leader_of_a_closed_team_is_a_doctor_like_any_other(team):
    before = open_schedule(role=team.leader, day=TODAY + timedelta(days=3), numbers=4)
    team.row.active = False
    team.row.save()

    assert take(before).slot.number == 1
