"""May a day be kept as a holiday or a make-up workday? Pure; the answer names its field."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from hospital.models import CalendarDay

FURTHEST = timedelta(days=2 * 366)
"""The state announces next year's holidays in autumn; beyond two years it is a slip of the pen."""


def problem(
    row: CalendarDay, *, was: CalendarDay | None, twin: CalendarDay | None, today: date
) -> tuple[str, str] | None:
    """(field, sentence), or nothing. `twin`: another row of the same day; `was`: the row before a change."""
    if row.day < today or (was and was.day < today):
        return "day", _("这一天已经过去，不能再改。请选今天或之后的日期。")
    if row.day > today + FURTHEST:
        return "day", _("这一天太远，像是填错了年份。最远登记到两年以内。")
    if twin:
        said = {"day": row.day, "kind": twin.get_kind_display(), "name": twin.name}
        return "day", _("%(day)s 已登记为%(kind)s（%(name)s）。请在那一行修改，不要重复登记。") % said
    if row.kind == CalendarDay.Kind.WORKDAY and row.follows is None:
        return "follows", _("调休上班要说明按周几出诊。请选一个。")
    return None
