"""The rows of the exports that look back or sum up: 操作留痕, 倒号线索, 号源结构."""

from dataclasses import replace
from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _

from appointments.forms.balance import BalanceForm
from appointments.forms.trail import AuditForm, ResaleForm
from appointments.selectors import balance as balances
from appointments.selectors import resale as clues
from appointments.selectors import trail
from hospital import clock, masking
from hospital.models import Department

from .lists import Rows, house_asked
from .reach import reach_of
from .sheets import MOST_ROWS


def audit(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    asked = AuditForm(request.GET).asked(organizations=mine.organizations, departments=mine.departments)
    rows = trail.events(replace(asked, after=None)).select_related("actor", "patient")[: MOST_ROWS + 1]

    def lines():
        for event, names in trail.with_names(rows.iterator(chunk_size=2000)):
            line = trail.line_of(event, names)
            changes = _("；").join(f"{one.name} {one.before} → {one.after}" for one in line.changes)
            more = _("；").join(f"{name} {value}" for name, value in line.more)
            yield [event.at, str(event.actor), line.what, line.about, line.patient, changes, more]

    return [_("时间"), _("操作人"), _("动作"), _("对象"), _("患者"), _("原来 → 改为"), _("明细")], lines()


def resale(request: HttpRequest, now: datetime) -> Rows:
    """Page by page, as many as there are; people masked as on the page."""
    mine, form = reach_of(request), ResaleForm(request.GET)
    asked = form.asked(organizations=mine.organizations, departments=mine.departments, today=clock.today(now))
    words = {"operator": _("同一操作人"), "phone": _("同一手机"), "address": _("同一来源地址")}

    def lines():
        after, count = None, 0
        while count <= MOST_ROWS:
            page = clues.clues(replace(asked, after=after))
            for clue in page.clues:
                yield _clue(clue, words)
            count, after = count + clues.PAGE, page.more
            if after is None:
                return

    headers = [
        _("退号时间"), _("退号人"), _("原患者"), _("再约时间"), _("相隔分钟"), _("现患者"), _("经办"), _("出诊"),
        _("依据"), _("一家人"), _("核实"), _("核实人"),
    ]  # fmt: skip
    return headers, lines()


def _clue(clue: clues.Clue, words: dict[str, str]) -> list:
    gave, took = clue.gave, clue.took
    return [
        gave.cancelled_at,
        str(clue.given_by or ""),
        masking.name(gave.patient.name),
        took.created_at,
        max(1, round(clue.after.total_seconds() / 60)),
        masking.name(took.patient.name),
        str(took.by or ""),
        f"{took.schedule.department.name} {took.schedule}",
        _("、").join(words[reason] for reason in clue.reasons),
        _("是") if clue.family else "",
        clue.seen.detail.get("note", "") if clue.seen else "",
        str(clue.seen.actor) if clue.seen else "",
    ]


def balance(request: HttpRequest, now: datetime) -> Rows:
    mine = reach_of(request)
    first, last = BalanceForm(request.GET).days(clock.today(now))
    house = house_asked(request, mine)
    whole, parts = balances.balance(house=house, first=first, last=last, departments=mine.departments, now=now)
    departments = Department.objects.filter(pk__in=parts).order_by("order", "code")
    named = [(_("合计"), whole), *((row.name, parts[row.pk]) for row in departments)]
    return [_("科室"), _("号数"), _("上午"), _("下午"), _("夜间"), _("已约"), _("网上开放")], (
        [name, mix.total, mix.morning, mix.afternoon, mix.evening, mix.taken, mix.online] for name, mix in named
    )
