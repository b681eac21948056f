"""Shapes of input for the weekly plan: a pattern, its end, its copies, and which coming days to lay out."""

from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from appointments.models import ScheduleTemplate
from appointments.policies.template import MOST_MINUTES, MOST_NUMBERS
from appointments.selectors.office import monday_of
from appointments.services import patterns
from hospital import plain
from hospital.models import CareTeam, Department, HalfDay, HealthcareService, PractitionerRole, Room
from hospital.models.time import Weekday

from .looking import LookedDay

PLAIN = "plain"
WEEKS = ((1, _("1 周")), (2, _("2 周")), (4, _("4 周")), (8, _("8 周")), (13, _("13 周")))


def day_field(field=forms.DateField, **kwargs) -> forms.DateField:
    return field(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


def time_field(**kwargs) -> forms.TimeField:
    return forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), required=False, **kwargs)


class TemplateForm(plain.Form):
    """One weekly half-day of a department. What is wrong with it is said at its field; what was typed stays."""

    actor = forms.ChoiceField(label=_("医生、团队或普通门诊"))
    service = forms.ModelChoiceField(
        HealthcareService.objects.none(), label=_("号别"), required=False, empty_label=_("按医生或团队的号别")
    )
    weekday = forms.TypedChoiceField(label=_("周几"), choices=Weekday.choices, coerce=int)
    half = forms.ChoiceField(label=_("半日"), choices=HalfDay.choices)
    starts = time_field(label=_("自定开始"))
    ends = time_field(label=_("自定结束"))
    room = forms.ModelChoiceField(Room.objects.none(), label=_("诊室"))
    numbers = forms.IntegerField(
        label=_("号数"),
        error_messages={"required": _("请填号数。"), "invalid": _("号数要填整数，例如 20。")},
    )
    minutes = forms.IntegerField(
        label=_("每号分钟"), required=False, error_messages={"invalid": _("每号分钟要填整数，例如 10；也可以留空。")}
    )
    parity = forms.ChoiceField(label=_("单双周"), choices=ScheduleTemplate.Parity.choices, initial="every")
    effective_from = day_field(label=_("生效日"))
    effective_to = day_field(label=_("失效日"), required=False)

    def __init__(self, *args, department: Department, today: date, template: ScheduleTemplate | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.department, self.today, self.template = department, today, template
        services = HealthcareService.objects.filter(organization=department.organization_id, active=True)
        self.fields["service"].queryset = services.order_by("code")
        rooms = Room.objects.filter(campus__organization=department.organization_id, active=True)
        self.fields["room"].queryset = rooms.select_related("campus").order_by("campus", "floor", "code")
        self.fields["room"].choices = _rooms(self.fields["room"].queryset, department)
        self.fields["actor"].choices = _actors(department)
        self.fields["starts"].help_text = _("留空按院区的半日时间。")
        self.fields["minutes"].help_text = _("留空则把半天平均分给各号。")
        self.fields["effective_to"].help_text = _("留空表示一直有效；失效日当天仍出诊。")
        self.fields["numbers"].widget.attrs |= {"min": 1, "max": MOST_NUMBERS, "inputmode": "numeric"}
        self.fields["minutes"].widget.attrs |= {"min": 1, "max": MOST_MINUTES, "inputmode": "numeric"}

    def clean(self):
        said = super().clean()
        if not self.errors:
            self.wanted = self._wanted(said)
            instead_of = self.template
            for problem in patterns.problems_of(self.wanted, instead_of=instead_of, today=self.today):
                self.add_error(problem.field, problem.sentence)
        return said

    def _wanted(self, said: dict) -> ScheduleTemplate:
        kind, _dash, key = said["actor"].partition("-")
        role = PractitionerRole.objects.select_related("practitioner", "department", "service").filter(pk=key or None)
        team = CareTeam.objects.select_related("department", "service").filter(pk=key or None)
        role, team = (role.get() if kind == "role" else None), (team.get() if kind == "team" else None)
        service = said["service"] or (role and role.service) or (team and team.service)
        if service is None:
            self.add_error("service", _("普通门诊请选择号别。"))
            raise ValidationError([])
        same = ("room", "weekday", "half", "starts", "ends", "numbers", "minutes", "parity")
        return ScheduleTemplate(
            organization=self.department.organization,
            department=self.department,
            service=service,
            role=role,
            team=team,
            effective_from=said["effective_from"],
            effective_to=said["effective_to"],
            **{name: said[name] for name in same},
        )

    @staticmethod
    def initial_of(template: ScheduleTemplate, *, today: date) -> dict:
        """What is, from the next Monday on; what waits for a draft keeps its own first day."""
        same = ("service", "weekday", "half", "starts", "ends", "room", "numbers", "minutes", "parity")
        said = {name: getattr(template, name) for name in (*same, "effective_to")}
        key = f"role-{template.role_id}" if template.role_id else f"team-{template.team_id}"
        said["actor"] = key if template.role_id or template.team_id else PLAIN
        waiting = template.published_at is None
        said["effective_from"] = (
            template.effective_from if waiting else max(next_monday(today), template.effective_from)
        )
        return said


def next_monday(today: date) -> date:
    return monday_of(today) + timedelta(days=7)


def _actors(department: Department) -> list:
    roles = PractitionerRole.objects.filter(department=department).select_related("practitioner", "service")
    doctors = [
        (f"role-{row.pk}", f"{row.practitioner} {row.practitioner.title} · {row.service}" + _off(row))
        for row in roles.order_by("-active", "practitioner__pinyin", "pk")
    ]
    teams = [
        (f"team-{row.pk}", str(row))
        for row in CareTeam.objects.filter(department=department, active=True).order_by("code")
    ]
    groups = [(_("医生"), doctors), (_("专家团队"), teams), (_("不指定医生"), [(PLAIN, _("普通门诊（当班医生）"))])]
    return [("", _("请选择")), *(group for group in groups if group[1])]


def _off(role: PractitionerRole) -> str:
    return "" if role.active and role.practitioner.active else str(_("（停用）"))


def _rooms(rooms, department: Department) -> list:
    """The department's own first, then by campus."""
    own = [(room.pk, str(room)) for room in rooms if room.department_id == department.pk]
    groups: dict[str, list] = {}
    for room in rooms:
        if room.department_id != department.pk:
            groups.setdefault(str(room.campus), []).append((room.pk, str(room)))
    choices = [("", _("请选择")), (_("本科室"), own), *groups.items()]
    return [group for group in choices if group[1]]


class EndForm(plain.Form):
    last_day = day_field(label=_("最后出诊日"))

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today

    def clean_last_day(self) -> date:
        day = self.cleaned_data["last_day"]
        if day < self.today - timedelta(days=1):
            raise ValidationError(_("这一天已经过去。最早从今天起停用，请填昨天或之后的日期。"))
        return day


class CopyForm(plain.Form):
    """To which other half-days: values like 3-am."""

    places = forms.MultipleChoiceField(
        label=_("复制到"),
        choices=[(f"{day}-{half}", f"{day}-{half}") for day in Weekday.values for half in HalfDay.values],
        error_messages={"required": _("还没有选要复制到的半天。请至少勾一个。")},
    )
    first_day = day_field(label=_("从哪天起"))

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today

    def wanted(self) -> list[tuple[int, str]]:
        return [(int(day), half) for day, half in (place.split("-") for place in self.cleaned_data["places"])]


class DraftForm(plain.Form):
    """按模板排: for which department, or the whole house, and which weeks."""

    scope = forms.ChoiceField(label=_("范围"))
    first_day = day_field(LookedDay, label=_("从"))
    weeks = forms.TypedChoiceField(label=_("排几周"), choices=WEEKS, coerce=int, initial=1)

    def __init__(self, *args, scopes: list, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today
        self.fields["scope"].choices = scopes

    def clean_first_day(self) -> date:
        day = self.cleaned_data["first_day"]
        if day < self.today:
            raise ValidationError(_("这一天已经过去。请从今天或之后开始。"))
        return day

    @property
    def last_day(self) -> date:
        return self.cleaned_data["first_day"] + timedelta(days=7 * self.cleaned_data["weeks"] - 1)
