"""The steps of the claim, each with its reason in words and the rule row that speaks."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from appointments.errors import (
    AlreadyBooked,
    Inactive,
    LimitReached,
    NeedsTeamReferral,
    NoPrice,
    NoSuchPatient,
    NotOpen,
    PastNumber,
    SoldOut,
    SpecialOnly,
    Stopped,
    TimeConflict,
)
from appointments.models import Allotment, PatientSuspension, Schedule, Slot
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.policies import special as special_policy
from appointments.policies import who
from hospital import clock
from hospital.errors import Refused
from hospital.models import CareTeamMember, PriceItem

from .. import rules
from ..extras import given_extras
from ..numbers import count_left
from .look import Look, PoolLine, Step, fitting, visits_of


def _held(name: str, says: str, **more) -> Step:
    return Step(name, True, says, **more)


def _no(name: str, refusal: Refused, says: str = "", **more) -> Step:
    return Step(name, False, says or refusal.sentence, refusal=refusal, **more)


def _level(look: Look) -> Step:
    """B4."""
    name, schedule = _("级别"), look.asked.schedule
    rule = rules.level_rule(schedule.organization_id, day=look.day)
    refusal = policy.refusal_by_level(
        channel=look.asked.channel, level=schedule.service.level, levels=rule.levels if rule else None
    )
    if refusal:
        return _no(name, refusal, rules=(rule,))
    if look.asked.channel != Channel.CONSULT:
        return _held(name, _("只有诊间预约限级别，这个渠道不限。"))
    return _held(name, _("%(level)s，诊间可约。") % {"level": schedule.service.get_level_display()}, rules=(rule,))


def _running(look: Look) -> Step:
    name, schedule = _("开诊状态"), look.asked.schedule
    if schedule.status == Schedule.Status.STOPPED:
        return _no(name, Stopped())
    if schedule.ends_at <= look.now:
        return _no(name, PastNumber(), _("这次出诊已经结束。"))
    return _held(name, _("开诊，还没有结束。"))


def _active(look: Look) -> Step:
    """Inactive doctors and services, and a price for the day."""
    name, schedule = _("医生、号别和价格"), look.asked.schedule
    role = schedule.role
    if not schedule.service.active or (role and not (role.active and role.practitioner.active)):
        return _no(name, Inactive())
    if look.ground == "no_price":
        return _no(name, NoPrice())
    if look.ground in ("stopped", "past") and not _has_price(schedule):
        return _no(name, NoPrice())
    return _held(name, _("都在用，当天有价格。"))


def _has_price(schedule: Schedule) -> bool:
    rows = PriceItem.objects.filter(organization=schedule.organization_id, code=schedule.service.price_code)
    rows = rows.filter(effective_from__lte=schedule.day).exclude(effective_to__lt=schedule.day)
    return rows.exists()


def _gate(look: Look) -> Step:
    """B11."""
    name, schedule = _("领衔专家"), look.asked.schedule
    if look.ground == "needs_referral":
        return _no(name, NeedsTeamReferral())
    if schedule.gate_team_id is None and not _leads(schedule):
        return _held(name, _("不是领衔专家的号，不需要组内转诊。"))
    if look.ground in EARLIER:
        return Step(name, None, _("前面已经不行，没有查到这一步。"))
    return _held(name, _("有团队的组内转诊，或正在这位专家的诊室。"))


EARLIER = ("stopped", "past", "inactive", "no_price", "not_found")
"""Answers of the ground that come before the gate."""


def _leads(schedule: Schedule) -> bool:
    if not schedule.role_id:
        return False
    rows = CareTeamMember.objects.filter(role__practitioner=schedule.role.practitioner_id, leader=True, active=True)
    return rows.filter(team__active=True).exists()


def _pools(look: Look) -> Step:
    """P1, P3-P7: which pools the channel takes from, and which of them are open by now."""
    name, asked = _("号池开放"), look.asked
    lines = tuple(_pool_line(look, row) for row in look.allotments)
    house = asked.schedule.organization_id
    channel = rules.channel_rule(asked.channel, organization_id=house, day=look.day)
    written = (channel, rules.supply_rule_for(asked.schedule))
    if asked.partner and (over := rules.refusal_to_partner(asked.partner, organization_id=house, day=look.day)):
        return _no(name, over, pools=lines, rules=written)
    if any(line.open for line in lines):
        open_now = [line.name for line in lines if line.open]
        return _held(name, _("现在能约：%(pools)s。") % {"pools": _("、").join(open_now)}, pools=lines, rules=written)
    refusal = _special_or(look, NotOpen()) if look.ground == "not_open" else None
    said = _("这个渠道能用的号池还没有开放。") if look.pools.ids else _("这个渠道现在一个号池也不能用。")
    if moment := min((line.opens_at for line in lines if line.mine and line.opens_at > look.now), default=None):
        said = _("%(at)s 起开放。") % {"at": _moment(moment)}
    if refusal is None:
        return Step(name, False, said, pools=lines, rules=written)
    return _no(name, refusal, said, pools=lines, rules=written)


def _pool_line(look: Look, row: Allotment) -> PoolLine:
    gated = look.asked.schedule.gate_team_id is not None
    allowed = (look.pools.team,) if gated else look.pools.ids
    mine, shared = row.pool_id in allowed, row.shared_from is not None and row.shared_from <= look.now
    takes_public = not gated and look.pools.public is not None
    usable = row.pool_id in look.usable if look.ground is None else False
    if look.ground is not None:
        usable = (mine and row.opens_at <= look.now) or (shared and takes_public)
    opens = row.opens_at if mine else row.shared_from if takes_public and row.shared_from else row.opens_at
    numbers = [slot for slot in look.slots if slot.pool_id == row.pool_id and slot.status != Slot.Status.BLOCKED]
    return PoolLine(
        name=row.pool.name,
        opens_at=opens,
        shared_from=row.shared_from,
        mine=mine or (takes_public and row.shared_from is not None),
        open=usable,
        free=sum(look.free(slot) for slot in numbers),
        total=len(numbers),
    )


def _special_or(look: Look, refusal: Refused) -> Refused:
    """P7: as services.booking, where the only numbers left are kept for the special group."""
    asked = look.asked
    if asked.channel not in special_policy.ASKED:
        return refusal
    house = asked.schedule.organization_id
    pools = rules.pools_for(asked.channel, organization_id=house, day=look.day, partner_id=asked.partner, special=True)
    left = pools != look.pools and count_left([asked.schedule.pk], pools=pools, now=look.now)
    return SpecialOnly() if left else refusal


def _number(look: Look) -> Step:
    """Is a number left of what was asked for? Whose a taken one is, nobody is told."""
    name = _("号")
    if look.ground is not None:
        return Step(name, None, _("前面已经不行；%(state)s") % {"state": _state_of(look)})
    takeable = look.takeable()
    if any(look.ahead(slot) for slot in takeable):
        return _held(name, _("还有 %(count)s 个能约。%(state)s") % {"count": len(takeable), "state": _state_of(look)})
    if takeable:
        return _no(name, PastNumber(), _("剩下的号时间都过了。%(state)s") % {"state": _state_of(look)})
    return _no(name, _special_or(look, SoldOut()), _("没有能约的号。%(state)s") % {"state": _state_of(look)})


def _state_of(look: Look) -> str:
    """状态 only: one number by name, several by count."""
    meant = look.meant()
    if not meant:
        return _("没有这个号。")
    if len(meant) == 1:
        slot = meant[0]
        pool = next((row.pool.name for row in look.allotments if row.pool_id == slot.pool_id), "")
        said = {"number": slot.number, "at": _time(slot.start), "pool": pool, "state": _word(look, slot)}
        return _("%(number)s号 %(at)s（%(pool)s）%(state)s。") % said
    counts = Counter(_word(look, slot, plain=True) for slot in meant)
    said = _("，").join(_("%(state)s %(count)s 个") % {"state": word, "count": n} for word, n in counts.items())
    return _("%(said)s。") % {"said": said}


def _word(look: Look, slot: Slot, *, plain: bool = False) -> str:
    if slot.status == Slot.Status.BOOKED:
        return _("已被约走")
    if slot.status == Slot.Status.BLOCKED:
        return _("已停用")
    if not look.free(slot):
        at = {"at": _time(slot.hold_until)}
        if slot.pk in look.resting:
            return _("退号待放回")
        if slot.status == Slot.Status.RESTING:
            return _("退号待放回") if plain else _("退号待放回，%(at)s 放回") % at
        return _("锁定中") if plain else _("锁定中，%(at)s 到期") % at
    return _("空着") if slot.start > look.now else _("空着但时间已过")


def _person(look: Look) -> Step:
    name, patient = _("就诊人档案"), look.asked.patient
    if patient is None:
        return Step(name, None, _("没有选就诊人，以下几步没有查。"))
    if not patient.active:
        return _no(name, NoSuchPatient())
    return _held(name, _("档案有效。"))


def _of_patient(name: Callable[[], str], only_self_service: bool = True):
    """A step that needs a patient; of self-service channels only."""

    def wrap(ask: Callable[[Look, str], Step]) -> Callable[[Look], Step]:
        def step(look: Look) -> Step:
            if look.asked.patient is None:
                return Step(name(), None, _("没有选就诊人。"))
            if only_self_service and not policy.is_self_service(look.asked.channel):
                return _held(name(), _("这个渠道由工作人员办理，不受此限。"))
            return ask(look, name())

        return step

    return wrap


@_of_patient(lambda: _("暂停预约"))
def _suspended(look: Look, name: str) -> Step:
    """B15."""
    rows = PatientSuspension.objects.filter(
        patient=look.asked.patient, lifted_at=None, starts_at__lte=look.now, ends_at__gt=look.now
    )
    until = rows.aggregate(until=Max("ends_at"))["until"]
    rule = rules.organization_booking_rule(look.asked.schedule.organization_id, day=look.day)
    return (
        _no(name, who.suspended(until), rules=(rule,)) if until else _held(name, _("没有因爽约暂停。"), rules=(rule,))
    )


@_of_patient(lambda: _("同日同科室"))
def _same_day(look: Look, name: str) -> Step:
    schedule = look.asked.schedule
    visits = visits_of(look)
    if any(visit.day == schedule.day and visit.department_id == schedule.department_id for visit in visits):
        return _no(name, AlreadyBooked())
    return _held(name, _("当天在这个科室没有别的预约。"))


@_of_patient(lambda: _("预约次数"))
def _limits(look: Look, name: str) -> Step:
    """B16."""
    schedule, rule = look.asked.schedule, look.rule
    limits = policy.limits_for(look.asked.channel, exempt=schedule.service.limits_exempt, rule=rule)
    if limits is None:
        return _held(name, _("这个号别不计预约次数。"))
    used = who.used_by(visits_of(look), day=schedule.day)
    said = {"day": used.day, "week": used.week, "quarter": used.quarter}
    said |= {"day_most": rule.limit_day, "week_most": rule.limit_week, "quarter_most": rule.limit_quarter}
    says = (
        _("已约：当天 %(day)s/%(day_most)s，7 天内 %(week)s/%(week_most)s，90 天内 %(quarter)s/%(quarter_most)s。")
        % said
    )
    if used.full(limits):
        refusal = LimitReached(day=rule.limit_day, week=rule.limit_week, quarter=rule.limit_quarter)
        return _no(name, refusal, says, rules=(rule,))
    return _held(name, says, rules=(rule,))


@_of_patient(lambda: _("时间冲突"), only_self_service=False)
def _clash(look: Look, name: str) -> Step:
    if look.ground is not None:
        return Step(name, None, _("前面已经不行，没有查到这一步。"))
    takeable = [slot for slot in look.takeable() if look.ahead(slot)]
    if takeable and not fitting(look):
        return _no(name, TimeConflict())
    return _held(name, _("这个时间没有别的安排。"))


STEPS = (
    _level, _running, _active, _gate, _pools, _number, _person, _suspended, _same_day, _limits, _clash,
)  # fmt: skip
"""In the order of the claim."""


def extra(look: Look) -> Step:
    """加号 (B10): a way where the ordinary numbers are none. Not part of the verdict."""
    schedule = look.asked.schedule
    extras = given_extras(schedule)
    refusal = policy.refusal_to_add_extra(schedule, extras=extras, reason="-", rule=look.rule, now=look.now)
    name, said = _("加号"), {"count": extras, "most": look.rule.extra_limit}
    if refusal:
        return Step(name, False, refusal.sentence, rules=(look.rule,))
    return _held(name, _("医生还可以加号：已加 %(count)s/%(most)s。") % said, rules=(look.rule,))


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%m-%d %H:%M}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%H:%M}"
