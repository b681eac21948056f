"""Shapes of items, their ways, sets and groups as the office writes them."""

from django import forms
from django.utils.translation import gettext_lazy as _

from exams.models import STEP, ExamGroup, ExamItem, ExamSet, ExamVariant, Modality, Preparation
from exams.selectors import catalogue
from exams.selectors.signed import IN_FORCE
from exams.services.catalogue import Way
from hospital import plain
from hospital.models import Organization

LONGEST_RESULT = 90 * 24 * 60
BLANK = [("", "—")]


class NumberInput(forms.NumberInput):
    def __init__(self):
        super().__init__(attrs={"inputmode": "numeric"})


BEYOND = 10**9
"""No number that is typed here may be as large."""


class Whole(forms.IntegerField):
    """A whole number in its range, empty where it may be."""

    def __init__(self, *, least: int, most: int, step: int | None = None, **kwargs):
        kwargs.setdefault("widget", NumberInput())
        super().__init__(min_value=least, max_value=most, step_size=step, **kwargs)

    def to_python(self, value) -> int | None:
        """What no float can hold is out of range just as well: the range says so, its steps cannot be counted."""
        number = super().to_python(value)
        return number if number is None else max(-BEYOND, min(number, BEYOND))


class ItemForm(plain.Form):
    """An item without its ways. `item` None: a new one."""

    code = forms.CharField(label=_("代码"), max_length=20)
    name = forms.CharField(label=_("名称"), max_length=80)
    modality = forms.ChoiceField(label=_("类别"), choices=[*BLANK, *Modality.choices])
    body_part = forms.CharField(label=_("部位"), max_length=40, required=False)
    equivalence = forms.CharField(
        label=_("互认代码"), max_length=30, required=False,
        help_text=_("代码相同的项目算同一种检查，结果在有效期内会提醒医生；留空只和本项目自己比。"),
    )  # fmt: skip
    valid_days = Whole(label=_("结果有效天数"), least=0, most=730, help_text=_("0：不提醒重复检查"))
    result_minutes = Whole(label=_("出报告（分钟）"), least=0, most=LONGEST_RESULT)
    simple = forms.BooleanField(label=_("患者可自行预约"), required=False)
    active = forms.BooleanField(label=_("启用"), required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput(), required=False)

    def __init__(self, *args, organization: Organization, item: ExamItem | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.organization, self.item = organization, item

    def clean_code(self):
        code = self.cleaned_data["code"]
        rows = ExamItem.objects.filter(organization=self.organization, code__iexact=code)
        if rows.exclude(pk=self.item.pk if self.item else None).exists():
            raise forms.ValidationError(_("这个代码已经有项目在用，请换一个。"))
        return code

    def row(self) -> ExamItem:
        item = self.item or ExamItem(organization=self.organization)
        for name in ("code", "name", "modality", "body_part", "equivalence", "valid_days", "result_minutes"):
            setattr(item, name, self.cleaned_data[name])
        item.simple, item.active = self.cleaned_data["simple"], self.cleaned_data["active"]
        return item


class WayForm(plain.Form):
    """One way to do the item; nothing of it counts unless it is in use."""

    used = forms.BooleanField(label=_("做这一种"), required=False)
    minutes = Whole(label=_("检查（分钟）"), least=STEP, most=480, step=STEP, required=False)
    before = Whole(label=_("检查前（分钟）"), least=0, most=240, step=STEP, required=False, help_text=_("如埋针、饮水"))
    after = Whole(label=_("检查后（分钟）"), least=0, most=480, step=STEP, required=False, help_text=_("如留观、苏醒"))
    price_code = forms.ChoiceField(label=_("价目"), required=False)
    preparation = forms.ModelChoiceField(
        Preparation.objects.none(), label=_("检查准备"), required=False, empty_label=_("不用准备")
    )
    groups = forms.ModelMultipleChoiceField(
        ExamGroup.objects.none(), label=_("规则分组"), required=False, widget=forms.CheckboxSelectMultiple()
    )

    def __init__(self, *args, kind: str, prices, groups, preparations, variant: ExamVariant | None = None, **kwargs):
        super().__init__(*args, label_suffix="", prefix=kind, **kwargs)
        self.kind, self.variant = kind, variant
        self.fields["price_code"].choices = [*BLANK, *prices]
        self.fields["preparation"].queryset = preparations
        self.fields["groups"].queryset = groups

    @property
    def title(self) -> str:
        return ExamVariant.Kind(self.kind).label

    @property
    def open(self) -> bool:
        """The page shows what is in use, or what was typed."""
        return bool(self["used"].value() or self.errors)

    def clean(self):
        said = super().clean()
        if not said.get("used"):
            for name in set(self.errors):
                del self.errors[name]
            return said
        if said.get("minutes") is None and "minutes" not in self.errors:
            self.add_error("minutes", _("请填写检查要几分钟。"))
        if not said.get("price_code") and "price_code" not in self.errors:
            self.add_error("price_code", _("请选价目，没有价格不能预约。"))
        return said

    def way(self) -> Way | None:
        """None: it never was, and is not."""
        said = self.cleaned_data
        if not said["used"]:
            if self.variant is None:
                return None
            self.variant.active = False
            return Way(self.variant, list(self.variant.groups.all()))
        variant = self.variant or ExamVariant(kind=self.kind)
        variant.minutes, variant.before, variant.after = said["minutes"], said["before"] or 0, said["after"] or 0
        variant.price_code, variant.preparation, variant.active = said["price_code"], said["preparation"], True
        return Way(variant, list(said["groups"]))


class ItemForms:
    """The item's form and one for each way, looked at together so that everything wrong is said at once."""

    def __init__(self, data=None, *, organization: Organization, item: ExamItem | None = None):
        variants = catalogue.by_kind(catalogue.ways().filter(item=item)) if item else {}
        self.item = ItemForm(data, organization=organization, item=item, initial=_initial(item))
        choices = {
            "prices": catalogue.prices(organization.pk),
            "groups": ExamGroup.objects.filter(organization=organization).order_by("pk"),
            "preparations": Preparation.objects.filter(IN_FORCE, organization=organization).order_by("name"),
        }
        self.ways = [
            WayForm(
                data, kind=kind, variant=variants.get(kind), initial=_way(variants.get(kind), kind, item), **choices
            )
            for kind in ExamVariant.Kind.values
        ]

    @property
    def refused(self) -> bool:
        return bool(self.item.errors) or any(way.errors for way in self.ways)

    def is_valid(self) -> bool:
        sound = [self.item.is_valid(), *(way.is_valid() for way in self.ways)]
        if all(sound) and not any(way.cleaned_data["used"] for way in self.ways):
            self.item.add_error(None, _("至少要有一种检查方式。"))
            return False
        return all(sound)

    def all_ways(self) -> list[Way]:
        return [way for form in self.ways if (way := form.way())]


def _initial(item: ExamItem | None) -> dict:
    if item is None:
        return {"valid_days": 0, "result_minutes": 60, "active": True}
    names = ("code", "name", "modality", "body_part", "equivalence", "valid_days", "result_minutes", "simple", "active")
    return {name: getattr(item, name) for name in names}


def _way(variant: ExamVariant | None, kind: str, item: ExamItem | None) -> dict:
    if variant is None:
        return {"used": item is None and kind == ExamVariant.Kind.PLAIN, "before": 0, "after": 0}
    said = {name: getattr(variant, name) for name in ("minutes", "before", "after", "price_code")}
    groups = [group.pk for group in variant.groups.all()]
    return said | {"used": variant.active, "preparation": variant.preparation_id, "groups": groups}


class LineField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, variant) -> str:
        return variant.name


class SetForm(plain.Form):
    code = forms.CharField(label=_("代码"), max_length=20, help_text=_("医生在诊间输入它就能一次开齐"))
    name = forms.CharField(label=_("名称"), max_length=80)
    programme = forms.CharField(label=_("项目"), max_length=40, help_text=_("如产检、减重、术前"))
    lines = LineField(ExamVariant.objects.none(), label=_("检查"), widget=forms.CheckboxSelectMultiple())
    active = forms.BooleanField(label=_("启用"), required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput(), required=False)

    def __init__(self, *args, organization: Organization, row: ExamSet | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.organization, self.row_before = organization, row
        held = list(row.lines.values_list("pk", flat=True)) if row else []
        usable = ExamVariant.objects.filter(item__organization=organization, item__active=True, active=True)
        self.fields["lines"].queryset = (
            (usable | ExamVariant.objects.filter(item__organization=organization, pk__in=held))
            .select_related("item").order_by("item__modality", "item__code", "pk")
        )  # fmt: skip

    def clean_code(self):
        code = self.cleaned_data["code"]
        rows = ExamSet.objects.filter(organization=self.organization, code__iexact=code)
        if rows.exclude(pk=self.row_before.pk if self.row_before else None).exists():
            raise forms.ValidationError(_("这个代码已经有套餐在用，请换一个。"))
        return code

    def row(self) -> ExamSet:
        row = self.row_before or ExamSet(organization=self.organization)
        for name in ("code", "name", "programme", "active"):
            setattr(row, name, self.cleaned_data[name])
        return row


class GroupForm(plain.Form):
    name = forms.CharField(label=_("分组名称"), max_length=40)

    def __init__(self, *args, organization: Organization, row: ExamGroup | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.organization, self.group = organization, row

    def clean_name(self):
        name = self.cleaned_data["name"]
        rows = ExamGroup.objects.filter(organization=self.organization, name=name)
        if rows.exclude(pk=self.group.pk if self.group else None).exists():
            raise forms.ValidationError(_("已经有这个分组。"))
        return name
