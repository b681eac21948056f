"""The simulated insurance as a process of its own, behaving badly; and a worker of ours that dies in the middle."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal as Yuan

import pytest
from django.db import connections

from appointments import invariants
from billing.gateways import links
from billing.models import InsuranceStep, MoneyCase
from billing.selectors import insured as selectors
from billing.services import insurance_choosing as choosing
from billing.services import jobs, paying
from hospital.embedded.folders import PROJECT
from hospital.models import Delivery
from tests.factories import NOW, StaffFactory
from tests.faults.jobs import await_that

from .conftest import Insurance
from .house import CARD, basket_of, facts, insured, rules

pytestmark = [pytest.mark.django_db, pytest.mark.faults]
SOON, LATER = NOW + timedelta(seconds=10), NOW + timedelta(seconds=100)


class Process(Insurance):
    """The simulator, started and ended by the test."""

    def __init__(self, folder):
        self.folder = folder
        self.start()

    def start(self, port: int = 0):
        command = [sys.executable, "-m", "simulators.insurance", str(self.folder), "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[1].removesuffix("/fsi/api")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def end(self, sign=signal.SIGTERM):
        self.process.send_signal(sign)
        self.process.wait(5)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def _process(tmp_path_factory):
    there = Process(tmp_path_factory.mktemp("insurance"))
    yield there
    there.end()


@pytest.fixture
def house(_process, settings):
    """Reached as an installation reaches it: by its file. A call waits a second."""
    text = (_process.folder / "links.toml").read_text()
    (_process.folder / "ours.toml").write_text(text + "seconds = 1\n")
    settings.INSURANCE_LINKS = str(_process.folder / "ours.toml")
    links.file.forget()
    _process.at(NOW), _process.behave("well")
    _process.person(CARD, insured={"310": "1"}, balance="5.00")
    rules(code="G")
    yield _process
    links.file.forget()


def panel(invoice, now=NOW):
    invoice.refresh_from_db()
    return selectors.panel(invoice, where="phone", now=now)


def shown():
    _rows, invoice = basket_of(insured())
    choosing.begin(invoice=invoice, way="phone", by=None, now=NOW)
    return invoice


def agree(invoice):
    choosing.agree(invoice=invoice, seen=panel(invoice).split.cash, by=None, now=NOW)
    return panel(invoice)


def tried(invoice, step):
    return InsuranceStep.objects.get(settlement__invoice=invoice, step=step).tries


@pytest.mark.parametrize("how", ["fail_after", "garbled", "twice", "down"])
def test_whatever_becomes_of_the_answer_it_is_settled_once(house, how):
    """It did it and fell over; half an answer; two answers; none at all: looked up, and asked again only if need be."""
    invoice, before = shown(), house.calls().get("2207", 0)
    house.behave(how, "2207")
    at_once = agree(invoice)
    if how == "twice":
        assert at_once.state == "settled"
    else:
        assert (at_once.state, at_once.means_open, invoice.fund_paid) == ("settling", False, 0)
        jobs.catch_up(now=NOW)
        assert tried(invoice, "2207") == 1  # not before its time
        jobs.catch_up(now=SOON)
        assert panel(invoice, SOON).state == "settled"
    assert (invoice.fund_paid, invoice.account_paid, invoice.cash_paid) == (28, 5, 7)
    assert house.calls()["2207"] - before == (2 if how == "down" else 1)
    choosing.decline(invoice=invoice, by=None, now=SOON)  # the personal account is whole for the next test
    assert invariants.violations(now=NOW) == []


def test_slower_than_we_wait(house):
    invoice = shown()
    house.behave("slow", "2207", seconds=1.2)
    began = time.monotonic()
    assert agree(invoice).state == "settling"
    assert time.monotonic() - began < 2
    jobs.catch_up(now=SOON)
    assert (panel(invoice, SOON).state, invoice.settlements.count()) == ("settled", 1)
    choosing.decline(invoice=invoice, by=None, now=SOON)


def test_when_it_is_down_cash_is_offered_and_what_was_begun_is_taken_back_later(house, wechat, client):
    house.behave("down", "2204", times=9)
    invoice = shown()
    assert (panel(invoice).state, panel(invoice).moving) == ("away", True)
    page = client.get(f"/pay/{invoice.token}/").content.decode()
    assert "医保系统暂时没有响应，还没有结算。" in page
    assert "先全额自费付款" in page
    choosing.decline(invoice=invoice, by=None, now=NOW)
    assert panel(invoice).means_open
    payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=NOW)
    assert payment.amount == Yuan("40.00")

    house.behave("well", "2204")
    jobs.catch_up(now=LATER)
    undone = InsuranceStep.objects.filter(settlement__invoice=invoice, outcome="done").values_list("step", flat=True)
    assert {"2205", "2202"} <= set(undone)
    assert invariants.violations(now=NOW) == []


def test_who_does_not_wait_for_the_answer_pays_all_and_the_insurance_takes_it_back(house, wechat):
    invoice = shown()
    house.behave("fail_after", "2207")
    agree(invoice)
    choosing.decline(invoice=invoice, by=None, now=NOW)
    assert (panel(invoice).state, invoice.cash_paid) == ("reversing", 40)
    jobs.catch_up(now=SOON), facts(SOON), jobs.catch_up(now=LATER)
    assert (panel(invoice, LATER).state, panel(invoice, LATER).means_open) == ("declined", True)
    settlement = invoice.settlements.get()
    assert (settlement.status, settlement.settled_at, bool(settlement.number)) == ("reversed", None, True)
    assert invariants.violations(now=NOW) == []


def test_an_answer_that_does_not_add_up_is_taken_back_and_kept_for_the_office(house):
    invoice = shown()
    house.behave("wrong_sum", "2207")
    agree(invoice)
    assert (panel(invoice).state, invoice.fund_paid, invoice.settlements.get().status) == ("choose", 0, "reversed")
    assert MoneyCase.objects.get().kind == "unsettled"
    house.behave("wrong_sum", "2206")
    choosing.begin(invoice=invoice, way="phone", by=None, now=NOW)
    assert "对不上" in panel(invoice).refusal


def test_an_answer_that_does_not_add_up_is_not_asked_for_again_by_itself(house):
    invoice = shown()
    house.behave("wrong_sum", "2207", times=3)
    agree(invoice)
    facts(SOON), jobs.catch_up(now=SOON), facts(LATER)
    house.behave("well", "2207")
    assert (invoice.settlements.count(), panel(invoice, LATER).state) == (1, "choose")
    assert not Delivery.objects.filter(done_at=None).exists()


def test_a_reversal_whose_answer_is_lost_is_found_out_over_a_restart(house):
    invoice = shown()
    agree(invoice)
    house.behave("fail_after", "2208")
    choosing.decline(invoice=invoice, by=None, now=NOW)
    assert (panel(invoice).state, panel(invoice).means_open) == ("reversing", False)
    port = house.port
    house.end(signal.SIGKILL)
    house.start(port), house.at(NOW)
    (house.folder / "ours.toml").write_text((house.folder / "links.toml").read_text() + "seconds = 1\n")
    links.file.forget()
    jobs.catch_up(now=SOON)
    assert (panel(invoice, SOON).state, invoice.settlements.get().status) == ("declined", "reversed")
    assert tried(invoice, "2208") == 2


def test_what_the_insurance_will_not_take_back_is_the_offices_and_the_person_goes_on(house, wechat):
    """It settled, nobody waited for it, and it refuses to reverse: not in our books, and finance has it."""
    invoice = shown()
    house.behave("fail_after", "2207")
    agree(invoice)
    choosing.decline(invoice=invoice, by=None, now=NOW)
    house.behave("refuse", "2208", code="S8")
    jobs.catch_up(now=SOON)
    assert (panel(invoice, SOON).state, panel(invoice, SOON).given_up, invoice.cash_paid) == ("declined", True, 40)
    payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=SOON)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    case = MoneyCase.objects.get()
    choosing.ask_again(settlement=invoice.settlements.get(), by=StaffFactory(roles="finance"), now=SOON)
    jobs.catch_up(now=LATER)
    case.refresh_from_db(), invoice.refresh_from_db()
    assert (case.kind, case.settled_at, invoice.status) == ("unsettled", LATER, "paid")
    assert invariants.violations(now=NOW) == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_the_settlement_and_our_commit_is_followed_by_the_next(house, wechat):
    invoice, before = shown(), house.calls().get("2207", 0)
    house.behave("late", "2207", seconds=5)
    connections.close_all()
    worker = os.fork()
    if not worker:
        try:
            agree(invoice)
        finally:
            os._exit(1)
    await_that(lambda: house.calls().get("2207", 0) > before, seconds=10)
    time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)

    assert (panel(invoice).state, tried(invoice, "2207")) == ("settling", 1)
    jobs.catch_up(now=SOON)
    assert panel(invoice, SOON).state == "settling"  # it may still be asking
    jobs.catch_up(now=LATER)
    assert (panel(invoice, LATER).state, invoice.cash_paid, house.calls()["2207"]) == ("settled", 7, before + 1)
    assert invariants.violations(now=NOW) == []
