"""协作协议 as the office types it."""

from datetime import date

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.policies import agreement as policy
from hospital import plain
from hospital.models import Agreement, Organization

from .templates import day_field


class AgreementForm(plain.Form):
    member = forms.ModelChoiceField(Organization.objects.none(), label=_("下级机构"), empty_label=_("请选择"))
    effective_from = day_field(label=_("生效日"))
    effective_to = day_field(label=_("失效日"), required=False)
    note = forms.CharField(label=_("备注"), max_length=100, required=False, strip=True)

    def __init__(self, *args, house: Organization, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.house, self.today = house, today
        known = Q(parent=house) | Q(kind__in=[Organization.Kind.COMMUNITY, Organization.Kind.TOWN])
        rows = Organization.objects.filter(known, active=True).exclude(pk=house.pk)
        self.fields["member"].queryset = rows.order_by("code")
        self.fields["effective_to"].help_text = _("留空表示长期；失效日当天仍可预约和转诊。")

    def clean(self):
        said = super().clean()
        if self.errors:
            return said
        self.wanted = Agreement(hospital=self.house, **said)
        others = Agreement.objects.filter(hospital=self.house, member=said["member"])
        if wrong := policy.problem(self.wanted, others=list(others), today=self.today):
            self.add_error(*wrong)
        return said


class EndAgreementForm(plain.Form):
    last_day = day_field(label=_("最后一天"))
