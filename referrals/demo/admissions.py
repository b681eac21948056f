"""Admissions of the demo's month: asked for in real visits, in every state, by the services that a hospital uses."""

import random
from datetime import datetime, timedelta

from appointments.models import Encounter
from hospital import clock
from hospital.models import Organization, User
from referrals import errors
from referrals.models import AdmissionRequest
from referrals.policies.admission import USUAL
from referrals.selectors import icd10
from referrals.services import admission

BACK = timedelta(days=21)
MOST = 24
PLANS = [
    ("心", "ward", "I25.1", "冠状动脉造影，必要时支架植入"),
    ("骨", "ward", "M17.9", "右膝关节置换"),
    ("妇", "day", "N84.0", "宫腔镜息肉切除"),
    ("眼", "day", "H25.9", "右眼白内障超声乳化"),
    ("外", "day", "K80.2", "腹腔镜胆囊切除"),
    ("呼吸", "ward", "J44.1", "抗感染、雾化，评估吸氧"),
    ("消化", "day", "K63.5", "肠镜下息肉切除"),
    ("内分泌", "ward", "E11.6", "调整胰岛素，并发症评估"),
    ("神经", "ward", "I63.9", "康复治疗，二级预防"),
]
"""Department's name holds → kind, code, purpose."""

STAGES = ["asked", "asked", "preparing", "preparing", "ready", "scheduled", "scheduled", "admitted", "admitted",
          "refused", "cancelled"]  # fmt: skip


def live(*, organization: Organization, clerk: User, now: datetime, dice: random.Random) -> int:
    """Draw them; how many. `clerk`: of the referral office."""
    words = "|".join(word for word, *_plan in PLANS)
    visits = Encounter.objects.filter(
        schedule__organization=organization, status="finished", finished_at__range=(now - BACK, now),
        practitioner__user__isnull=False, schedule__department__name__regex=words,
    ).exclude(schedule__department__name__contains="儿")  # fmt: skip
    ids = list(visits.order_by("pk").values_list("pk", flat=True))
    chosen = Encounter.objects.filter(pk__in=dice.sample(ids, min(MOST, len(ids))))
    chosen = chosen.select_related("schedule__department", "patient", "practitioner__user")
    drawn = chosen.order_by("finished_at", "pk")
    return sum(_live(visit, dice.choice(STAGES), clerk=clerk, now=now, dice=dice) for visit in drawn)


def _plan(visit: Encounter) -> list[str]:
    """What this department admits for."""
    return next(plan for word, *plan in PLANS if word in visit.schedule.department.name)


def _live(visit: Encounter, stage: str, *, clerk: User, now: datetime, dice: random.Random) -> bool:
    department, asked = visit.schedule.department, visit.finished_at
    kind, code, purpose = _plan(visit)
    first = clock.today(asked) + timedelta(days=dice.randint(1, 10))
    try:
        row = admission.ask(
            patient=visit.patient, department=department, doctor=visit.practitioner, by=visit.practitioner.user,
            encounter=visit, needs=[(need, text) for _code, need, text in USUAL if dice.random() < 0.7], now=asked,
            kind=kind, urgency=dice.choice(["routine", "routine", "soon", "urgent"]), diagnosis_code=code,
            diagnosis=icd10.named(code, ""), purpose=purpose, wished_from=first,
            wished_to=first + timedelta(days=dice.choice([7, 14, 28])),
        )  # fmt: skip
    except errors.AdmissionAskedAlready:
        return False
    _bring_to(row, stage, first=first, clerk=clerk, now=now)
    return True


def _bring_to(row: AdmissionRequest, stage: str, *, first, clerk: User, now: datetime) -> None:
    """Each step as the office would do it, within the time that has gone by."""
    then = {"by": clerk, "now": min(row.asked_at + timedelta(hours=20), now)}
    if stage == "refused":
        admission.refuse(request=row, reason="门诊治疗即可，暂不需住院", **then)
    if stage in ("asked", "refused"):
        return
    admission.approve(request=row, **then)
    needs = list(row.needs.all())
    for need in needs[: len(needs) // 2] if stage == "preparing" else needs:
        admission.tick(need=need, done=True, office=True, **then)
    if stage == "cancelled":
        admission.cancel(request=row, reason="患者要求推迟", **then)
    row.refresh_from_db()
    if stage not in ("scheduled", "admitted") or row.status != AdmissionRequest.Status.READY:
        return
    day = max(first, clock.today(then["now"]))
    admission.schedule(request=row, day=day, place=f"住院楼 {row.department.name}护士站", **then)
    if stage == "admitted" and clock.today(now) >= day:
        admission.admit(request=row, by=clerk, now=now)
