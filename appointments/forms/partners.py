"""协作单位组 as the office writes it."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models import PartnerGroup
from hospital import plain
from hospital.models import Organization


class PartnerGroupForm(plain.Form):
    name = forms.CharField(label=_("名称"), max_length=40, strip=True)
    members = forms.ModelMultipleChoiceField(
        Organization.objects.none(), label=_("成员机构"), widget=forms.CheckboxSelectMultiple(), required=False
    )
    active = forms.BooleanField(label=_("启用"), required=False)
    why = forms.CharField(label=_("原因"), max_length=100, strip=True)

    def __init__(self, *args, house: Organization, group: PartnerGroup | None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.house, self.group = house, group
        known = Q(parent=house) | Q(kind__in=[Organization.Kind.COMMUNITY, Organization.Kind.TOWN])
        if group is not None:
            known |= Q(member_of=group)
        rows = Organization.objects.filter(known, active=True).exclude(pk=house.pk).distinct()
        self.fields["members"].queryset = rows.order_by("code")
        if group is None:
            del self.fields["active"]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        others = PartnerGroup.objects.filter(organization=self.house, name=name)
        if self.group is not None:
            others = others.exclude(pk=self.group.pk)
        if others.exists():
            raise forms.ValidationError(_("已有同名的协作组，请换一个名称。"))
        return name

    def clean(self):
        said = super().clean()
        if said.get("active", True) and "members" in said and not said["members"]:
            self.add_error("members", _("至少选一个成员；没有成员的组，留给它的号谁也约不上。"))
        return said
