"""A doctor's days at another house as they are typed."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from appointments.policies.contract import problem
from hospital import plain
from hospital.models import Contract, Department, HealthcareService, Organization, Practitioner

from .templates import day_field

SHOWN = 5  # of several people with one name


class ContractForm(plain.Form):
    doctor = forms.CharField(label=_("医生（姓名或工号）"), max_length=40, strip=True)
    department = forms.ModelChoiceField(Department.objects.none(), label=_("在哪个科室出诊"), empty_label=_("请选择"))
    service = forms.ModelChoiceField(HealthcareService.objects.none(), label=_("号别"), empty_label=_("请选择"))
    effective_from = day_field(label=_("生效日"))
    effective_to = day_field(label=_("失效日"), required=False)
    note = forms.CharField(label=_("备注"), max_length=100, required=False, strip=True)

    def __init__(self, *args, house: Organization, houses, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.house, self.houses, self.today = house, houses, today
        departments = Department.objects.filter(organization=house, active=True)
        self.fields["department"].queryset = departments.order_by("order", "code")
        services = HealthcareService.objects.filter(organization=house, active=True)
        self.fields["service"].queryset = services.order_by("code")
        self.fields["doctor"].widget.attrs["autocomplete"] = "off"
        self.fields["effective_to"].help_text = _("留空表示长期；失效日当天仍可出诊。")

    def clean_doctor(self) -> Practitioner:
        """By staff number or full name, in the houses that work together."""
        text = self.cleaned_data["doctor"]
        rows = Practitioner.objects.filter(Q(code=text) | Q(name=text), organization__in=self.houses, active=True)
        found = list(rows.select_related("organization").order_by("organization", "code")[: SHOWN + 1])
        if not found:
            raise ValidationError(_("没有找到在岗的“%(text)s”。请填全名或工号。"), params={"text": text})
        if len(found) > 1:
            names = "、".join(f"{row.name} {row.code}（{row.organization}）" for row in found[:SHOWN])
            raise ValidationError(_("有多位同名：%(names)s。请改填工号。"), params={"names": names})
        return found[0]

    def clean(self):
        said = super().clean()
        if self.errors:
            return said
        self.wanted = Contract(
            practitioner=said["doctor"],
            organization=self.house,
            effective_from=said["effective_from"],
            effective_to=said["effective_to"],
            note=said["note"],
        )
        others = list(Contract.objects.filter(practitioner=said["doctor"], organization=self.house))
        place = {"department": said["department"], "service": said["service"]}
        wrong = problem(self.wanted, others=others, today=self.today, **place)
        if wrong:
            self.add_error(*wrong)
        elif said["doctor"].organization_id == self.house.pk and not others:
            self.add_error("doctor", _now("这位医生本来就在这里，不登记合约也能出诊。请选别的机构的医生。"))
        return said


class EndContractForm(plain.Form):
    last_day = day_field(label=_("最后一天"))

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today

    def clean_last_day(self) -> date:
        day = self.cleaned_data["last_day"]
        if day < self.today:
            raise ValidationError(_("这一天已经过去。请填今天或之后的日期。"))
        return day
