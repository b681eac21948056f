"""价目 as the office and the public read it: what holds today, what will, what did, and what uses it (M7)."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billing.policies.pricing import in_force
from exams.models import ExamVariant
from hospital.models import HealthcareService, Organization, PriceItem

GROUPS = (("fee", _("挂号费")), ("exam", _("检查")), ("other", _("其他服务")))
MOST = 500
"""Codes on one page; more are searched for."""


@dataclass
class Priced:
    """One code: `now` holds today, `coming` begins later, `used`: by which services and exams."""

    code: str
    rows: list[PriceItem]
    today: date
    used: list[str] = field(default_factory=list)
    kind: str = "other"

    @property
    def now(self) -> PriceItem | None:
        return in_force(self.rows, self.today)

    @property
    def coming(self) -> list[PriceItem]:
        return sorted((row for row in self.rows if row.effective_from > self.today), key=lambda row: row.effective_from)

    @property
    def past(self) -> list[PriceItem]:
        rows = [row for row in self.rows if row.effective_to and row.effective_to < self.today]
        return sorted(rows, key=lambda row: row.effective_from, reverse=True)

    @property
    def latest(self) -> PriceItem:
        return max(self.rows, key=lambda row: row.effective_from)

    @property
    def name(self) -> str:
        return (self.now or self.latest).name


def listed(organization: Organization, *, today: date, q: str = "", in_force_only: bool = False) -> list[Priced]:
    """By code. Three queries. `q`: part of the code or the name."""
    rows = PriceItem.objects.filter(organization=organization)
    if in_force_only:
        rows = rows.filter(Q(effective_to=None) | Q(effective_to__gte=today))
    if q:
        codes = rows.filter(Q(code__icontains=q) | Q(name__icontains=q)).values("code")
        rows = rows.filter(code__in=codes)
    found: dict[str, Priced] = {}
    for row in rows.order_by("code", "effective_from"):
        found.setdefault(row.code, Priced(row.code, [], today)).rows.append(row)
    _mark(found, organization)
    if in_force_only:
        return [one for one in found.values() if one.now]
    return list(found.values())


def one(organization: Organization, code: str, *, today: date) -> Priced | None:
    rows = list(of_code(organization, code))
    if not rows:
        return None
    found = {code: Priced(code, rows, today)}
    _mark(found, organization)
    return found[code]


def of_code(organization: Organization, code: str) -> QuerySet[PriceItem]:
    return PriceItem.objects.filter(organization=organization, code=code).order_by("effective_from")


def _mark(found: dict[str, Priced], organization: Organization) -> None:
    for code, users in users_of(organization, set(found)).items():
        found[code].kind, found[code].used = users


def users_of(organization: Organization, codes: set[str]) -> dict[str, tuple[str, list[str]]]:
    """Code → (kind, names of what costs it). Only what can be booked. Two queries."""
    services = HealthcareService.objects.filter(organization=organization, active=True, price_code__in=codes)
    variants = ExamVariant.objects.filter(item__organization=organization, active=True, item__active=True)
    found: dict[str, tuple[str, list[str]]] = {}
    for service in services.order_by("code"):
        found.setdefault(service.price_code, ("fee", []))[1].append(service.name)
    for variant in variants.filter(price_code__in=codes).select_related("item").order_by("item__code", "pk"):
        found.setdefault(variant.price_code, ("exam", []))[1].append(str(variant))
    return found


def grouped(prices: list[Priced]) -> list[tuple[str, list[Priced]]]:
    """For the public: registration fees, exams, other services."""
    groups = [(str(label), [price for price in prices if price.kind == kind]) for kind, label in GROUPS]
    return [(label, rows) for label, rows in groups if rows]


def houses() -> QuerySet[Organization]:
    """Which have a published price list."""
    priced = PriceItem.objects.values("organization")
    return Organization.objects.filter(pk__in=priced, active=True).order_by("pk")
