"""What is said with each act on a referral (R4)."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from appointments.selectors.find import matching
from hospital import plain
from hospital.models import CareTeam, Department, Organization, PractitionerRole
from referrals.models import Referral
from referrals.policies.moves import Act
from referrals.selectors import rules

LONGEST = 500
KEEP, GIVE_BACK = "keep", "give_back"


def _text(label, *, required: bool, help_text="", rows: int = 3) -> forms.CharField:
    area = forms.Textarea(attrs={"class": "input", "rows": rows})
    return forms.CharField(
        label=label, required=required, max_length=LONGEST, strip=True, widget=area, help_text=help_text
    )


class ActForm(plain.Form):
    """`number`: the referral's live number, of which whoever ends it says what becomes."""

    def __init__(self, *args, referral: Referral, number=None, day=None, **kwargs):
        super().__init__(*args, label_suffix="", auto_id=f"id_{self.act}_%s", **kwargs)
        self.referral, self.day = referral, day
        if "number" in self.fields and number is None:
            del self.fields["number"]

    def said(self) -> dict:
        """Keywords of the act's service."""
        return {}


class PlainForm(ActForm):
    pass


class AskForm(ActForm):
    act = Act.ASK
    text = _text(_lazy("要补充什么"), required=True, help_text=_lazy("对方会看到。问清楚一次，少一个来回。"))

    def said(self) -> dict:
        return {"question": self.cleaned_data["text"]}


class NoteForm(ActForm):
    text = _text(_lazy("说明（可不填）"), required=False, help_text=_lazy("对方会看到。"), rows=2)

    def said(self) -> dict:
        return {"note": self.cleaned_data["text"]}


class AcceptForm(PlainForm):
    """One key: what is to be said is asked back, or written beside the number."""

    act = Act.ACCEPT


class CompleteForm(NoteForm):
    act = Act.COMPLETE


class AnswerForm(ActForm):
    act = Act.ANSWER
    text = _text(_lazy("补充说明"), required=True, help_text=_lazy("化验单和影像请先传到附件，再在这里说明。"))

    def said(self) -> dict:
        return {"text": self.cleaned_data["text"]}


class EndForm(ActForm):
    NUMBER = [(GIVE_BACK, _lazy("退号，号放回")), (KEEP, _lazy("保留，患者按原时间来"))]
    number = forms.ChoiceField(label=_lazy("已约的号怎么办"), choices=NUMBER, widget=forms.RadioSelect)

    def said(self) -> dict:
        give_back = self.cleaned_data.get("number") == GIVE_BACK
        return {"reason": self.cleaned_data["text"], "give_back": give_back}


class RejectForm(EndForm):
    act = Act.REJECT
    text = _text(
        _lazy("退回原因"),
        required=True,
        help_text=_lazy("转出医生和患者要据此决定下一步，请写清楚建议去哪里、怎么办。"),
    )
    field_order = ["text", "number"]


class WithdrawForm(EndForm):
    act = Act.WITHDRAW
    text = _text(_lazy("撤回原因"), required=True, help_text=_lazy("接收方会看到。"), rows=2)
    field_order = ["text", "number"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].required = self.referral.sent_at is not None


class RedirectForm(EndForm):
    act = Act.REDIRECT
    department = forms.ModelChoiceField(label=_lazy("改派到"), queryset=None, empty_label=_lazy("请选科室"))
    who = forms.CharField(
        label=_lazy("指定医生或团队（可不填）"), required=False, max_length=40, strip=True,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        help_text=_lazy("姓名、团队名或拼音首字母"),
    )  # fmt: skip
    text = _text(_lazy("改派原因"), required=True, help_text=_lazy("双方都会看到。"), rows=2)
    field_order = ["department", "who", "text", "number"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        houses = self._houses()
        rows = Department.objects.filter(organization__in=houses, active=True).select_related("organization")
        here = self.referral.receiver_id
        field = self.fields["department"]
        field.queryset = rows
        groups: dict[str, list] = {}
        for row in sorted(
            rows, key=lambda row: (row.organization_id != here, row.organization.code, row.order, row.code)
        ):
            groups.setdefault(row.organization.name, []).append((row.pk, row.name))
        field.choices = [("", field.empty_label), *groups.items()]

    def _houses(self) -> list[int]:
        """The hospital itself, and others that work with the sender."""
        others = Organization.objects.filter(kind=Organization.Kind.HOSPITAL, active=True).exclude(
            pk__in=[self.referral.origin_id, self.referral.receiver_id]
        )
        origin = self.referral.origin
        agreed = [one.pk for one in others if rules.agreed(hospital=one, member=origin, day=self.day)]
        return [self.referral.receiver_id, *agreed]

    def clean(self):
        said = super().clean()
        department, who = said.get("department"), said.get("who")
        if department and department.pk == self.referral.department_id and not who:
            self.add_error("department", _("已经是这个科室。请选别的科室，或写明医生、团队。"))
        self.place = self._place(department, who) if department and who else {}
        return said

    def _place(self, department: Department, who: str) -> dict:
        roles = PractitionerRole.objects.filter(department=department, active=True, practitioner__active=True)
        roles = matching(roles.select_related("practitioner"), who, path="practitioner__")[:3]
        teams = matching(CareTeam.objects.filter(department=department, active=True), who)[:3]
        found = [("role", row, str(row.practitioner)) for row in roles] + [("team", row, row.name) for row in teams]
        exact = [each for each in found if each[2] == who]
        found = exact if len(exact) == 1 else found
        if len(found) == 1:
            return {found[0][0]: found[0][1]}
        names = "、".join(name for _kind, _row, name in found)
        self.add_error(
            "who",
            _("“%(who)s”对应不止一个：%(names)s。请写全名。") % {"who": who, "names": names}
            if found
            else _("%(department)s没有“%(who)s”。请核对姓名，或不填。") % {"department": department.name, "who": who},
        )  # fmt: skip
        return {}

    def said(self) -> dict:
        department = self.cleaned_data["department"]
        elsewhere = department.organization_id != self.referral.receiver_id
        to = {"department": department, "receiver": department.organization if elsewhere else None, **self.place}
        return super().said() | to


class ArriveForm(PlainForm):
    act = Act.ARRIVE


class SeeForm(PlainForm):
    act = Act.SEE


FORMS = {form.act: form for form in (
    AskForm, AcceptForm, RedirectForm, RejectForm, CompleteForm, AnswerForm, WithdrawForm, ArriveForm, SeeForm,
)}  # fmt: skip
"""Acts of the detail page; booking, sending back down and attaching have pages and panels of their own."""
