"""The catalogue in the office (E1, E3, E4, E8): every page, odd input, and what the database keeps."""

import pytest

from exams.models import ExamItem, ExamRule, ExamSet, OrderingRule, Preparation, ScreeningQuestion

pytestmark = pytest.mark.django_db

AT = "/office/exams"


def test_every_page_opens_and_says_its_catalogue(office, house, django_assert_max_num_queries):
    rule, question, leaflet = (
        OrderingRule.objects.first(),
        ScreeningQuestion.objects.first(),
        Preparation.objects.first(),
    )
    item, bundle = ExamItem.objects.get(code="CT02"), ExamSet.objects.first()
    for address, said in {
        "items/": "冠状动脉CT造影", "items/new/": "没有这一种", f"items/{item.pk}/": "没有设备，约不到",
        f"items/{item.pk}/edit/": "含碘对比剂", "sets/": "减重门诊评估", "sets/new/": "产科超声",
        f"sets/{bundle.pk}/": bundle.name, "groups/": "含钆对比剂", "groups/new/": "分组名称",
        "waiting/": "没有等待批准的内容",
        "rules/": "要改天做", "rules/new/": "预览", f"rules/{rule.pk}/": "现有的预约都符合这条规则",
        "questions/": "心脏起搏器", "questions/new/": "再加两个答案", f"questions/{question.pk}/": "什么检查",
        "preparations/": "少渣饮食", "preparations/new/": "空腹最晚开始",
        f"preparations/{leaflet.pk}/": "用这份准备的检查",
        "settings/": "时段（分钟）", "settings/new/": "最早从明天起",
        f"settings/{ExamRule.objects.get().pk}/": "规则内容",
        f"rules/new/?base={rule.pk}": rule.why, f"questions/new/?base={question.pk}": question.text,
        f"preparations/new/?base={leaflet.pk}": "小时",
    }.items():  # fmt: skip
        with django_assert_max_num_queries(32):
            page = office.get(f"{AT}/{address}")
        assert page.status_code == 200, address
        assert said in page.content.decode(), address
