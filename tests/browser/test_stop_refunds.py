"""A stop gives thirty patients their money back (M6, B13): the office stops a session on its own page; mixed payments
are unwound in their order, the insurance's part first; what the gateway refuses is tried again, cash is fetched.
"""

from collections import Counter
from datetime import timedelta
from decimal import Decimal as Yuan

import pytest
import time_machine
from playwright.sync_api import expect

from appointments import invariants
from appointments.models import Appointment
from appointments.services import stops
from billing.gateways import ports
from billing.models import Invoice, Refund
from billing.policies.splitting import Split
from billing.selectors import sums
from billing.selectors.ledger import balance
from billing.services import insuring, jobs
from hospital.models import Message
from tests.billing.giving.scenes import hold, in_cash, invoice_of, paid, texts
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.factories import NOW, AccountFactory, PatientFactory, RelatedPersonFactory, StaffFactory, open_schedule
from tests.factories.billing import ScriptedGateway, ShiftFactory, pays_first
from tests.stops.scenes import IN_A_WEEK, case_of, doctor, link_of, practitioner, work

PHONE = (390, 844)
PHONES, MIXED, INSURED = range(1, 23), range(23, 29), range(29, 31)
"""Numbers: paid on the phone; part in cash, the rest on the phone; borne by the insurance but for 3 yuan."""


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def wechat():
    gateway = ScriptedGateway("wechat")
    ports.register("payment", gateway)
    yield gateway
    ports.forget("payment", "wechat")


class Clinic:
    """Thirty people who paid for one session."""

    def __init__(self, wechat):
        pays_first()
        self.drawer = ShiftFactory()
        role = doctor(practitioner=practitioner(name="王建国", title="副主任医师"))
        self.session = open_schedule(role=role, day=IN_A_WEEK, numbers=32)
        self.rows = [self._booked(number, wechat) for number in (*PHONES, *MIXED, *INSURED)]
        work()

    def _booked(self, number: int, wechat):
        insured = number in INSURED
        patient = PatientFactory(insurance="employee" if insured else "none")
        row = hold(patient, schedule=self.session, number=number)
        if number in MIXED:
            in_cash(row, self.drawer, amount="12.50")
        if insured:
            settlement = insuring.start(invoice=invoice_of(row), by=None, now=NOW)
            split = Split(Yuan("12.00"), Yuan("5.00"), Yuan("3.00"))
            insuring.settled(settlement=settlement, split=split, number=f"S{number}", by=None, now=NOW)
        paid(row, wechat)
        return row


def rounds(now) -> None:
    """The worker's: facts, gateways, the insurance's reversals, facts of those, messages."""
    work(now)
    for step in insuring.to_ask(now=now):
        insuring.answered(step=step, outcome="done", now=now)
        insuring.reversed_(settlement=step.settlement, by=None, now=now)
    work(now)
    jobs.catch_up(now=now)
    work(now)


def test_a_stop_of_a_session_gives_thirty_patients_their_money_back(wechat, open_as, axe):
    clinic = Clinic(wechat)
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}
    first = clinic.rows[0]
    account = AccountFactory()
    RelatedPersonFactory(account=account, patient=first.patient)

    office = open_as(StaffFactory(roles="office"), f"/office/stops/new/?schedule={clinic.session.pk}")
    office.get_by_label("事由").select_option("illness")
    office.get_by_label("说明（患者看不到）").fill("发烧")
    office.get_by_role("button", name="确认，并通知 30 位患者").click()
    expect(office.locator("#board")).to_contain_text("0 / 30")
    soon = NOW + timedelta(minutes=1)
    work(soon)

    wechat.refuses = {"refund"}
    answer = open_as(None, link_of(case_of(first)), size=PHONE)
    answer.get_by_role("link", name="退号").click()
    answer.get_by_role("button", name="确定退号").click()
    expect(answer.get_by_role("status")).to_contain_text("已退号")
    rounds(soon + timedelta(minutes=1))
    wechat.refuses = set()

    start = clinic.session.starts_at + timedelta(hours=4)  # the visits' times have come: who never answered
    stops.follow_up(now=start)
    rounds(start)
    office.reload()
    board = office.locator(".stopmoney")
    expect(board).to_contain_text("退费 36 笔 ¥566.00")
    for said in ("已退 29", "待窗口领取 6", "渠道拒绝 1"):
        expect(board).to_contain_text(said)
    axe(office)
    shot(office, "office-stop-refunds")

    finance = open_as(StaffFactory(roles="finance"), "/refunds/")
    expect(finance.get_by_role("row")).to_have_count(2)
    axe(finance)
    finance.get_by_role("row").last.get_by_role("link").click()
    axe(finance)
    finance.get_by_role("button", name="再退一次").click()
    expect(finance.get_by_role("status").first).to_contain_text("已原路退回")

    till = open_as(clinic.drawer.cashier, "/refunds/?kind=by_hand")
    expect(till.get_by_role("row")).to_have_count(7)
    assert sideways(till) == 0
    shot(till, "refunds")
    till.get_by_role("row").nth(1).get_by_role("link").click()
    till.get_by_label("现金").check()
    till.get_by_label("已核对领款人的证件").check()
    till.get_by_role("button", name="退给患者 ¥12.50").click()
    expect(till.get_by_role("status").first).to_contain_text("已退给患者 ¥12.50")
    work(start + timedelta(minutes=1))

    phone = open_as(account, f"/bookings/{first.pk}/", size=PHONE)
    expect(phone.get_by_role("region", name="退费")).to_contain_text("已退：微信支付")
    assert sideways(phone) == 0
    axe(phone)
    assert [page.troubles for page in (office, answer, finance, till, phone)] == [[], [], [], [], []]

    assert Counter(Refund.objects.values_list("means", "amount", "reason", "status")) == {
        ("wechat", Yuan("20.00"), "stopped", "done"): 22,
        ("wechat", Yuan("7.50"), "stopped", "done"): 6,
        ("cash", Yuan("12.50"), "stopped", "done"): 1,
        ("cash", Yuan("12.50"), "stopped", "asked"): 5,
        ("wechat", Yuan("3.00"), "stopped", "done"): 2,
    }
    assert set(Invoice.objects.values_list("status", flat=True)) == {"refunded"}
    assert {sums.of(invoice).held for invoice in Invoice.objects.all()} == {0}
    assert balance("wechat") == balance("deposits") == balance("fund_due") == balance("income_visit") == 0
    assert balance("refunds_due") == -5 * Yuan("12.50")
    assert Message.objects.filter(template="money.back", channel="sms", status="sent").count() == 30
    told = [text.split("|")[0] for text in texts(first.patient)]
    assert told == ["缴费成功", "退费 20.00 元，原路退回", "退费没有退成，正在处理", "退费已办妥"]
    assert invariants.violations(now=NOW) == []
