"""Other departments, doctors and teams from the consult room (B2, B4, B11)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from appointments.errors import NotOnTheTeam
from appointments.models import Appointment, ConsultLevelRule, TeamReferral
from appointments.services.referral import refer_within_team
from tests.consult.rooms import bring_in, checked_in, doctor_with_a_room, half_day, key, now, today
from tests.factories import (
    DepartmentFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    ServiceFactory,
    TeamFactory,
    TeamMemberFactory,
    add_numbers,
    open_schedule,
)

pytestmark = pytest.mark.django_db
KINDS = ["own", "other", "team", "exams", "admission", "referral", "booked"]


@pytest.fixture
def room(client):
    room = doctor_with_a_room(waiting=1)
    bring_in(room)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    return room


@pytest.fixture
def endocrinology():
    return DepartmentFactory(name="内分泌科", pinyin="neifenmike", initials="nfmk")


def doctor_in(department, name, *, pinyin="", initials="", level="specialty", title="副主任医师"):
    service = ServiceFactory(code=level, name=level, level=level)
    doctor = PractitionerFactory(name=name, pinyin=pinyin, initials=initials, title=title)
    return RoleFactory(practitioner=doctor, department=department, service=service)


def look(client, **address):
    return client.get(reverse("appointments:consult"), address).context["page"]


def search(client, text):
    answer = client.get(reverse("appointments:consult_search"), {"q": text}, headers={"HX-Request": "true"})
    return [(item["place"].sort, item["place"].name) for item in answer.context["page"].places]


@pytest.mark.parametrize("text", ["nfm", "NFM", "neifen", "内分", "内分泌科"])
def test_a_department_is_found_by_initials_pinyin_or_chinese(client, room, endocrinology, text):
    """B2"""
    assert search(client, text) == [("department", "内分泌科")]


def test_doctors_and_teams_are_found_with_their_nearest_number(client, room, endocrinology):
    """B2"""
    role = doctor_in(endocrinology, "张颖", pinyin="zhangying", initials="zy")
    half_day(role=role, day=today() + timedelta(days=28), numbers=4)
    TeamFactory(name="甲状腺团队", pinyin="zhuangxian", initials="zxtd", department=endocrinology)

    answer = client.get(reverse("appointments:consult_search"), {"q": "z"}, headers={"HX-Request": "true"})
    found = {item["place"].name: item["place"].left for item in answer.context["page"].places}

    assert found == {"张颖": 4, "甲状腺团队": 0}


def test_a_doctor_who_left_the_hospital_is_not_found(client, room, endocrinology):
    role = doctor_in(endocrinology, "张颖", pinyin="zhangying", initials="zy")
    role.practitioner.active = False
    role.practitioner.save()

    assert search(client, "zy") == []


def test_department_then_level_then_day_and_time(client, room, endocrinology):
    """B2: three steps on one screen."""
    role = doctor_in(endocrinology, "张颖")
    wanted = half_day(role=role, day=today() + timedelta(days=28), numbers=4)

    departments = look(client, kind="other").departments
    chosen = look(client, kind="other", department=endocrinology.pk)
    page = look(client, kind="other", department=endocrinology.pk, level="specialty")

    assert "内分泌科" in [one.label for one in departments]
    assert [one.label for one in chosen.levels] == ["专科"]
    assert [one.label for one in chosen.doctors] == ["张颖"]
    assert (page.strip.chosen.schedule, page.strip.likely.number) == (wanted, 1)


def test_department_then_a_named_doctor(client, room, endocrinology):
    """B2"""
    role = doctor_in(endocrinology, "张颖")
    other = doctor_in(endocrinology, "周海燕")
    wanted = half_day(role=role, day=today() + timedelta(days=28), numbers=4)
    half_day(role=other, day=today() + timedelta(days=28), numbers=4)

    page = look(client, kind="other", role=role.pk)

    assert [one.schedule for one in page.strip.sessions] == [wanted]


def test_a_closed_level_is_shown_with_its_reason_and_leads_nowhere(client, room, endocrinology):
    """B4"""
    role = doctor_in(endocrinology, "张颖", level="chief", title="主任医师")
    half_day(role=role, day=today() + timedelta(days=28), numbers=4)
    ConsultLevelRule.objects.create(
        organization=OrganizationFactory(), levels=["general"], effective_from=date(2020, 1, 1)
    )

    page = look(client, kind="other", department=endocrinology.pk, level="chief")

    assert [str(level.refusal.sentence) for level in page.levels] == ["诊间目前只能预约：普通。"]
    assert not page.can_choose_time


def test_the_choice_of_places_costs_a_fixed_number_of_queries(client, room, django_assert_max_num_queries):
    for n in range(40):
        department = DepartmentFactory(name=f"科室{n}", pinyin=f"z{n}", initials=f"z{n}")
        role = doctor_in(department, f"赵医生{n}", pinyin=f"z{n}", initials=f"z{n}")
        half_day(role=role, day=today() + timedelta(days=28), numbers=4)
    department = DepartmentFactory(name="大科")
    for n in range(20):
        half_day(role=doctor_in(department, f"钱{n}"), day=today() + timedelta(days=28), numbers=4)
    url = reverse("appointments:consult")
    client.get(url)

    for address in (
        {"kind": "other"},
        {"kind": "other", "department": department.pk, "level": "specialty"},
        {"q": "z"},
    ):
        with django_assert_max_num_queries(28):
            client.get(url, address)


# ---- expert teams (B11) ----


@pytest.fixture
def team_room(client):
    """A member of an expert team who sees a patient that booked the team; the leader has own, gated half-days."""
    room = doctor_with_a_room(waiting=0, name="陈立", title="主治医师")
    leader = RoleFactory(practitioner=PractitionerFactory(name="郑大华", title="主任医师"))
    team = TeamFactory()
    TeamMemberFactory(team=team, role=room.role)
    TeamMemberFactory(team=team, role=leader, leader=True)
    room.team, room.leader = team, leader
    moment = now()
    sitting = open_schedule(
        role=None,
        team=team,
        department=team.department,
        service=team.service,
        day=today(),
        numbers=8,
        minutes=5,
        starts_at=moment + timedelta(hours=2),
        ends_at=moment + timedelta(hours=4),
        opened=moment - timedelta(days=7),
    )
    sitting.participants.update(practitioner=room.doctor)
    room.waiting = [checked_in(sitting, number=1, name="李秀英")]
    room.schedule = sitting
    bring_in(room)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    opened = moment - timedelta(days=1)
    room.gated = open_schedule(
        role=leader, gate_team=team, day=today() + timedelta(days=20), pool="team", opened=opened
    )
    return room


def refer(client, room, reason="疑难，请组长看"):
    return client.post(reverse("appointments:consult_refer"), {"encounter": room.waiting[0].pk, "reason": reason})


def take_leader(client, room):
    said = {"schedule": room.gated.pk, "number": 1, "encounter": room.waiting[0].pk, "request_key": key()}
    return client.post(
        f"{reverse('appointments:consult_lines')}?kind=leader&team={room.team.pk}", said, headers={"HX-Request": "true"}
    )


def test_the_leader_has_no_numbers_before_a_referral(client, team_room):
    """B11"""
    answer = take_leader(client, team_room)

    assert answer.status_code == 409
    assert "领衔专家的号只接受团队成员的组内转诊。" in answer.content.decode()
    assert not look(client, kind="leader", team=team_room.team.pk).can_choose_time


def test_a_members_referral_with_a_reason_opens_the_leaders_numbers_for_this_patient(client, team_room):
    """B11"""
    answer = refer(client, team_room)

    referral = TeamReferral.objects.get()
    assert answer.status_code == 302
    assert (referral.patient, referral.by, referral.team) == (team_room.first, team_room.doctor, team_room.team)
    assert timedelta(days=29, hours=23) < referral.valid_until - now() <= timedelta(days=30)

    assert [one.schedule for one in look(client, kind="leader", team=team_room.team.pk).strip.sessions] == [
        team_room.gated
    ]
    assert take_leader(client, team_room).status_code == 200
    assert Appointment.objects.get(schedule=team_room.gated).referral == referral


def test_a_referral_needs_a_reason(client, team_room):
    """B11"""
    answer = refer(client, team_room, reason=" ")

    assert answer.status_code == 422
    assert "请写明转诊理由。" in answer.content.decode()
    assert not TeamReferral.objects.exists()


def test_a_member_who_is_not_seeing_the_patient_cannot_refer(team_room):
    """B11"""
    colleague = TeamMemberFactory(team=team_room.team).role.practitioner
    encounter = team_room.waiting[0]

    with pytest.raises(NotOnTheTeam):
        refer_within_team(encounter=encounter, by=colleague, reason="请组长看", now=now())

    encounter.status = "waiting"
    with pytest.raises(NotOnTheTeam):
        refer_within_team(encounter=encounter, by=team_room.doctor, reason="请组长看", now=now())
    assert not TeamReferral.objects.exists()


def test_a_referral_twice_is_one(client, team_room):
    refer(client, team_room)
    refer(client, team_room)

    assert TeamReferral.objects.count() == 1


def test_a_doctor_outside_the_team_is_not_offered_a_referral(client, room):
    """B11"""
    assert [kind.name for kind in look(client).kinds] == KINDS
    answer = client.post(reverse("appointments:consult_refer"), {"encounter": room.waiting[0].pk, "reason": "请看"})

    assert answer.status_code == 409
    assert not TeamReferral.objects.exists()


def test_a_member_is_offered_the_referral_while_seeing_the_teams_patient(client, team_room):
    """B11"""
    assert [kind.name for kind in look(client).kinds] == [*KINDS, "leader"]


def test_an_expired_referral_opens_nothing(client, team_room):
    """B11: 30 days."""
    refer(client, team_room)
    TeamReferral.objects.update(created_at=now() - timedelta(days=31), valid_until=now() - timedelta(days=1))

    assert take_leader(client, team_room).status_code == 409


def test_the_team_itself_is_booked_by_anybody(client, room):
    """B11: the team is booked, a member sees the patient first."""
    team = TeamFactory()
    sitting = open_schedule(
        role=None, team=team, department=team.department, service=team.service, day=today() + timedelta(days=28),
        opened=now() - timedelta(days=1),
    )  # fmt: skip

    page = look(client, kind="team", team=team.pk)

    assert page.strip.chosen.schedule == sitting
    assert "领衔专家的号只接受" in page.leader_rule


# ---- plain clinics ----


def test_a_doctor_on_duty_sits_down_in_a_free_room_of_the_plain_clinic(client):
    """B18, B20: a plain clinic names rooms, not doctors."""
    room = doctor_with_a_room(waiting=0)
    room.schedule.participants.update(active=False)
    moment = now()
    add_numbers(room.schedule, count=1)
    plain = open_schedule(
        role=None, department=room.role.department, service=room.role.service, day=today(), numbers=8, minutes=5,
        starts_at=moment - timedelta(hours=1), ends_at=moment + timedelta(hours=3), opened=moment - timedelta(days=7),
    )  # fmt: skip
    waiting = checked_in(plain, number=1)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")

    [seat] = look(client).seats
    client.post(reverse("appointments:consult_sit"), {"seat": seat.pk})
    client.post(reverse("appointments:consult_next"), {"current": ""})

    waiting.refresh_from_db()
    assert (waiting.status, waiting.practitioner) == ("in_room", room.doctor)


def test_a_room_where_a_colleague_sits_is_not_offered(client):
    room = doctor_with_a_room(waiting=0)
    colleague = PractitionerFactory()
    room.schedule.participants.update(practitioner=colleague)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")

    assert look(client).seats == []
