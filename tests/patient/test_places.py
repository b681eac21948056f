"""第一步：选科室. Groups, campuses and branches; found by Chinese, pinyin and initials."""

import pytest

from appointments.policies.scarcity import State
from appointments.selectors.patient import places
from hospital import pinyin
from hospital.models import CareTeam, Department, Organization
from tests.factories import NOW, CampusFactory, DepartmentFactory, OrganizationFactory

from .scenes import TOMORROW, doctor, half_day, team_with_leader

pytestmark = pytest.mark.django_db


def department(name, **more):
    spelled, first = pinyin.of_thing(name)
    return DepartmentFactory(name=name, pinyin=spelled, initials=first, **more)


@pytest.fixture
def branch():
    return OrganizationFactory(
        code="B1", name="柳堤社区卫生服务中心", short_name="柳堤社区", parent=OrganizationFactory()
    )


def found(text, **more):
    return [each.name for each in places.search(text, campus=more.get("campus"), now=NOW).departments]


@pytest.mark.parametrize(
    "text", ["心血管内科", "心血管", "xinxueguanneike", "xinxue", "xxg", "XXGNK", " xxgnk ", "neike"]
)
def test_a_department_is_found_by_name_pinyin_and_initials(text):
    department("心血管内科")
    department("骨科")

    assert found(text) == ["心血管内科"]


@pytest.mark.parametrize("text", ["心内", "心内科", "心 内科", "xnk", "XNK"])
def test_a_department_is_found_by_some_of_its_characters_in_order_when_nothing_else_is(text):
    department("心血管内科")
    department("内分泌科")

    assert found(text) == ["心血管内科"]


def test_a_blank_in_a_chinese_name_does_not_hide_the_doctor():
    half_day(role=doctor(name="王建国", pinyin="wangjianguo", initials="wjg"))

    assert [one.role.practitioner.name for one in places.search("王 建国", campus=None, now=NOW).people] == ["王建国"]


@pytest.mark.parametrize("text", ["", "   ", "zzz", "%", "_", "a'b", "'", "0", "心" * 400])
def test_what_is_not_there_is_not_found(text):
    department("心血管内科")

    assert not places.search(text, campus=None, now=NOW)


def test_whole_matches_come_before_beginnings_and_those_before_the_middle():
    department("小儿骨科", order=1)
    department("骨科康复", order=2)
    department("骨科", order=3)

    assert found("骨科") == ["骨科", "骨科康复", "小儿骨科"]
    assert found("gk") == ["骨科", "骨科康复"]


def test_the_hospital_comes_before_its_branches(branch):
    department("全科诊室", organization=branch, campus=CampusFactory(organization=branch, code="L"))
    department("全科医疗科")

    assert found("全科") == ["全科医疗科", "全科诊室"]
    assert [group.name for group in places.grouped(places.departments_shown())][-1] == "柳堤社区卫生服务中心"


def test_a_campus_narrows_departments_and_people():
    here, there = CampusFactory(), CampusFactory(code="C2", name="滨湖院区")
    department("骨科", campus=here)
    other = department("骨科（滨湖）", campus=there)
    doctor(other, name="骨科林", pinyin="gukelin", initials="gkl")

    assert found("骨科", campus=there.pk) == ["骨科（滨湖）"]
    assert [one.role.practitioner.name for one in places.search("骨", campus=there.pk, now=NOW).people] == ["骨科林"]
    assert places.search("骨", campus=here.pk, now=NOW).people == []


def test_a_doctor_is_found_by_name_and_by_what_they_are_good_at_with_the_first_day():
    role = doctor(name="王建国", pinyin="wangjianguo", initials="wjg", specialty_text="高血压、冠心病")
    half_day(role=role)

    for text in ("王建国", "建国", "wangj", "wjg", "高血压"):
        (person,) = places.search(text, campus=None, now=NOW).people
        assert (person.role, person.state, person.day) == (role, State.OPEN, TOMORROW)


def test_a_leading_expert_is_found_as_such_with_the_team():
    """B11."""
    place = department("心血管内科")
    _team, led = team_with_leader(place)
    CareTeam.objects.update(introduction="史清荷带队")
    half_day(role=led)

    states = {str(one.role or one.team): one.state for one in places.search("史清荷", campus=None, now=NOW).people}

    assert states == {"史清荷 心血管内科": State.GATED, "冠心病专家团队": State.NONE}


def test_what_is_closed_is_not_shown(branch):
    department("骨科", active=False)
    department("骨科二部", organization=branch, campus=CampusFactory(organization=branch, code="L"))
    Organization.objects.filter(pk=branch.pk).update(active=False)
    role = doctor(name="骨一", pinyin="guyi", initials="gy")
    Department.objects.filter(pk=role.department_id).update(active=False)

    assert not places.search("骨", campus=None, now=NOW)
    assert places.grouped(places.departments_shown()) == []


def test_departments_stand_in_the_hospitals_own_groups_and_order():
    department("骨科", group="外科系统", order=2)
    department("心血管内科", group="内科系统", order=1)
    department("普外科", group="外科系统", order=3)

    groups = places.grouped(places.departments_shown())

    assert [(group.name, [row.name for row in group.departments]) for group in groups] == [
        ("内科系统", ["心血管内科"]),
        ("外科系统", ["骨科", "普外科"]),
    ]


def test_searching_asks_as_often_for_twelve_people_as_for_one(django_assert_num_queries):
    place = department("心血管内科")

    def add(count):
        for _ in range(count):
            half_day(role=doctor(place, name="王医生", pinyin="wangyisheng", initials="wys"))

    add(1)
    places.search("王医生", campus=None, now=NOW)  # the rules are kept in the process
    with django_assert_num_queries(7):  # one of them: departments by characters in order
        places.search("王医生", campus=None, now=NOW)
    add(11)
    with django_assert_num_queries(7):
        assert len(places.search("王医生", campus=None, now=NOW).people) == 12
