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


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("wj", ["胃镜"]),
        ("weij", ["胃镜"]),
        ("胃", ["胃镜", "入职套餐（含胃部）"]),
        ("wtwj", ["胃镜（无痛）"]),
        ("无痛胃镜", ["胃镜（无痛）"]),
        ("wj wt", ["胃镜（无痛）"]),
        ("fb", ["腹部CT", "腹部超声"]),
        ("fbctzq", ["腹部CT（增强）"]),
        ("WJ", ["胃镜"]),
        ("jz", []),
        ("%", []),
        ("'", []),
    ],
)
def test_an_exam_is_found(typed, found, django_assert_num_queries):
    offered("胃镜", "weijing", "wj", "plain", "sedated")
    offered("腹部CT", "fubuct", "fbct", "plain", "contrast")
    offered("腹部超声", "fubuchaosheng", "fbcs")
    offered("甲状腺超声", "jiazhuangxianchaosheng", "jzxcs", active=False)
    offered("骨密度", "gumidu", "jz", organization=OrganizationFactory(code="OTHER"))
    house = OrganizationFactory()
    ExamSet.objects.create(organization=house, code="RZ", name="入职套餐（含胃部）", initials="rztc", programme="入职")

    with django_assert_num_queries(1):
        names = [line.name for line in find.search(typed, organization_id=house.pk)]

    assert names == found
