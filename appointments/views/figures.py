"""How the office's figures are shown: value, change against the week before, and the definition beside each."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from appointments.stats import Rate, WeekFigures


@dataclass(frozen=True)
class Figure:
    name: str
    value: str  # "—" where nothing was counted yet
    change: str  # against the week before, empty where one of both has nothing
    better: bool | None  # None: neither good nor bad
    definition: str
    counted: str


def figures_of(this: WeekFigures, before: WeekFigures) -> list[Figure]:
    return [
        _rate(
            _("诊间预约率"),
            this.in_visit,
            before.in_visit,
            _("分子：本周已完成就诊中，号在诊间或病区约下的。分母：本周已完成的就诊。来源：就诊记录与预约渠道。"),
        ),
        _rate(
            _("总预约率"),
            this.booked,
            before.booked,
            _(
                "分子：本周已完成就诊中，事先预约的（窗口当日现挂不算）。分母：本周已完成的就诊。来源：就诊记录与预约渠道。"
            ),
        ),
        _rate(
            _("号源使用率"),
            this.used,
            before.used,
            _("分子：本周开诊单元中已约出的号。分母：本周开诊单元的全部号，含加号，停诊和停用的不算。来源：号源表。"),
        ),
        _rate(
            _("爽约率"),
            this.noshow,
            before.noshow,
            _("分子：本周记为爽约且未免记的预约。分母：本周已到诊或已爽约的预约。来源：预约状态与爽约记录。"),
            less_is_better=True,
        ),
        _waiting(this, before),
    ]


def _rate(name: str, this: Rate, before: Rate, definition: str, *, less_is_better: bool = False) -> Figure:
    change, better = "", None
    if this.percent is not None and before.percent is not None:
        points = round(this.percent - before.percent, 1)
        change = _("较上周 %(points)+.1f") % {"points": points} if points else _("与上周持平")
        better = None if not points else (points < 0) == less_is_better
    counted = _("本周 %(numerator)s / %(denominator)s") % {
        "numerator": this.numerator,
        "denominator": this.denominator,
    }
    value = "—" if this.percent is None else f"{this.percent}%"
    return Figure(name, value, change, better, definition, counted)


def _waiting(this: WeekFigures, before: WeekFigures) -> Figure:
    change, better = "", None
    if this.waiting_minutes is not None and before.waiting_minutes is not None:
        minutes = round(this.waiting_minutes - before.waiting_minutes, 1)
        change = _("较上周 %(minutes)+.1f分") % {"minutes": minutes} if minutes else _("与上周持平")
        better = None if not minutes else minutes < 0
    value = "—" if this.waiting_minutes is None else _("%(minutes)s分") % {"minutes": this.waiting_minutes}
    return Figure(
        name=_("平均候诊"),
        value=value,
        change=change,
        better=better,
        definition=_("首次叫号时间减去预约时间与报到时间中较晚者，早叫按零计，取平均。来源：就诊记录的各时刻。"),
        counted=_("本周 %(count)s 次叫号") % {"count": this.waits},
    )


def stops_figure(*, asked: int, answered: int, gone: int) -> Figure:
    """停诊改约完成: of this week's stops and substitutions. Who need not answer any more is on neither side."""
    silent = asked - answered
    said = {"asked": asked, "answered": answered, "gone": gone}
    return Figure(
        name=_("停诊改约完成"),
        value=f"{answered}/{asked}" if asked else "—",
        change=_("%(count)s人未答复") % {"count": silent} if silent else "",
        better=False if silent else None,
        definition=_("分子：已答复的患者。分母：本周停诊、替诊后需要答复的患者；已无需答复的不算。来源：改约单。"),
        counted=_("本周需要答复 %(asked)s 人，已答复 %(answered)s 人；另有 %(gone)s 人已无需答复。") % said,
    )
