"""Shape of a period of half-day hours."""

from datetime import date, datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from appointments.policies.hours import Period
from appointments.services.retiming import Wanted, hours_now
from hospital import plain
from hospital.models import Campus, HalfDay

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
FARTHEST = 3 * 366  # days ahead


def _time(label):
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


def _day(label, **more):
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)


class PeriodForm(plain.Form):
    campus = forms.ModelChoiceField(label=_("院区"), queryset=Campus.objects.none(), empty_label=None)
    first = _day(_("从哪天起"))
    last = _day(_("到哪天止"), required=False, help_text=_("最后一天也算在内；空着就一直有效。到期后恢复原来的时间。"))
    am_starts, am_ends = _time(_("上午开始")), _time(_("上午结束"))
    pm_starts, pm_ends = _time(_("下午开始")), _time(_("下午结束"))
    ev_starts, ev_ends = _time(_("夜间开始")), _time(_("夜间结束"))
    reason = forms.CharField(label=_("原因"), max_length=200, help_text=_("例如：2027 年夏季作息。会记入操作留痕。"))

    def __init__(self, *args, organizations, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today
        rows = Campus.objects.filter(organization__in=organizations, active=True).order_by("organization", "code")
        self.fields["campus"].queryset = rows

    def clean_first(self) -> date:
        first = self.cleaned_data["first"]
        if first <= self.today:
            raise ValidationError(_("最早从明天起；今天和过去的时间不能再改。"))
        if first > self.today + timedelta(days=FARTHEST):
            raise ValidationError(_("最远三年以内。"))
        return first

    def clean(self) -> dict:
        said = super().clean()
        first, last = said.get("first"), said.get("last")
        if first and last and last < first:
            self.add_error("last", _("不能早于开始的那天。"))
        spans = {half: span for half in HalfDay.values if (span := self._span(half, said))}
        said["halves"] = spans
        if not spans and not self.errors:
            raise ValidationError(_("请至少填一个半天的时间；不变的半天空着。"))
        self._refuse_overlap(spans)
        if spans and not self.errors:
            self._refuse_what_stays(said, spans)
        return said

    def _span(self, half: str, said: dict):
        starts, ends = said.get(f"{half}_starts"), said.get(f"{half}_ends")
        wrong = f"{half}_starts" in self.errors or f"{half}_ends" in self.errors
        if wrong or (starts is None and ends is None):
            return None
        if starts is None or ends is None:
            self.add_error(f"{half}_ends" if ends is None else f"{half}_starts", _("开始和结束要一起填。"))
            return None
        length = datetime.combine(self.today, ends) - datetime.combine(self.today, starts)
        if not SHORTEST <= length <= LONGEST:
            self.add_error(f"{half}_ends", _("结束要晚于开始，长度在 15 分钟到 12 小时之间。"))
            return None
        return starts, ends

    def _refuse_overlap(self, spans: dict) -> None:
        told = [(half, *spans[half]) for half in HalfDay.values if half in spans]
        for (_half, _starts, ends), (later, starts, _ends) in zip(told, told[1:], strict=False):
            if starts < ends:
                self.add_error(f"{later}_starts", _("和前一个半天重叠。"))

    def _refuse_what_stays(self, said: dict, spans: dict) -> None:
        """Half-days left empty keep their hours: a new one may not run into them."""
        standing = hours_now(said["campus"])
        for half, (starts, ends) in spans.items():
            new = Period(starts, ends, said["first"], said["last"])
            for other in HalfDay.values:
                met = next((one for one in standing[other] if one.overlaps(new)), None)
                if met is None or other in spans:
                    continue
                field = f"{half}_ends" if HalfDay.values.index(half) < HalfDay.values.index(other) else f"{half}_starts"
                words = {"half": HalfDay(other).label, "hours": met.hours}
                self.add_error(field, _("和不变的%(half)s（%(hours)s）重叠。请改时间，或一起填那个半天。") % words)

    def wanted(self) -> Wanted:
        said = self.cleaned_data
        return Wanted(said["campus"], said["halves"], said["first"], said["last"], said["reason"])
