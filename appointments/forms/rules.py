"""Shapes of rules as the office writes them. What a rule may not say is policies.rules; here it finds its field."""

from collections.abc import Iterable
from datetime import date

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from appointments.models import BookingRule, ChannelRule, ConsultLevelRule, PartnerGroup, SupplyRule, SupplyShare
from appointments.models.rules import Channel, Dated
from appointments.policies import rules as policy
from appointments.services import ruling
from hospital import plain
from hospital.models import Department, HealthcareService, Organization, PractitionerRole

MOST_SHARES = 20
BLANK = [("", "—")]


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d")


class ClockInput(forms.TimeInput):
    input_type = "time"

    def __init__(self):
        super().__init__(format="%H:%M")


class RoleField(forms.ModelChoiceField):
    def label_from_instance(self, role) -> str:
        return f"{role.practitioner} {role.practitioner.title}（{role.department}）"


class WhyForm(plain.Form):
    """Every act on a rule says why."""

    why = forms.CharField(label=_("原因"), max_length=100, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class EndForm(WhyForm):
    last_day = forms.DateField(label=_("最后一天"), widget=DayInput())

    field_order = ["last_day", "why"]


class ReshareForm(WhyForm):
    """Which days of a supply rule are shared out anew."""

    first = forms.DateField(label=_("从"), widget=DayInput())
    last = forms.DateField(label=_("到"), widget=DayInput())

    field_order = ["first", "last", "why"]

    def clean(self):
        said = super().clean()
        if "first" in said and "last" in said and said["last"] < said["first"]:
            self.add_error("last", _("不能早于第一天。"))
        return said


class RuleForm(WhyForm):
    """`base`: the row that is changed, its scope is kept. A subclass makes the `draft` of its model."""

    model: type[Dated]
    wide: tuple[str, ...] = ()

    effective_from = forms.DateField(label=_("生效日"), widget=DayInput())
    effective_to = forms.DateField(
        label=_("最后一天"), widget=DayInput(), required=False, help_text=_("长期有效请留空；填了就到期恢复原规则。")
    )
    seen = forms.IntegerField(widget=forms.HiddenInput(), required=False)

    def __init__(self, *args, organization: Organization, base: Dated | None, today: date, departments=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.organization, self.base, self.today, self.departments = organization, base, today, departments
        self.order_fields([*(name for name in self.fields if name != "why"), "why"])

    @property
    def rule_fields(self):
        """Bound fields that say what the rule is, without scope, dates and reason."""
        return [self[name] for name in self.fields if name not in self.frame]

    @property
    def frame(self) -> set[str]:
        return {"effective_from", "effective_to", "seen", "why", "department", "service", "role"}

    @property
    def scope_fields(self):
        return [self[name] for name in ("department", "service", "role") if name in self.fields]

    def draft(self) -> Dated:
        """The unsaved row. Only of a form whose fields are all readable."""
        said = self.cleaned_data
        names = {each.name for each in self.model._meta.fields} & set(said)
        rule = self.model(organization=self.organization, **{name: said[name] for name in names})
        if self.base is not None:
            for name in ("department", "service", "role", "channel"):
                if hasattr(rule, f"{name}_id"):
                    setattr(rule, f"{name}_id", getattr(self.base, f"{name}_id"))
                elif hasattr(rule, name):
                    setattr(rule, name, getattr(self.base, name))
        return rule

    def shares(self) -> list[SupplyShare]:
        return []

    def clean(self):
        said = super().clean()
        if "effective_from" in said:
            last = said.get("effective_to")
            self.blame(policy.problems_of_dates(said["effective_from"], last, today=self.today))
            if refusal := policy.refusal_to_start(said["effective_from"], today=self.today, decided=False):
                self.add_error("effective_from", refusal.in_full)
        if self.readable():
            self.blame(ruling.problems_of(self.draft(), self.shares()))
        return said

    def readable(self) -> bool:
        return all(field.name in self.cleaned_data for field in self.rule_fields)

    def blame(self, problems: Iterable[policy.Problem]) -> None:
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.sentence)


class ScopedForm(RuleForm):
    """Whom the rule is for, chosen for a new one. An office of one department writes its own department's only."""

    department = forms.ModelChoiceField(
        Department.objects.none(), label=_("科室"), required=False, empty_label=_("不限科室")
    )
    service = forms.ModelChoiceField(
        HealthcareService.objects.none(), label=_("号别"), required=False, empty_label=_("不限号别")
    )
    role = RoleField(PractitionerRole.objects.none(), label=_("医生"), required=False, empty_label=_("不限医生"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.base is not None:
            for name in ("department", "service", "role"):
                del self.fields[name]
            return
        departments = Department.objects.filter(organization=self.organization, active=True)
        roles = PractitionerRole.objects.filter(department__organization=self.organization, active=True)
        roles = roles.filter(practitioner__active=True).select_related("practitioner", "department")
        if self.departments is not None:
            departments = departments.filter(pk__in=self.departments)
            roles = roles.filter(department__in=self.departments)
            self.fields["department"].help_text = _("您只能写本科室和本科室医生的规则。")
        self.fields["department"].queryset = departments
        self.fields["service"].queryset = self.organization.services.filter(active=True).order_by("code")
        self.fields["role"].queryset = roles.order_by("department__order", "department", "practitioner__code")

    def clean(self):
        said = super().clean()
        department, role = said.get("department"), said.get("role")
        if department and role and role.department_id != department.pk:
            self.add_error("role", _("这位医生不在所选科室。"))
        if self.base is None and self.departments is not None and not (department or role):
            self.add_error("department", _("请选本科室，或本科室的一位医生。"))
        return said


class SupplyForm(ScopedForm):
    model = SupplyRule
    name = forms.CharField(label=_("名称"), max_length=60, strip=True)
    no_floor = forms.BooleanField(
        label=_("确认不留现场号"), required=False, help_text=_("现场保底：窗口号和特殊人群号合计一般不少于 10%。")
    )

    def __init__(self, *args, rows: "ShareForms", **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = rows

    def readable(self) -> bool:
        return super().readable() and self.rows.is_valid()

    def clean(self):
        """P7: nothing kept for people who come in person is a decision, never an oversight."""
        said = super().clean()
        kinds = {share.kind for share in self.shares()} if self.readable() else set()
        if kinds and not kinds & set(policy.ON_SITE) and not said["no_floor"]:
            self.add_error("no_floor", _("没有给现场留号。请加一行窗口号或特殊人群号，或勾选“确认不留现场号”。"))
        return said

    def is_valid(self):
        """Both halves are looked at, so that everything wrong is said at once."""
        said = super().is_valid()
        return self.rows.is_valid() and said

    def shares(self) -> list[SupplyShare]:
        return [form.share() for form in self.rows.used]

    def blame(self, problems: Iterable[policy.Problem]) -> None:
        for problem in problems:
            if problem.row is None:
                super().blame([problem])
            else:
                self.rows.used[problem.row].add_error(problem.field, problem.sentence)


class ShareForm(plain.Form):
    """One pool's part of the numbers. An empty row is no row."""

    NEVER, DAYS, START = "", "days", "start"
    RECALL = [(NEVER, _("不回收")), (DAYS, _("提前回收到公共")), (START, _("开诊时向所有人开放"))]

    pool = forms.ChoiceField(label=_("号池"), required=False)
    percent = forms.IntegerField(label=_("百分比"), required=False)
    opens_days = forms.IntegerField(label=_("提前几天开放"), required=False)
    opens_time = forms.TimeField(label=_("开放时刻"), widget=ClockInput(), required=False)
    recall = forms.ChoiceField(label=_("余号"), choices=RECALL, required=False)
    shared_days = forms.IntegerField(label=_("提前几天回收"), required=False)
    shared_time = forms.TimeField(label=_("回收时刻"), widget=ClockInput(), required=False)

    def __init__(self, *args, organization: Organization, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["pool"].choices = BLANK + list(pool_choices(organization))
        for name in ("percent", "opens_days", "shared_days"):
            self.fields[name].widget.attrs["inputmode"] = "numeric"

    @property
    def is_used(self) -> bool:
        return bool(self.cleaned_data.get("pool") or self.cleaned_data.get("percent") is not None)

    def clean(self):
        said = super().clean()
        if not (said.get("pool") or said.get("percent") is not None):
            return said
        needed = {"pool": _("请选号池。"), "percent": _("请填百分比。")}
        needed |= {"opens_days": _("请填提前几天。"), "opens_time": _("请填时刻，如 07:00。")}
        if said.get("recall") == self.DAYS:
            needed |= {"shared_days": _("请填提前几天回收。"), "shared_time": _("请填回收时刻，如 07:00。")}
        for name, sentence in needed.items():
            if said.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, sentence)
        return said

    def share(self) -> SupplyShare:
        said = self.cleaned_data
        kind, partner, group = read_pool(said["pool"])
        days = said.get("recall") == self.DAYS
        return SupplyShare(
            kind=kind,
            partner_id=partner,
            group_id=group,
            percent=said["percent"],
            opens_days=said["opens_days"],
            opens_time=said["opens_time"],
            shared_days=said["shared_days"] if days else None,
            shared_time=said["shared_time"] if days else None,
            shared_at_start=said.get("recall") == self.START,
        )


def pool_choices(organization: Organization):
    """Kinds, then of those for lower institutions each active group's and each institution's own."""
    for kind in policy.SHAREABLE:
        yield kind.value, kind.label
    groups = list(PartnerGroup.objects.filter(organization=organization, active=True).order_by("name"))
    branches = list(organization.branches.filter(active=True).order_by("code"))
    for kind in policy.OF_PARTNERS:
        for group in groups:
            yield f"{kind.value}:group:{group.pk}", f"{kind.label}：{group.name}"
        for branch in branches:
            yield f"{kind.value}:of:{branch.pk}", f"{kind.label}：{branch.short_name or branch.name}"


def read_pool(value: str) -> tuple[str, int | None, int | None]:
    """Kind, institution, group of a choice."""
    kind, _colon, whose = value.partition(":")
    sort, _colon, pk = whose.partition(":")
    return kind, int(pk) if sort == "of" else None, int(pk) if sort == "group" else None


def initial_of(share: SupplyShare) -> dict:
    pool = f"{share.kind}:group:{share.group_id}" if share.group_id else share.kind
    if share.partner_id:
        pool = f"{share.kind}:of:{share.partner_id}"
    recall = ShareForm.START if share.shared_at_start else ShareForm.DAYS if share.shared_days is not None else ""
    names = ("percent", "opens_days", "opens_time", "shared_days", "shared_time")
    return {"pool": pool, "recall": recall, **{name: getattr(share, name) for name in names}}


class ShareForms(forms.BaseFormSet):
    @property
    def used(self) -> list[ShareForm]:
        return [form for form in self.forms if form.is_used]


ShareRows = forms.formset_factory(ShareForm, formset=ShareForms, extra=2, max_num=MOST_SHARES, absolute_max=MOST_SHARES)


class BookingRuleForm(ScopedForm):
    model = BookingRule

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in BOOKING_FIELDS:
            column = BookingRule._meta.get_field(name)
            if isinstance(column, models.TimeField):
                field = forms.TimeField(label=column.verbose_name, widget=ClockInput())
            else:
                least, most = policy.RANGES[name]
                field = forms.IntegerField(label=column.verbose_name, help_text=f"{least}–{most}")
                field.widget.attrs = {"inputmode": "numeric"}
                field.help_text = HINTS.get(name, field.help_text)
            self.fields[name] = field
        self.order_fields([*(name for name in self.fields if name != "why"), "why"])


HINTS = {"signed_priority": _("0 和其他人一样排队，1 优先（只限与本院协作的机构签约的居民）")}
"""Where the range alone says nothing."""

FRAME = {"id", "organization", "department", "service", "role", "effective_from", "effective_to"}
BOOKING_FIELDS = [each.name for each in BookingRule._meta.fields if each.name not in FRAME]


class ChannelRuleForm(RuleForm):
    model = ChannelRule
    channel = forms.ChoiceField(label=_("渠道"), choices=Channel.choices)
    kinds = forms.MultipleChoiceField(
        label=_("可用号池"),
        required=False,
        choices=[(kind.value, kind.label) for kind in policy.CHANNEL_KINDS],
        widget=forms.CheckboxSelectMultiple(),
        help_text=_("一个都不选，就是关闭这个渠道。"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.base is not None:
            del self.fields["channel"]

    def readable(self) -> bool:
        return super().readable() and (self.base is not None or "channel" in self.cleaned_data)


class LevelRuleForm(RuleForm):
    model = ConsultLevelRule
    levels = forms.MultipleChoiceField(
        label=_("诊间可约级别"),
        required=False,
        choices=HealthcareService.Level.choices,
        widget=forms.CheckboxSelectMultiple(),
    )


FORMS: dict[str, type[RuleForm]] = {
    "supply": SupplyForm,
    "booking": BookingRuleForm,
    "channel": ChannelRuleForm,
    "level": LevelRuleForm,
}
