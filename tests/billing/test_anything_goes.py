"""M8: people hold numbers and exams, scan, pay, cancel; callbacks come twice, late, out of order or never; the gateway
is away; workers die between steps. Whatever the order: the journal balances, no number is confirmed unpaid unless on
credit, no yuan is without an owner, and never more is given back than was paid."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal as Yuan
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from appointments.invariants import INVARIANTS
from appointments.models import Appointment
from appointments.selectors import rules as booking_rules
from appointments.selectors import schedules, soldout
from appointments.services import booking, changes, supply
from billing import invariants as ours
from billing.gateways import ports
from billing.models import ChargeItem, InsuranceSettlement, Invoice, MoneyCase, Payment, Refund
from billing.policies.paying import Said
from billing.policies.splitting import Split, shared
from billing.selectors import rules
from billing.selectors.ledger import balance
from billing.services import crediting, insuring, invoicing, jobs, paying, refunding
from exams.models import ExamBooking
from exams.services import booking as exams
from exams.services import holds
from hospital import outbox
from hospital.errors import Refused
from tests.factories import (
    NOW,
    ExamRequestFactory,
    PatientFactory,
    exam_variant,
    open_device,
    open_schedule,
)
from tests.factories.billing import ScriptedGateway, credit_for, pays_first

ANY = st.integers(min_value=0, max_value=50)
AWAY = st.sampled_from(["", "", "", "before", "after"])


class Killed(BaseException):
    """The worker died here."""


class Money(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        _forget_rules()
        pays_first()
        self.now = NOW
        self.gateway = ScriptedGateway()
        ports.register("payment", self.gateway)
        self.schedules = [open_schedule(numbers=3), open_schedule(numbers=3)]
        self.people = [PatientFactory(), PatientFactory(insurance="employee"), PatientFactory()]
        credit_for(self.people[0], limit="30.00")
        variant = exam_variant()
        self.asked = [ExamRequestFactory(patient=each, variant=variant) for each in self.people]
        self.device = open_device(variant)
        self.rows: list[Appointment | ExamBooking] = []
        self.told: list[tuple[str, Said]] = []

    def teardown(self):
        """In the end every callback came or was asked for, and all is settled."""
        self.gateway.away.clear()
        self.gateway.refuses.clear()
        for _round in range(3):
            self.now += timedelta(hours=2)
            self.tick()
            jobs.catch_up(now=self.now)
            self.facts()
            self.the_insurance_answers()
            for invoice in Invoice.objects.filter(status="owed", insurance="employee"):
                self.settle(invoice)
        self.all_is_settled()
        ports.forget("payment", "wechat")
        _forget_rules()
        self.block.__exit__(RuntimeError, RuntimeError(), None)

    @rule(
        who=ANY, which=ANY, number=st.sampled_from([1, 2, 3]), channel=st.sampled_from(["web", "consult"]),
        scans=st.integers(min_value=0, max_value=2),
    )  # fmt: skip
    def hold(self, who, which, number, channel, scans):
        with suppress(Refused):
            self.rows.append(
                booking.book(
                    schedule=self.schedules[which % 2], patient=self.people[who % 3], channel=channel, by=None,
                    request_key=None, number=number, basket=self.basket(who), now=self.now,
                )
            )  # fmt: skip
            for _scan in range(scans):
                self.scan(which=len(self.rows) - 1, away="")

    @rule(who=ANY, place=st.integers(min_value=0, max_value=2), channel=st.sampled_from(["app", "consult"]))
    def hold_exam(self, who, place, channel):
        """On one invoice with what the person holds in that sitting."""
        request = self.asked[who % 3]
        start = self.device.sessions.get().during.lower + timedelta(minutes=60 * place)
        with suppress(Refused):
            request.refresh_from_db()
            self.rows.append(
                exams.hold_one(
                    request=request, device=self.device, start=start, channel=channel, by=None,
                    basket=self.basket(who), now=self.now,
                )
            )  # fmt: skip

    def basket(self, who) -> UUID:
        """A person's sitting is over after a quarter of an hour."""
        sitting = int(self.now.timestamp()) // 900
        return UUID(int=sitting * 10 + who % 3)

    @precondition(lambda self: self.rows)
    @rule(which=ANY, away=AWAY)
    def scan(self, which, away):
        with suppress(Refused):
            invoice = invoicing.open_for_booking(booking=self.row(which), by=None, now=self.now)
            self.gateway.away = [away]
            paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=self.now)

    @precondition(lambda self: self.rows)
    @rule(which=ANY)
    def confirm_without_paying(self, which):
        row = self.row(which)
        with suppress(Refused):
            if isinstance(row, ExamBooking):
                exams.confirm(booking=row, by=None, now=self.now)
            else:
                changes.confirm(appointment=row, by=None, now=self.now)

    @precondition(lambda self: self.rows)
    @rule(which=ANY)
    def on_credit(self, which):
        with suppress(Refused):
            invoice = invoicing.open_for_booking(booking=self.row(which), by=None, now=self.now)
            crediting.put_on_credit(invoice=invoice, by=None, now=self.now)

    @precondition(lambda self: self.rows)
    @rule(which=ANY)
    def insure(self, which):
        with suppress(Refused):
            self.settle(invoicing.open_for_booking(booking=self.row(which), by=None, now=self.now))

    @rule(who=ANY, which=ANY, number=st.sampled_from([1, 2, 3]), insured=st.booleans())
    def go_through(self, who, which, number, insured):
        """What most people do, all of it."""
        before = len(self.rows), len(self.gateway.orders)
        self.hold(who=who, which=which, number=number, channel="web", scans=0)
        if len(self.rows) == before[0]:
            return
        if insured:
            self.insure(which=len(self.rows) - 1)
        self.scan(which=len(self.rows) - 1, away="")
        if len(self.gateway.orders) > before[1]:
            order = list(self.gateway.orders)[-1]
            self.told.append((order, self.gateway.pay(order)))
            paying.succeed(order=order, said=self.told[-1][1], now=self.now)

    def settle(self, invoice):
        """The fund bears a third, to the fen."""
        with suppress(Refused):
            row = insuring.start(invoice=invoice, by=None, now=self.now)
            fund, rest = shared(row.total, [Yuan(1), Yuan(2)])
            split = Split(fund=fund, account=Yuan(0), cash=rest)
            insuring.settled(settlement=row, split=split, number=f"S{row.pk}", by=None, now=self.now)

    @rule()
    def the_insurance_answers(self):
        """Whatever the job that asks has put off: there is no insurance in this process."""
        for step in insuring.to_ask(now=self.now + timedelta(days=1)):
            insuring.answered(step=step, outcome="done", now=self.now)
            insuring.reversed_(settlement=step.settlement, by=None, now=self.now)

    @precondition(lambda self: self.waiting())
    @rule(which=ANY, many=st.integers(min_value=1, max_value=4))
    def pay(self, which, many):
        for _one in range(min(many, len(self.waiting()))):
            order = self.waiting()[which % len(self.waiting())]
            self.told.append((order, self.gateway.pay(order)))

    @precondition(lambda self: self.told)
    @rule(which=ANY, dies=st.sampled_from(["", "", "deliver", "give_back_too_much", "_deliver"]))
    def callback(self, which, dies):
        """Any of those that were ever sent, so also twice, late and out of order."""
        order, said = self.told[which % len(self.told)]
        home = {"deliver": paying.delivering, "_deliver": paying.delivering, "give_back_too_much": refunding}.get(dies)
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            if home:
                patch.setattr(home, dies, _dies)
            paying.succeed(order=order, said=said, now=self.now)

    @precondition(lambda self: self.told)
    @rule(which=ANY)
    def wrong_amount(self, which):
        order, said = self.told[which % len(self.told)]
        paying.succeed(order=order, said=Said(said.amount + 1, said.reference + "x"), now=self.now)

    @precondition(lambda self: self.rows)
    @rule(which=ANY)
    def cancel(self, which):
        row = self.row(which)
        if isinstance(row, ExamBooking):
            self.cancel_exam(row)
            return
        with suppress(Refused):
            (changes.drop if row.status == "pending" else changes.cancel)(
                appointment=row, by=None, now=self.now, **({} if row.status == "pending" else {"channel": "counter"})
            )

    def cancel_exam(self, row):
        with suppress(Refused):
            if row.status == "pending":
                exams.drop(booking=row, by=None, now=self.now)
            else:
                exams.cancel(booking=row, by=None, channel="counter", hospital=True, now=self.now)

    @rule(minutes=st.sampled_from([1, 1, 4, 20]))
    def tick(self, minutes=1):
        self.now += timedelta(minutes=minutes)
        supply.lapse_holds(now=self.now)
        holds.lapse(now=self.now)

    @rule()
    def facts(self):
        outbox.fan_out(now=self.now)
        while outbox.deliver(now=self.now):
            pass

    @rule(away=st.lists(AWAY, max_size=4), refuses=st.booleans())
    def work(self, away, refuses):
        self.gateway.away = away
        self.gateway.refuses = {"refund"} if refuses else set()
        jobs.catch_up(now=self.now)

    def row(self, which) -> Appointment | ExamBooking:
        row = self.rows[which % len(self.rows)]
        with_its = ("request", "variant") if isinstance(row, ExamBooking) else ("slot", "schedule")
        return type(row).objects.select_related(*with_its).get(pk=row.pk)

    def waiting(self) -> list[str]:
        return [order for order, row in self.gateway.orders.items() if row["state"] == ports.State.WAITING]

    @invariant()
    def the_database_agrees(self):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for each in ours.INVARIANTS:
                assert each in INVARIANTS
                cursor.execute(each.broken, {"late": NOW - timedelta(minutes=10)})
                assert cursor.fetchall() == [], each.name

    @invariant()
    def no_number_is_confirmed_unpaid(self):
        """Unless on credit. The house's invariants ask the same of the database, whatever the day."""
        numbers = Appointment.objects.filter(status="booked", fee__gt=0)
        for row in [*numbers, *ExamBooking.objects.filter(status="booked", fee__gt=0)]:
            line = row.charges.exclude(status__in=ChargeItem.GONE).get()
            assert line.status in ("paid", "confirmed") or line.earned_at, row.pk

    def all_is_settled(self):
        taken = sum(row["amount"] for row in self.gateway.orders.values() if row["state"] == ports.State.DONE)
        back = sum(row["amount"] for row in self.gateway.refunds.values())
        owed = sum(row.amount for row in Refund.objects.filter(status="refused"))
        assert balance("wechat") - Yuan(-balance("unowned")) == taken - back
        assert -balance("refunds_due") == owed
        assert balance("deposits") == 0
        assert not Payment.objects.filter(status="pending").exists()
        assert not ChargeItem.objects.filter(status__in=["paid", "returning"]).exists()
        gone = ChargeItem.objects.filter(status="open")
        assert not gone.filter(appointment__status="cancelled").exists()
        assert not gone.filter(exam__status="cancelled").exists()
        cases = MoneyCase.objects.filter(settled_at=None, kind="amount")
        assert -balance("unowned") == sum(case.amount for case in cases)  # no yuan without an owner
        held = sum(line.amount for line in ChargeItem.objects.filter(status="confirmed"))
        borne = sum(row.fund_paid for row in InsuranceSettlement.objects.filter(status="settled"))
        assert balance("fund_due") == borne
        assert taken - back - owed + borne == held
        assert not Invoice.objects.filter(status="open", payments__status="succeeded").exists()


def _forget_rules():
    """What the process keeps for some seconds is of the example before."""
    for kept in (rules, booking_rules, schedules, soldout):
        kept.forget()


def _dies(*_args, **_kwargs):
    raise Killed


@pytest.mark.django_db
def test_money_is_right_whatever_happens():
    quick = settings(
        max_examples=4, stateful_step_count=20, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), derandomize=True,
    )  # fmt: skip
    run_state_machine_as_test(Money, settings=quick)
