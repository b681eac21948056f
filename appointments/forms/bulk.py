"""What the office types before a bulk act is previewed. Each form's `params()` is what its handler reads."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from appointments.models import BulkAct, Pool
from hospital import plain

from .looking import LookedDay

KEPT_APART = (Pool.Kind.TEAM, Pool.Kind.REBOOK)
"""A leading expert's numbers and those kept for a stop's patients are not the office's to move."""

MOST_NUMBERS = 300
"""As many as a session can have."""


class ActForm(plain.Form):
    """`organization`: whose pools are offered. The reason stands in the trail of every session."""

    reason = forms.CharField(label=_("原因"), max_length=200, strip=True)

    def __init__(self, *args, organization, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.organization = organization
        self.fields["reason"].help_text = _("写进操作留痕，例如：专家外出，诊间号调给公共。")
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def pools(self, *left_out: str) -> list[tuple[int, str]]:
        rows = Pool.objects.filter(organization=self.organization).exclude(kind__in=[*KEPT_APART, *left_out])
        order = {kind: place for place, kind in enumerate(Pool.Kind.values)}
        return [(pool.pk, str(pool)) for pool in sorted(rows, key=lambda pool: (order[pool.kind], pool.name))]

    def of_kind(self, kind: str) -> int | None:
        found = Pool.objects.filter(organization=self.organization, kind=kind, partner=None, group=None)
        return found.values_list("pk", flat=True).first()

    def params(self) -> dict:
        raise NotImplementedError


COUNT_ERRORS = dict.fromkeys(
    ("invalid", "min_value", "max_value"), format_lazy(_("请填 1 到 {most} 之间的整数。"), most=MOST_NUMBERS)
)


class ReallocateForm(ActForm):
    source = forms.TypedChoiceField(label=_("从哪个号池"), coerce=int)
    target = forms.TypedChoiceField(label=_("移到哪个号池"), coerce=int)
    count = forms.IntegerField(
        label=_("每个出诊单元移几个"),
        required=False,
        min_value=1,
        max_value=MOST_NUMBERS,
        error_messages=COUNT_ERRORS,
        help_text=_("只移空号。不填：全部空号。"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = self.fields["target"].choices = self.pools()
        self.initial.setdefault("source", self.of_kind(Pool.Kind.CONSULT))
        self.initial.setdefault("target", self.of_kind(Pool.Kind.PUBLIC))

    def clean(self):
        said = super().clean()
        if said.get("source") and said.get("source") == said.get("target"):
            self.add_error("target", ValidationError(_("两个号池相同，没有可移的。请换一个。")))
        return said

    def params(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("source", "target", "count")}


class AddForm(ActForm):
    count = forms.IntegerField(
        label=_("每个出诊单元加几个"), min_value=1, max_value=MOST_NUMBERS, initial=1, error_messages=COUNT_ERRORS
    )
    pool = forms.TypedChoiceField(label=_("加到哪个号池"), coerce=int)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["pool"].choices = self.pools()
        self.fields["pool"].help_text = _("“加号”号池的号由医生在诊间加给患者；其他号池的号由该号池的渠道预约。")
        self.initial.setdefault("pool", self.of_kind(Pool.Kind.EXTRA))

    def params(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("count", "pool")}


class RecallForm(ActForm):
    pools_given = forms.TypedMultipleChoiceField(
        label=_("回收哪些号池的余号"), coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["pools_given"].choices = self.pools(Pool.Kind.PUBLIC)
        self.fields["pools_given"].help_text = _("余号立刻归到公共号池；退号待放回的，到时再放出。")

    def params(self) -> dict:
        return {"pools": self.cleaned_data["pools_given"]}


FORMS: dict[str, type[ActForm]] = {
    BulkAct.Kind.REALLOCATE: ReallocateForm,
    BulkAct.Kind.ADD_NUMBERS: AddForm,
    BulkAct.Kind.RECALL: RecallForm,
}


class ActsForm(plain.Form):
    """Filters of the history; a wrong value in the address is as if it were not there."""

    kind = forms.ChoiceField(required=False, choices=[("", _("全部操作")), *BulkAct.Kind.choices], label=_("操作"))
    status = forms.ChoiceField(
        required=False,
        label=_("状态"),
        choices=[("", _("已执行和已撤销")), *BulkAct.Status.choices],
    )
    first = LookedDay(required=False, label=_("从"), widget=forms.DateInput(attrs={"type": "date"}))
    last = LookedDay(required=False, label=_("到"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        for field in self.fields.values():
            field.widget.attrs |= {"class": "pick", "aria-label": field.label}

    def said(self) -> dict:
        self.is_valid()
        return self.cleaned_data
