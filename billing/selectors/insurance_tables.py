"""医保规则 and 医保目录 as the office reads them: in force, coming, past; and price codes that are on no list."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from billing.models import InsuranceItem, InsuranceRule
from hospital.models import Patient, PriceItem

KINDS = (Patient.Insurance.EMPLOYEE, Patient.Insurance.RESIDENT, Patient.Insurance.NONE)


@dataclass
class Kind:
    """One kind of insurance with its rows."""

    value: str
    label: str
    now: InsuranceRule | None = None
    coming: list[InsuranceRule] = field(default_factory=list)
    past: list[InsuranceRule] = field(default_factory=list)

    @property
    def words(self) -> dict[str, str]:
        return words_of_rule(self.now) if self.now else {}

    @property
    def settles(self) -> bool:
        """Who has none pays all: there is nothing to be written."""
        return self.value != Patient.Insurance.NONE


def board(organization_id: int, *, today: date) -> list[Kind]:
    """One query."""
    found = {kind.value: Kind(kind.value, str(kind.label)) for kind in KINDS}
    for row in InsuranceRule.objects.filter(organization=organization_id).order_by("-effective_from", "-pk"):
        kind = found[row.insurance]
        if row.effective_from > today:
            kind.coming.insert(0, row)
        elif row.effective_to is None or row.effective_to >= today:
            kind.now = kind.now or row
        else:
            kind.past.append(row)
    return list(found.values())


def latest(rows: QuerySet) -> int:
    """The newest of all that was written of a scope's rows, 0 where there is none: what a form was opened on."""
    return rows.aggregate(last=Max("events__pk"))["last"] or 0


def words_of_rule(rule: InsuranceRule) -> dict[str, str]:
    cap = rule.yearly_cap
    return {
        _("统筹支付比例"): f"{rule.fund_percent.normalize():f}%",
        _("年度起付线"): f"¥{rule.deductible}",
        _("年度统筹封顶"): f"¥{cap}" if cap is not None else _("不封顶"),
        _("个人账户"): _("可用") if rule.account else _("不可用"),
    }


def words_of_item(item: InsuranceItem) -> dict[str, str]:
    return {
        _("价目代码"): item.code,
        _("国家医保编码"): item.national_code,
        _("类别"): str(item.get_klass_display()),
        _("先行自付"): f"{item.own_percent.normalize():f}%",
    }


@dataclass(frozen=True)
class Listed:
    """A price code, what it is called there, and what it is on the insurance's list; none: class C."""

    code: str
    name: str
    item: InsuranceItem | None
    coming: InsuranceItem | None


def items_by_code(organization_id: int, *, day: date) -> dict[str, InsuranceItem]:
    rows = InsuranceItem.objects.filter(_in_force(day), organization=organization_id)
    return {row.code: row for row in rows.order_by("effective_from", "pk")}


def listed(organization_id: int, *, today: date) -> list[Listed]:
    """By price code. Three queries."""
    prices = PriceItem.objects.filter(_in_force(today), organization=organization_id).order_by("code")
    names = dict(prices.values_list("code", "name"))
    held = items_by_code(organization_id, day=today)
    later = InsuranceItem.objects.filter(organization=organization_id, effective_from__gt=today)
    coming = {row.code: row for row in later.order_by("-effective_from")}
    codes = sorted(names.keys() | held.keys() | coming.keys())
    return [Listed(code, names.get(code, ""), held.get(code), coming.get(code)) for code in codes]


def sieved(rows: list[Listed], *, text: str = "", only: str = "") -> list[Listed]:
    """`only`: a class, or "none" for those on no list."""
    return [row for row in rows if _wanted(row, text.strip().lower(), only)]


def _wanted(row: Listed, text: str, only: str) -> bool:
    if only and (row.item.klass if row.item else "none") != only:
        return False
    national = row.item.national_code if row.item else ""
    return not text or text in row.code.lower() or text in row.name.lower() or text in national.lower()


def _in_force(day: date) -> Q:
    return Q(effective_from__lte=day) & (Q(effective_to=None) | Q(effective_to__gte=day))
