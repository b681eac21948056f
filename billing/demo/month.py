"""Day after day: who is there pays, at the window, the kiosk, in the consult room or on the phone; some scan
twice, some callbacks are lost, some cancel. All of it by the services, in the time of that day."""

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property

from appointments.models import Appointment
from appointments.services import changes
from billing.errors.finance import BillAway
from billing.models import (
    ChargeItem,
    CreditAgreement,
    Difference,
    InsuranceItem,
    InsuranceRule,
    InsuranceSettlement,
    Invoice,
    Payment,
    Refund,
)
from billing.policies.splitting import Priced, estimate, rounded
from billing.selectors import rules
from billing.selectors.ledger import balance
from billing.services import crediting, depositing, insuring, invoicing, paying, reconciling, refunding
from exams.models import ExamBooking
from hospital import clock
from hospital.errors import Refused
from hospital.models import Organization, Patient, User

from .drawers import Drawers
from .past import Past

A_DAY = 8
"""Visits a day that pay here at most while the house tries it; and half as many exams."""

TODAY = 6
"""Times as many on the day on which the house begins in earnest."""

WAYS = (("window", 34), ("phone", 33), ("kiosk", 23), ("consult", 10))
MEANS = {
    "window": (("cash", 42), ("bank", 22), ("wechat", 26), ("alipay", 10)),
    "kiosk": (("wechat", 65), ("alipay", 35)),
    "phone": (("wechat", 74), ("alipay", 26)),
    "consult": (("wechat", 70), ("alipay", 30)),
}
BY_CHANNEL = {"kiosk": "kiosk", "consult": "consult"}
LOST = 0.012  # callbacks that never come: the day's bill has them
TWICE = 0.012  # two phones scan one code
MIXED = 0.04  # at the window: part in cash, the rest by card
INSURED = 0.6  # of those with an insurance and a visit that is over
EARLY = 2  # a day who pay days ahead, of whom some cancel
CANCELS = 0.3
BILL_AT = time(10, 25)
TERMINAL = Decimal("0.005")  # of what a card terminal took, kept by its bank


class Month:
    def __init__(self, house: Organization, *, users: dict[str, User], gateways: dict[str, Past],
                 dice: random.Random, now: datetime):  # fmt: skip
        self.house, self.users, self.gateways, self.dice, self.now = house, users, gateways, dice, now
        self.today = clock.today(now)
        self.paid = 0
        self.later: list[tuple[datetime, Callable[[datetime], None]]] = []

    def trusted(self, many: int) -> list[Patient]:
        """People who come often, for whom the house waits until after the visit."""
        rows = self._visits().filter(day__lt=self.today, day__gte=self.today - timedelta(days=14))
        ids = list(dict.fromkeys(rows.order_by("pk").values_list("patient", flat=True)))
        return list(Patient.objects.filter(pk__in=self.dice.sample(ids, min(many, len(ids)))).order_by("pk"))

    def live(self, *, first_day: date, a_day: int) -> None:
        """`a_day`: visits that pay here on each day before today."""
        self.a_day = min(a_day, A_DAY)
        self.credit = set(CreditAgreement.objects.values_list("patient", flat=True))
        for number in range((self.today - first_day).days + 1):
            day = first_day + timedelta(days=number)
            self._day(day)
            self._reconcile(day)

    def _day(self, day: date) -> None:
        self.drawers = Drawers(self.house, self.users, day=day, dice=self.dice, now=self.now)
        happens = [*self._those_who_come(day), *self._those_who_pay_ahead(day)]
        happens += [each for each in self.later if clock.today(each[0]) == day]
        self.later = [each for each in self.later if clock.today(each[0]) != day]
        for at, deed in sorted(happens, key=lambda each: each[0]):
            if at <= self.now:
                self._move_on(at)
                with suppress(Refused):
                    deed(at)
        self.drawers.close()

    def _move_on(self, at: datetime) -> None:
        for gateway in self.gateways.values():
            gateway.now = at

    # ---- who pays ----

    def _visits(self):
        rows = Appointment.objects.filter(schedule__organization=self.house, status="fulfilled", fee__gt=0)
        return rows.select_related("patient", "encounter", "schedule__organization", "schedule__service")

    def _those_who_come(self, day: date) -> Iterable[tuple]:
        visits = list(self._visits().filter(day=day).order_by("pk"))
        exams = ExamBooking.objects.filter(request__organization=self.house, day=day, status="done", fee__gt=0)
        exams = list(exams.select_related("patient", "request__organization", "variant__item").order_by("pk"))
        many = self.a_day * (TODAY if day == self.today else 1)
        owing = [row for row in visits if row.patient_id in self.credit]
        visits = self._some(visits, many) + owing
        exams = self._some(exams, many // 2)
        for row in {row.pk: row for row in visits}.values():
            yield row.encounter.checked_in_at - timedelta(minutes=self.dice.randint(1, 9)), self._pays(row)
        for row in exams:
            yield row.during.lower - timedelta(minutes=self.dice.randint(10, 40)), self._pays(row)

    def _some(self, rows: list, many: int) -> list:
        return self.dice.sample(rows, min(len(rows), many))

    def _those_who_pay_ahead(self, day: date) -> Iterable[tuple]:
        """Booked on that day for a day to come. From the day on which the house wants it first, whoever booked so."""
        first, end = clock.at(day, time(0)), clock.at(day + timedelta(days=1), time(0))
        rows = Appointment.objects.filter(
            schedule__organization=self.house, status__in=["booked", "arrived"], fee__gt=0,
            confirmed_at__gte=first, confirmed_at__lt=end,
        ).select_related("patient", "schedule__organization", "schedule__service")  # fmt: skip
        must = rules.payment_rule(self.house.pk, day=day).prepaid
        found = list(rows.order_by("pk"))
        ahead = [row for row in found if row.channel in must] if must else self._some(found, min(EARLY, self.a_day))
        for row in ahead:
            yield row.confirmed_at, self._pays(row, cancels=not must and self.dice.random() < CANCELS)
        if must:
            exams = ExamBooking.objects.filter(
                request__organization=self.house, status="booked", fee__gt=0, channel__in=must,
                confirmed_at__gte=first, confirmed_at__lt=end,
            ).select_related("patient", "request__organization", "variant__item")  # fmt: skip
            for row in exams.order_by("pk"):
                yield row.confirmed_at, self._pays(row)

    def _pays(self, row: Appointment | ExamBooking, *, cancels: bool = False) -> Callable[[datetime], None]:
        over = row.status in ("fulfilled", "done")
        way = BY_CHANNEL.get(row.channel) if not over else None
        way = way or ("phone" if not over else self._one_of(WAYS))
        means = self._one_of(MEANS[way])

        def pays(at: datetime) -> None:
            invoice = invoicing.open_for_booking(booking=row, by=None, now=at)
            invoice.organization = self.house
            if invoice.status != Invoice.Status.OPEN:
                return
            if over and row.patient_id in self.credit and self._owes(invoice, at):
                return
            if over and invoice.insurance != "none" and clock.today(at) < self.today and self.dice.random() < INSURED:
                self._settles(invoice, at)
            self._pay(invoice, way=way, means=means, at=at)
            if cancels:
                later = at + timedelta(days=self.dice.randint(1, 4), minutes=self.dice.randrange(300))
                self.later.append((later, lambda now, number=row.pk: self._cancels(number, now)))

        return pays

    def _one_of(self, choices: tuple) -> str:
        return self.dice.choices([each for each, _n in choices], [n for _each, n in choices])[0]

    # ---- how ----

    def _pay(self, invoice: Invoice, *, way: str, means: str, at: datetime) -> None:
        if invoice.cash_paid == 0:
            paying.settle_free(invoice=invoice, by=None, now=at)
        elif means in self.gateways:
            self._scan(invoice, way=way, means=means, at=at)
        else:
            self._at_the_window(invoice, means=means, at=at)
        self.paid += 1

    def _scan(self, invoice: Invoice, *, way: str, means: str, at: datetime) -> None:
        shift = self.drawers.one(at) if way == "window" else None
        asks = {
            "invoice": invoice,
            "means": means,
            "way": way,
            "by": shift and shift.cashier,
            "shift": shift,
            "now": at,
        }
        gateway = self.gateways[means]
        codes = [paying.begin(**asks) for _scan in range(2 if self.dice.random() < TWICE else 1)]
        for payment in codes:
            at += timedelta(seconds=self.dice.randint(4, 40))
            if at.astimezone(clock.ZONE).hour == 23 and at.astimezone(clock.ZONE).minute > 55:
                gateway.shown[payment.order] = at + timedelta(minutes=10)
            said = gateway.pay(payment.order, at=at)
            if self.dice.random() >= LOST or clock.today(at) == self.today:
                paying.succeed(order=payment.order, said=said, now=at)
        self._move_on(at)
        if len(codes) > 1:
            self._send(invoice, at)

    def _at_the_window(self, invoice: Invoice, *, means: str, at: datetime) -> None:
        shift = self.drawers.one(at)
        asks = {"invoice": invoice, "way": "window", "by": shift.cashier, "shift": shift, "now": at}
        if means == "bank" and invoice.cash_paid > 20 and self.dice.random() < MIXED * 4:
            paying.take(means="cash", amount=Decimal(10), **asks)
        reference = "" if means == "cash" else f"{self.dice.randrange(10**12):012d}"
        paying.take(means=means, reference=reference, **asks)

    def _settles(self, invoice: Invoice, at: datetime) -> None:
        """As the insurance would answer: the estimate."""
        rule = self._rules[invoice.insurance]
        lines = list(invoice.lines.exclude(status__in=ChargeItem.GONE))
        held = [(line.amount, self._items.get(line.code)) for line in lines]
        priced = [Priced(amount, item.klass, item.own_percent) if item else Priced(amount) for amount, item in held]
        balance = Decimal(self.dice.randrange(0, 300)) if rule.account else Decimal(0)
        split = estimate(priced, fund_percent=rule.fund_percent, account_balance=balance)
        row = insuring.start(invoice=invoice, by=None, now=at)
        InsuranceSettlement.objects.filter(pk=row.pk).update(agreed_at=at)
        number = f"5301{at:%Y%m%d}{self.dice.randrange(10**10):010d}"
        insuring.settled(settlement=row, split=split, number=number, by=None, now=at)
        invoice.refresh_from_db()

    @cached_property
    def _rules(self) -> dict[str, InsuranceRule]:
        """The same all month."""
        return {kind: rules.insurance_rule(self.house.pk, kind, now=self.now) for kind in Patient.Insurance.values}

    @cached_property
    def _items(self) -> dict[str, InsuranceItem]:
        codes = list(InsuranceItem.objects.filter(organization=self.house).values_list("code", flat=True))
        return rules.insurance_items(self.house.pk, codes, now=self.now)

    def _owes(self, invoice: Invoice, at: datetime) -> bool:
        """After the visit; most pay within some days, on the phone. Who has not paid the last one in time must now."""
        try:
            crediting.put_on_credit(invoice=invoice, by=self.users["shoufei"], now=at)
        except Refused:
            return False
        if self.dice.random() < 0.6:
            later = at + timedelta(days=self.dice.randint(2, 9), minutes=self.dice.randrange(400))
            self.later.append((later, lambda now: self._pay(invoice, way="phone", means="wechat", at=now)))
        return True

    def _cancels(self, number: int, at: datetime) -> None:
        """In time, on the phone: what was paid goes back the way it came."""
        row = Appointment.objects.get(pk=number)
        changes.cancel(appointment=row, by=None, channel=row.channel, now=at)
        refunding.of_booking(kind="appointment", booking=number, reason="cancelled", by=None, now=at)
        line = ChargeItem.objects.filter(appointment=number).select_related("invoice").last()
        self._move_on(at)
        self._send(line.invoice, at)

    def _send(self, invoice: Invoice, at: datetime) -> None:
        for refund in Refund.objects.filter(payment__invoice=invoice, status="asked").exclude(payment__gateway=""):
            refunding.send(refund=refund, now=at)

    # ---- the gateways' days ----

    def _reconcile(self, day: date) -> None:
        """The next morning. An old sign of the till still brings money that nobody knows: one of them is left open."""
        days_ago, at = (self.today - day).days, clock.at(day + timedelta(days=1), BILL_AT)
        if days_ago in (1, 12, 21):
            amount = Decimal(self.dice.choice((15, 20, 50)))
            self.gateways["wechat"].stranger(amount=amount, at=clock.at(day, time(11, 7)))
        if at > self.now:
            return
        self._move_on(at)
        self._bring_to_the_bank(at)
        for code in self.gateways:
            if not Payment.objects.filter(gateway=code, organization=self.house).exists():
                continue
            with suppress(BillAway):
                row = reconciling.reconcile(organization_id=self.house.pk, gateway=code, day=day, now=at)
                if days_ago > 1 and row.status == row.Status.COMPARED:
                    self._look_at(row, at + timedelta(minutes=35))

    def _bring_to_the_bank(self, at: datetime) -> None:
        """Yesterday's drawers, and what the terminals' bank pays out."""
        for account, letter, kept in (("cash", "C", Decimal(0)), ("bank", "K", TERMINAL)):
            there = balance(account, organization=self.house.pk)
            if there > 0:
                fee = rounded(there * kept)
                depositing.deposit(
                    organization=self.house, account=account, amount=there - fee, fee=fee,
                    slip=f"{at:%Y%m%d}{letter}", by=self.users["caiwu"], now=at,
                )  # fmt: skip

    def _look_at(self, row, at: datetime) -> None:
        by = self.users["caiwu"]
        self._move_on(at)
        for difference in Difference.objects.filter(reconciliation=row, settled_at=None, cure="refund"):
            reconciling.send_back(difference=difference, by=by, now=at)
        with suppress(Refused):
            reconciling.close(reconciliation=row, by=by, now=at)
