"""Why a plan is as it is: codes and parameters, worded in the reader's language where they are shown (E3).

Parameters are ids' names, wall times and numbers, never anything of a person: they are kept with the plan.
"""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

DAY, HOUR = 1440, 60

SENTENCES = {
    # why more than one trip
    "rule_gap": gettext_lazy(
        "分%(trips)s次来院：%(second)s须在%(first)s结束%(gap)s后，而当天%(second)s最晚%(last)s可开始。%(why)s"
    ),
    "rule_gap_only": gettext_lazy(
        "分%(trips)s次来院：%(second)s须在%(first)s结束%(gap)s后，而当天%(second)s只在%(last)s有空。%(why)s"
    ),
    "rule_order": gettext_lazy("分%(trips)s次来院：%(first)s须先于%(second)s，当天的空闲时间排不成这个先后。%(why)s"),
    "rule_days": gettext_lazy("分%(trips)s次来院：%(first)s和%(second)s不能在同一天做。%(why)s"),
    "rule_first": gettext_lazy("分%(trips)s次来院：%(first)s须先于%(second)s，按这个先后，少来一次就排不下。%(why)s"),
    "rule_after": gettext_lazy(
        "分%(trips)s次来院：%(first)s做完要隔%(gap)s才能做%(second)s，按这个间隔，少来一次就排不下。%(why)s"
    ),
    "rule_apart": gettext_lazy(
        "分%(trips)s次来院：%(first)s和%(second)s无论先后都要隔%(gap)s，按这个间隔，少来一次就排不下。%(why)s"
    ),
    "no_common_day": gettext_lazy("分%(trips)s次来院：没有哪一天各项都有空。%(days)s。"),
    "does_not_fit": gettext_lazy("分%(trips)s次来院：每一天的空闲时间，加上先后间隔和步行，都排不下全部检查。"),
    # what would save a trip
    "without_halves": gettext_lazy("如果上午、下午都可以来，%(result)s（%(dates)s）。"),
    "without_not_before": gettext_lazy("如果能更早到院，%(result)s（%(dates)s）。"),
    "without_not_after": gettext_lazy("如果能更晚离院，%(result)s（%(dates)s）。"),
    "without_without_days": gettext_lazy("如果不避开所选的日子，%(result)s（%(dates)s）。"),
    "later": gettext_lazy("如果放宽到%(until)s，%(result)s（%(dates)s）。"),
    "without_return": gettext_lazy("如果复诊推后，%(result)s（%(dates)s）。"),
    "with_reserves": gettext_lazy("如果检查预约中心动用预留时段，%(result)s（%(dates)s）。"),
    # why nothing is possible
    "no_days": gettext_lazy("所选的日期里没有可以安排的日子。"),
    "no_device": gettext_lazy("目前没有设备可以做%(exam)s。"),
    "no_session": gettext_lazy("%(exam)s在%(dates)s没有向本渠道开放的空闲时间。"),
    "too_long": gettext_lazy("%(exam)s要连续%(needs)s，而%(dates)s最长的空档只有%(longest)s。"),
    "fasting": gettext_lazy("%(exam)s需要空腹，最晚%(latest)s开始，而%(dates)s此前都没有空闲时间。"),
    "lead": gettext_lazy("%(exam)s要先准备%(lead)s，%(dates)s来不及。"),
    "results": gettext_lazy("%(exam)s出结果要%(result_time)s，在%(return_day)s复诊前来不及。"),
    "wanted_by": gettext_lazy("医生希望%(exam)s在%(wanted_by)s前完成，此前没有空闲时间。"),
    "wishes": gettext_lazy("在所选的时间里，%(exam)s没有空闲时间。"),
    "busy": gettext_lazy("%(exam)s有空的时间，就诊人都已有其他就诊或检查。"),
    "others": gettext_lazy("按先后规则，%(exam)s在已约或刚做的%(others)s前后没有可安排的时间。"),
    "several": gettext_lazy("%(exam)s在%(dates)s没有同时符合时间选择、准备要求和已有安排的空闲时间。"),
    "rule_blocks": gettext_lazy("%(first)s和%(second)s按先后规则排不进%(dates)s。%(why)s"),
    "together": gettext_lazy("各项分别有空，但合在一起排不进%(dates)s。"),
}

STEPS = {
    "no_days": gettext_lazy("请换一个日期范围。"),
    "no_device": gettext_lazy("请联系检查预约中心。"),
    "no_session": gettext_lazy("请把日期放宽，或联系检查预约中心。"),
    "too_long": gettext_lazy("请把日期放宽，或联系检查预约中心安排加长时段。"),
    "fasting": gettext_lazy("请把日期放宽，选有早上空闲的日子。"),
    "lead": gettext_lazy("请把最后日期往后推。"),
    "results": gettext_lazy("请把复诊推后，或请医生确认是否必须在复诊前做完。"),
    "wanted_by": gettext_lazy("请和开单医生确认能否推后，或联系检查预约中心。"),
    "wishes": gettext_lazy("请放宽上午、下午或日期的选择。"),
    "busy": gettext_lazy("请先调整原来的预约，或把日期放宽。"),
    "others": gettext_lazy("请把日期放宽，或先调整原来的检查。"),
    "several": gettext_lazy("请先放宽时间选择或日期，再看哪些时间可以。"),
    "rule_blocks": gettext_lazy("请把日期放宽，或把两项分开安排。"),
    "together": gettext_lazy("请把日期放宽，或少选几项分开安排。"),
}


@dataclass(frozen=True)
class Reason:
    """`params` ending in `_minutes` are worded as lengths of time, lists are joined."""

    code: str
    params: dict = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.code]) % worded(self.params)

    @property
    def next_step(self) -> str:
        return str(STEPS.get(self.code, ""))

    def stored(self) -> dict:
        return {"code": self.code, "params": self.params}

    def __str__(self) -> str:
        return self.sentence


def of_stored(rows) -> list[Reason]:
    """Of ExamPlan.reasons; a code of another version says nothing."""
    return [Reason(row["code"], row["params"]) for row in rows if row.get("code") in SENTENCES]


def worded(params: dict) -> dict[str, str]:
    words = {}
    for name, value in params.items():
        if name.endswith("_minutes"):
            words[name.removesuffix("_minutes")] = length_of_time(value)
        elif name == "days_of":
            words["days"] = _("；").join(
                _("%(exam)s：%(days)s") % {"exam": exam, "days": _("、").join(days) or _("无")} for exam, days in value
            )
        elif name == "saves_to":
            words["result"] = _("可以一次完成") if value == 1 else _("%(trips)s次就能完成") % {"trips": value}
        elif isinstance(value, list):
            words[name] = _("、").join(value)
        else:
            words[name] = str(value)
    return words


def length_of_time(minutes: int) -> str:
    """4小时, 1小时30分钟, 2天."""
    if minutes and minutes % DAY == 0:
        return _("%(n)s天") % {"n": minutes // DAY}
    hours, rest = divmod(minutes, HOUR)
    if not hours:
        return _("%(n)s分钟") % {"n": rest}
    if not rest:
        return _("%(n)s小时") % {"n": hours}
    return _("%(hours)s小时%(minutes)s分钟") % {"hours": hours, "minutes": rest}
