"""A doctor's room with devices to be booked from tomorrow on. The days are real: the database's clock decides."""

from datetime import time, timedelta

from django.urls import reverse

from exams.models import DeviceAbility, ExamBooking
from tests.consult.rooms import bring_in, doctor_with_a_room, now, open_page, today
from tests.factories.exams import DeviceFactory, ExamItemFactory, device_session, exam_variant

NAMES = [
    ("腹部超声", "fubuchaosheng", "fbcs"),
    ("常规心电图", "changguixindiantu", "cgxdt"),
    ("胸部正位片", "xiongbuzhengweipian", "xbzwp"),
    ("甲状腺超声", "jiazhuangxianchaosheng", "jzxcs"),
    ("心脏超声", "xinzangchaosheng", "xzcs"),
    ("肺功能", "feigongneng", "fgn"),
    ("膀胱超声", "pangguangchaosheng", "pgcs"),
    ("骨密度", "gumidu", "gmd"),
]


def offered(count=3, *, days=(1,), **more):
    """Exams by name, each on a device of its own that is open on these mornings."""
    variants = []
    for name, pinyin, initials in NAMES[:count]:
        variant = exam_variant(item=ExamItemFactory(name=name, pinyin=pinyin, initials=initials, **more))
        open_tomorrow(variant, days=days)
        variants.append(variant)
    return variants


def open_tomorrow(*variants, days):
    """A device that can do these."""
    device = DeviceFactory()
    DeviceAbility.objects.bulk_create(DeviceAbility(device=device, variant=variant) for variant in variants)
    for ahead in days:
        day = today() + timedelta(days=ahead)
        device_session(device, day=day, starts=time(8), ends=time(12), opens_at=now() - timedelta(days=1))
    return device


def room_with_a_patient(client=None, *, waiting=2):
    room = doctor_with_a_room(waiting=waiting)
    bring_in(room)
    if client:
        client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    return room


def press(client, room, act, *, script=True, url="exams:consult_act", **typed):
    """A button of the kind's form."""
    said = {"encounter": room.waiting[0].pk, "act": act, **typed}
    return client.post(reverse(url), said, headers={"HX-Request": "true"} if script else {})


def add(client, room, *variants):
    for variant in variants:
        answer = press(client, room, f"add:item-{variant.pk}")
    return answer


def hold_a_plan(client, room, *variants):
    """Asked for and the best plan taken."""
    add(client, room, *variants)
    asked = press(client, room, "ask")
    token = asked.context["work"].proposal.best.token
    return press(client, room, f"hold:{token}")


def states(model=ExamBooking):
    return list(model.objects.order_by("pk").values_list("status", flat=True))


def page_of(client, **address):
    return open_page(client, kind="exams", **address)
