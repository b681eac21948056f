"""导出: every list of the office as an Excel file, with the filters of its page, within the reader's reach.

One registry below: a name in the address, what it is called, and the lists module's function that yields its rows.
Each export leaves an audit row: who, what, how many.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hospital import audit, clock
from hospital.permissions import has_role, role_required

from . import lists, reach, trail_lists
from .sheets import file_answer, workbook
from .stop_reach import CALL_READERS

Rows = tuple[list[str], Iterable[Iterable[Any]]]


@dataclass(frozen=True)
class Export:
    """`rows(request, now)` gives the headers and the rows."""

    title: Any
    rows: Callable[[HttpRequest, datetime], Rows]
    roles: tuple[str, ...] = reach.READERS


EXPORTS = {
    "week": Export(_("号源周表"), lists.week),
    "numbers": Export(_("号源明细"), lists.numbers),
    "patients": Export(_("就诊名单"), lists.patients),
    "templates": Export(_("出诊模板"), lists.templates),
    "drafts": Export(_("排班变动"), lists.drafts),
    "calendar": Export(_("节假日与调休"), lists.calendar),
    "hours": Export(_("作息时间"), lists.hours),
    "contracts": Export(_("执业合约"), lists.contracts),
    "rules": Export(_("号源与预约规则"), lists.rules),
    "partners": Export(_("下级机构号源"), lists.partners),
    "releases": Export(_("放号日历"), lists.releases),
    "stops": Export(_("停诊替诊"), lists.stops),
    "calls": Export(_("电话通知"), lists.calls, CALL_READERS),
    "acts": Export(_("批量操作记录"), lists.acts),
    "runs": Export(_("自动执行记录"), lists.runs),
    "imports": Export(_("导入记录"), lists.imports),
    "balance": Export(_("号源结构"), trail_lists.balance),
    "resale": Export(_("倒号线索"), trail_lists.resale),
    "audit": Export(_("操作留痕"), trail_lists.audit),
}


@require_safe
@never_cache
@role_required(*CALL_READERS)
def export(request: HttpRequest, what: str) -> HttpResponse:
    """One list. Its page's filters stand in the address as they do there."""
    found = EXPORTS.get(what)
    if found is None or not has_role(request.user, *found.roles):
        raise Http404
    now = clock.now()
    headers, rows = found.rows(request, now)
    content, count = workbook([(str(found.title), headers, rows)])
    detail = {"what": what, "rows": count, "filters": sorted(name for name, said in request.GET.items() if said)}
    audit.record(action="office.exported", actor=request.user, now=now, request=request, detail=detail)
    return file_answer(content, f"{found.title}-{now.astimezone(clock.ZONE):%Y%m%d-%H%M}.xlsx")
