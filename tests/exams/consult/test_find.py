"""Finding exams and sets by what is quickest to type (E2, E8)."""

import pytest

from exams.models import ExamSet
from exams.selectors import find
from tests.factories import OrganizationFactory
from tests.factories.exams import ExamItemFactory, exam_variant

pytestmark = pytest.mark.django_db


def offered(name, pinyin, initials, *kinds, **more):
    item = ExamItemFactory(name=name, pinyin=pinyin, initials=initials, **more)
    return [exam_variant(item=item, kind=kind) for kind in kinds or ("plain",)]


FOUND = {
    "wj": ["胃镜"],
    "weij": ["胃镜"],
    "胃": ["胃镜", "入职套餐（含胃部）"],
    "wtwj": ["胃镜（无痛）"],
    "无痛胃镜": ["胃镜（无痛）"],
    "wj wt": ["胃镜（无痛）"],
    "fb": ["腹部CT", "腹部超声"],
    "fbctzq": ["腹部CT（增强）"],
    "WJ": ["胃镜"],
    "ct": ["腹部CT"],
    "jz": [],
    "%": [],
    "'": [],
}


def test_an_exam_is_found_in_one_query(django_assert_num_queries):
    offered("胃镜", "weijing", "wj", "plain", "sedated")
    offered("腹部CT", "fubuct", "fbct", "plain", "contrast")
    offered("腹部超声", "fubuchaosheng", "fbcs")
    offered("甲状腺超声", "jiazhuangxianchaosheng", "jzxcs", active=False)
    offered("骨密度", "gumidu", "jz", organization=OrganizationFactory(code="OTHER"))
    house = OrganizationFactory()
    ExamSet.objects.create(organization=house, code="RZ", name="入职套餐（含胃部）", initials="rztc", programme="入职")

    for typed, names in FOUND.items():
        with django_assert_num_queries(1):
            found = find.search(typed, organization_id=house.pk)
        assert [line.name for line in found] == names, typed
