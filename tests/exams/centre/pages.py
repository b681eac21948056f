"""How the tests of 检查预约中心 and 检查室 ask for pages, and a question that is asked of everybody."""

from django.urls import reverse

from exams.models import (
    ScreeningAnswer,
    ScreeningQuestion,
)
from tests.factories import (
    NOW,
    StaffFactory,
)


def page(client, name, *args, **query):
    return client.get(reverse(f"exams:{name}", args=args), query)


def post(client, name, *args, _query="", **data):
    return client.post(reverse(f"exams:{name}", args=args) + _query, data)


def question(organization, *, effect="refuse", **more):
    row = ScreeningQuestion.objects.create(
        organization=organization, code="pregnant", text="是否怀孕？", source="院内规定",
        approved_by=StaffFactory(), approved_at=NOW, **more,
    )  # fmt: skip
    ScreeningAnswer.objects.create(question=row, code="no", text="没有", effect="ok")
    ScreeningAnswer.objects.create(question=row, code="yes", text="有", effect=effect, sentence="怀孕不能做。")
    return row
