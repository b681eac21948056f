"""An account with a person, an exam that was asked for, a device with mornings, and the clicks."""

import re
from datetime import time, timedelta

from exams.models import ExamBooking, Preparation, ScreeningAnswer, ScreeningQuestion
from hospital import clock
from tests.bookings.scenes import account_with, add_person, agree, at, people
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PoolFactory,
    UserFactory,
    exam_variant,
    open_device,
)

SOON = TODAY + timedelta(days=2)  # Wednesday 11月25日
PHONE = "0512-6600"

__all__ = ["NOW", "SOON", "TODAY", "account_with", "add_person", "agree", "at", "people"]


def fasting(**more) -> Preparation:
    """Eight hours, not after 10:30."""
    return signed(
        Preparation, name="空腹", text="检查前8小时不吃东西。", fast_minutes=480, latest_start=time(10, 30), **more
    )


def signed(model, **fields):
    by = UserFactory()
    return model.objects.create(
        organization=OrganizationFactory(),
        source="科室规范",
        approved_by=by,
        approved_at=NOW - timedelta(days=9),
        **fields,
    )


def question(code="implant", *, text="体内有金属植入物吗？", items=(), **answers) -> ScreeningQuestion:
    """`answers`: code=(text, effect, sentence)."""
    row = signed(ScreeningQuestion, code=code, text=text)
    row.items.set(items)
    answers = answers or {"no": ("没有", "ok", ""), "yes": ("有", "refuse", "有金属植入物的，不能做这项检查。")}
    for order, (answer, (words, effect, sentence)) in enumerate(answers.items()):
        ScreeningAnswer.objects.create(
            question=row, code=answer, text=words, effect=effect, sentence=sentence, order=order
        )
    return row


def abdomen(*, days=(2, 3), name="腹部超声", preparation=True, **more):
    """An ultrasound of 20 minutes, fasting, on a device open from 08:00 to 10:00."""
    variant = exam_variant(name=name, preparation=fasting() if preparation else None, **more)
    PoolFactory(organization=variant.item.organization, kind="public")
    open_device(variant, days=days, starts=time(8), ends=time(10))
    return variant


def asked_for(patient, variant=None, **more):
    OrganizationFactory()
    return ExamRequestFactory(patient=patient, variant=variant or abdomen(), **more)


def slots(page) -> list[str]:
    """The values of the radios, in the order of the page."""
    return re.findall(r'name="slot" required value="([^"]+)"', page.content.decode())


def hold(client, request, *, place=0) -> ExamBooking:
    """Choose one of the times of the first day with some."""
    address = f"/exams/requests/{request.pk}/times/"
    answer = client.post(address, {"slot": slots(client.get(address))[place]})
    assert answer.status_code == 302, answer.content.decode()
    return ExamBooking.objects.get(pk=int(re.search(r"/bookings/(\d+)/confirm/", answer.url)[1]))


def booked(client, request, **more) -> ExamBooking:
    row = hold(client, request, **more)
    answer = client.post(f"/exams/bookings/{row.pk}/confirm/", {"read": "1"})
    assert answer.url == f"/exams/bookings/{row.pk}/done/", answer.content.decode()
    row.refresh_from_db()
    return row


def eve(day, hour) -> object:
    return clock.at(day - timedelta(days=1), time(hour))
