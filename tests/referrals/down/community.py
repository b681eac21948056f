"""A community centre with a clinic of its own, and a patient who was sent up from there."""

from datetime import date, timedelta

from appointments.models import ChannelRule, Schedule
from hospital.models import PriceItem
from referrals.models import Referral
from referrals.services import down
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
    CommunityFactory,
    DepartmentFactory,
    PractitionerFactory,
    ReferralFactory,
    RoleFactory,
    RoomFactory,
    ServiceFactory,
    StaffFactory,
    open_schedule,
)

DAY = TODAY + timedelta(days=14)
WRITTEN = {"reason": "病情稳定，转回康复", "diagnosis": "高血压 3 级", "diagnosis_code": "I10", "history": "住院调药",
           "consent": "patient"}  # fmt: skip


def clinic(*, day=DAY, numbers=3, **more) -> Schedule:
    """The family doctor's own half-day at the community centre."""
    house = CommunityFactory()
    PriceItem.objects.get_or_create(
        organization=house, code="G", defaults={"name": "诊察费", "amount": 10, "effective_from": date(2026, 1, 1)}
    )
    ChannelRule.objects.get_or_create(
        organization=house, channel="ward", defaults={"kinds": ["consult"], "effective_from": date(2026, 1, 1)}
    )
    campus = CampusFactory(organization=house, code="SC1", name="柳堤")
    department = DepartmentFactory(organization=house, campus=campus, code="SQD", name="全科")
    doctor = PractitionerFactory(organization=house, code="SQP1", name="赵家庭")
    role = RoleFactory(
        practitioner=doctor, department=department, service=ServiceFactory(organization=house, code="SQS1")
    )
    room = RoomFactory(campus=campus, code="SQR1")
    return open_schedule(
        organization=house, campus=campus, role=role, room=room, day=day, numbers=numbers, pool="consult", **more
    )


def arrived(**more) -> Referral:
    """Sent up, accepted, and the patient is here."""
    return ReferralFactory(status="arrived", due_at=None, answered_at=NOW - timedelta(hours=5), **more)


def plan(**said) -> down.Plan:
    usual = {"medication": "氨氯地平 5mg 每日一次", "warning_signs": "血压高于 180/110 或胸痛", "follow_up_on": DAY}
    return down.Plan(**{**usual, "follow_up_at": CommunityFactory(), **said})


def sent_down(**more) -> Referral:
    """The patient of a referral up, back at the community with a plan."""
    up = more.pop("referral", None) or arrived()
    usual = {"plan": plan(), "receiver": up.origin, "written": WRITTEN, "by": StaffFactory(roles="doctor"), "now": NOW}
    return down.send_down(referral=up, **{**usual, **more})
