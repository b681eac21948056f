"""倒号线索 and 操作留痕: what is looked at. A wrong value in the address is as if it were not there."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.selectors import resale, trail
from hospital import clock, plain

from .looking import LookedDay

DAYS = 30
"""Looked at when no day is named."""

MOST_DAYS = 366
NOTE = 100


class ResaleForm(plain.Form):
    first = LookedDay(required=False)
    last = LookedDay(required=False)
    reason = forms.ChoiceField(required=False, choices=[("", ""), *((name, name) for name in resale.REASONS)])
    unseen = forms.BooleanField(required=False)
    after = forms.RegexField(r"^\d{1,16}-\d{1,18}-\d{1,18}$", required=False)

    def days(self, today: date) -> tuple[date, date]:
        """First and last, both included; the wrong way round they are turned."""
        self.is_valid()
        last = self.cleaned_data.get("last") or today
        first = self.cleaned_data.get("first") or last - timedelta(days=DAYS - 1)
        first, last = sorted((first, last))
        return max(first, last - timedelta(days=MOST_DAYS)), last

    def asked(self, *, organizations, departments, today: date) -> resale.Asked:
        first, last = self.days(today)
        return resale.Asked(
            organizations=organizations,
            departments=departments,
            since=clock.at(first, time.min),
            until=clock.at(last, time.min) + timedelta(days=1),
            reason=self.cleaned_data.get("reason") or "",
            unseen=bool(self.cleaned_data.get("unseen")),
            after=self._after(),
        )

    def _after(self) -> resale.Cursor | None:
        said = self.cleaned_data.get("after")
        if not said:
            return None
        micro, gave, took = map(int, said.split("-"))
        return resale.Cursor(_moment(micro), gave, took)


class SeenForm(plain.Form):
    """Which pair was looked into, and what came of it."""

    gave = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    took = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    note = forms.CharField(
        label=_("核实结果"),
        max_length=NOTE,
        strip=True,
        error_messages={"required": _("请写一句核实结果，例如“同一家人换人就诊”。")},
    )


class AuditForm(plain.Form):
    who = forms.CharField(required=False, max_length=40, strip=True)
    action = forms.CharField(required=False, max_length=60, strip=True)
    subject = forms.CharField(required=False, max_length=60, strip=True)
    day = LookedDay(required=False)
    after = forms.RegexField(r"^\d{1,16}-\d{1,18}$", required=False)

    def asked(self, *, organizations, departments) -> trail.Asked:
        self.is_valid()
        said = self.cleaned_data
        after = said.get("after")
        micro, pk = map(int, after.split("-")) if after else (0, 0)
        return trail.Asked(
            organizations=organizations,
            departments=departments,
            who=said.get("who") or "",
            action=said.get("action") or "",
            subject=said.get("subject") or "",
            day=said.get("day"),
            after=(_moment(micro), pk) if after else None,
        )


def written(moment: datetime, *ids: int) -> str:
    """A place in a list, for the address of its next page."""
    return "-".join(map(str, (round(moment.timestamp() * 1_000_000), *ids)))


def _moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=clock.UTC) + timedelta(microseconds=microseconds)
