"""Shapes of input for devices, their weekly hours, zones and teams. What is wrong is said at its field, and kept."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.forms.looking import LookedDay
from appointments.forms.templates import day_field
from appointments.models import PartnerGroup, Pool
from exams.models import Device, DeviceHours, ExamVariant, ExamZone, StaffTeam
from exams.services.devices.keeping import Reserve, Weekly
from hospital import plain
from hospital.models import Campus, Organization, Room
from hospital.models.time import Weekday

from .catalogue import Whole
from .devices import clock_field

SHORT_DAYS = [(value, label) for value, label in Weekday.choices]
KINDS = (Pool.Kind.EMERGENCY, Pool.Kind.INPATIENT, Pool.Kind.CONSULT, Pool.Kind.COUNTER, Pool.Kind.PARTNER)
"""Of whom a reserve can be, beside single lower institutions and groups."""

SHARED = (
    ("", gettext_lazy("不自动放开")), ("30", gettext_lazy("提前半小时")), ("60", gettext_lazy("提前1小时")),
    ("120", gettext_lazy("提前2小时")), ("240", gettext_lazy("提前4小时")), ("1440", gettext_lazy("提前1天")),
    ("2880", gettext_lazy("提前2天")),
)  # fmt: skip


class DeviceForm(plain.ModelForm):
    """With one tick and one number of minutes for each way to examine of the house."""

    class Meta:
        model = Device
        fields = ("name", "code", "modality", "room", "zone", "team", "active")

    def __init__(self, *args, organization: Organization, departments: Collection[int] | None = None, **kwargs):
        """`departments`: only in their rooms."""
        super().__init__(*args, label_suffix="", **kwargs)
        self.instance.organization = organization
        rooms = Room.objects.filter(campus__organization=organization, active=True).select_related("campus")
        if departments is not None:
            rooms = rooms.filter(department__in=departments)
        self.fields["room"].queryset = rooms.order_by("campus", "floor", "code")
        self.fields["room"].label_from_instance = lambda room: f"{room.campus} {room}"
        zones = ExamZone.objects.filter(campus__organization=organization).select_related("campus")
        self.fields["zone"].queryset = zones.order_by("campus", "name")
        self.fields["zone"].label_from_instance = lambda zone: f"{zone.campus} {zone}"
        self.fields["team"].queryset = StaffTeam.objects.filter(organization=organization).order_by("name")
        self.fields["team"].empty_label = gettext_lazy("不限人手")
        rows = ExamVariant.objects.filter(item__organization=organization, active=True, item__active=True)
        self.variants = list(rows.select_related("item").order_by("item__modality", "item__code", "pk"))
        self.able = dict(self.instance.abilities.values_list("variant_id", "minutes")) if self.instance.pk else {}
        for each in self.variants:
            self.fields[f"can-{each.pk}"] = forms.BooleanField(
                label=each.name, required=False, initial=each.pk in self.able
            )
            self.fields[f"minutes-{each.pk}"] = Whole(
                label=_("%(exam)s用几分钟") % {"exam": each.name}, required=False, initial=self.able.get(each.pk),
                least=5, most=480, step=5,
                error_messages={"step_size": _("请填 5 的倍数。"), "invalid": _("请填整数分钟，例如 20。")},
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "placeholder": each.minutes, "step": 5}),
            )  # fmt: skip

    def clean(self) -> dict:
        said = super().clean()
        room, zone = said.get("room"), said.get("zone")
        if room and zone and room.campus_id != zone.campus_id:
            self.add_error("zone", _("检查区和检查室不在同一个院区。请选同一个院区的。"))
        code = said.get("code")
        twin = Device.objects.filter(organization=self.instance.organization, code=code).exclude(pk=self.instance.pk)
        if code and twin.exists():
            self.add_error("code", _("这个代码已经有设备在用，请换一个。"))
        return said

    @property
    def main(self):
        return [self[name] for name in self.Meta.fields]

    @property
    def ways(self):
        """(kind of exam, its ticks with their minutes), the device's own kind first."""
        groups = defaultdict(list)
        for each in sorted(self.variants, key=lambda each: each.item.modality != self.instance.modality):
            groups[each.item.get_modality_display()].append((self[f"can-{each.pk}"], self[f"minutes-{each.pk}"]))
        return list(groups.items())

    def abilities(self) -> dict[int, int | None]:
        said = self.cleaned_data
        return {each.pk: said.get(f"minutes-{each.pk}") for each in self.variants if said.get(f"can-{each.pk}")}


class WeekdaysField(forms.TypedMultipleChoiceField):
    def __init__(self, **kwargs):
        super().__init__(
            choices=SHORT_DAYS,
            coerce=int,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            label=_("周几"),
            **kwargs,
        )


class StretchForm(plain.Form):
    weekdays = WeekdaysField()
    starts = clock_field(label=gettext_lazy("开始"), required=False)
    ends = clock_field(label=gettext_lazy("结束"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)

    def clean(self) -> dict:
        said = super().clean()
        given = [said.get(name) for name in ("weekdays", "starts", "ends")]
        if any(each not in (None, [], "") for each in given) and not self.errors:
            for name, words in (
                ("weekdays", _("请勾选周几。")),
                ("starts", _("请填开始。")),
                ("ends", _("请填结束。")),
            ):
                if said.get(name) in (None, [], ""):
                    self.add_error(name, words)
            if said.get("starts") and said.get("ends") and said["ends"] <= said["starts"]:
                self.add_error("ends", _("结束要晚于开始。"))
        return said

    @property
    def is_filled(self) -> bool:
        return bool(self.cleaned_data.get("weekdays"))


class ReserveForm(StretchForm):
    whose = forms.ChoiceField(label=gettext_lazy("留给"), required=False)
    shared = forms.ChoiceField(label=gettext_lazy("放开"), choices=SHARED, required=False)

    def __init__(self, *args, whose, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["whose"].choices = whose

    def clean(self) -> dict:
        said = super().clean()
        if said.get("weekdays") and not said.get("whose"):
            self.add_error("whose", _("请选留给谁。"))
        return said


StretchSet = forms.formset_factory(StretchForm, extra=2, max_num=30, validate_max=True)
ReserveSet = forms.formset_factory(ReserveForm, extra=2, max_num=30, validate_max=True)


class FromForm(plain.Form):
    first_day = day_field(LookedDay, label=gettext_lazy("从哪天起"))

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today

    def clean_first_day(self) -> date:
        day = self.cleaned_data["first_day"]
        if day < self.today:
            raise ValidationError(_("这一天已经过去。最早从今天起。"))
        return day


def whose_choices(organization: Organization) -> list:
    branches = Organization.objects.filter(parent=organization, active=True).order_by("code")
    groups = PartnerGroup.objects.filter(organization=organization, active=True).order_by("name")
    found = [("", _("请选择")), *((f"{kind}::", str(Pool.Kind(kind).label)) for kind in KINDS)]
    found += [(f"partner:{row.pk}:", _("下级机构：%(who)s") % {"who": row}) for row in branches]
    return found + [(f"partner::{row.pk}", _("协作组：%(who)s") % {"who": row}) for row in groups]


def initial_of(device: Device, *, day: date) -> tuple[list[dict], list[dict]]:
    """The week that holds on `day`: same hours of several weekdays in one row."""
    rows = DeviceHours.objects.filter(device=device, effective_from__lte=day).exclude(effective_to__lt=day)
    hours, reserves = defaultdict(list), defaultdict(list)
    for row in rows.prefetch_related("reserves").order_by("starts", "weekday"):
        hours[row.starts, row.ends].append(row.weekday)
        for each in row.reserves.all():
            whose = f"{each.kind}:{each.partner_id or ''}:{each.group_id or ''}"
            shared = "" if each.shared_minutes is None else str(each.shared_minutes)
            reserves[whose, each.starts, each.ends, shared].append(row.weekday)
    return (
        [{"weekdays": days, "starts": starts, "ends": ends} for (starts, ends), days in hours.items()],
        [
            {"weekdays": days, "whose": whose, "starts": starts, "ends": ends, "shared": shared}
            for (whose, starts, ends, shared), days in reserves.items()
        ],
    )


def weekly(forms_) -> list[Weekly]:
    return [
        Weekly(day, form.cleaned_data["starts"], form.cleaned_data["ends"])
        for form in forms_ if form.is_filled for day in form.cleaned_data["weekdays"]
    ]  # fmt: skip


def reserved(forms_) -> list[Reserve]:
    found = []
    for form in forms_:
        if not form.is_filled:
            continue
        said = form.cleaned_data
        kind, partner, group = said["whose"].split(":")
        shared = int(said["shared"]) if said["shared"] else None
        for day in said["weekdays"]:
            owner = (int(partner) if partner else None, int(group) if group else None)
            found.append(Reserve(day, kind, said["starts"], said["ends"], shared, *owner))
    return found


class ZoneForm(plain.Form):
    campus = forms.ModelChoiceField(label=gettext_lazy("院区"), queryset=Campus.objects.none(), empty_label=None)
    name = forms.CharField(label=gettext_lazy("检查区"), max_length=40, strip=True)
    location = forms.CharField(label=gettext_lazy("位置"), max_length=60, required=False, strip=True)

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        rows = Campus.objects.filter(organization__in=organizations, active=True)
        self.fields["campus"].queryset = rows.order_by("organization", "code")

    def clean(self) -> dict:
        said = super().clean()
        if said.get("campus") and ExamZone.objects.filter(campus=said["campus"], name=said.get("name")).exists():
            self.add_error("name", _("这个院区已经有同名的检查区。"))
        return said


class WalkForm(plain.Form):
    one = forms.ModelChoiceField(label=gettext_lazy("从"), queryset=ExamZone.objects.none(), empty_label=None)
    other = forms.ModelChoiceField(label=gettext_lazy("到"), queryset=ExamZone.objects.none(), empty_label=None)
    minutes = forms.IntegerField(
        label=gettext_lazy("步行分钟"),
        min_value=0,
        max_value=240,
        help_text=gettext_lazy("来回一样；没填的按检查预约规则。"),
    )

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        rows = ExamZone.objects.filter(campus__organization__in=organizations).order_by("campus", "name")
        self.fields["one"].queryset = self.fields["other"].queryset = rows

    def clean(self) -> dict:
        said = super().clean()
        if said.get("one") and said.get("one") == said.get("other"):
            self.add_error("other", _("请选两个不同的检查区。"))
        return said


class TeamForm(plain.Form):
    organization = forms.ModelChoiceField(
        label=gettext_lazy("机构"), queryset=Organization.objects.none(), empty_label=None
    )
    name = forms.CharField(label=gettext_lazy("班组"), max_length=40, strip=True)
    size = forms.IntegerField(
        label=gettext_lazy("可同时检查"), min_value=1, max_value=50,
        help_text=gettext_lazy("同名的班组会改成新的人数。一个班组管几间时，同时做的检查不超过这个数。"),
    )  # fmt: skip

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["organization"].queryset = Organization.objects.filter(pk__in=organizations).order_by("pk")
