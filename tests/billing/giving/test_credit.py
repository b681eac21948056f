"""M4: pay after the visit: agreed, used, paid at once for all, chased by the rule, and then only prepaid."""

from datetime import timedelta
from decimal import Decimal as Yuan

import pytest

from appointments.services import changes, supply
from billing import personal_data
from billing.errors import CreditNotOffered, CreditOverdue, NoCredit, NothingToPay
from billing.models import CreditAgreement, Dunning, Invoice, MoneyCase, PaymentRule
from billing.policies import dunning as policy
from billing.policies.gathering import Owed, gathered
from billing.selectors import credit, rules, sums
from billing.selectors.ledger import balance
from billing.services import (
    agreements,
    crediting,
    delivering,
    dunning,
    following,
    gathering,
    invoicing,
    jobs,
    paying,
    refunding,
)
from hospital import patient_index, prepaid
from hospital.models import AuditEvent
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory, StaffFactory
from tests.factories.billing import credit_for, pays_first

from .scenes import SOON, hold, invoice_of, owed, sound, texts, told, work

pytestmark = pytest.mark.django_db
LATE = NOW + timedelta(days=11)
LONG_AFTER = NOW + timedelta(days=31)


@pytest.fixture
def patient(db):
    pays_first()
    return PatientFactory(name="钱进")


def sign(patient, **more):
    said = {"by": StaffFactory(), "now": NOW, "where": "window", **more}
    return agreements.sign(patient=patient, organization=OrganizationFactory(), **said)


def test_what_is_signed_has_the_limit_and_days_of_the_rule_and_the_person_is_told(patient):
    row = sign(patient)
    assert (row.limit, row.days, row.effective_from) == (Yuan("1000.00"), 10, TODAY)
    assert sign(patient).pk == row.pk
    assert AuditEvent.objects.filter(action="credit.signed", patient=patient).count() == 1
    work()
    [text] = texts(patient)
    assert "额度1000.00元，就诊后10天内付清" in text

    agreements.end(patient=patient, organization=row.organization, by=StaffFactory(), where="phone", now=NOW)
    assert rules.credit_of(patient.pk, organization_id=row.organization_id, now=NOW)
    assert rules.credit_of(patient.pk, organization_id=row.organization_id, now=NOW + timedelta(days=1)) is None
    assert sign(patient).effective_to is None


def test_other_numbers_of_the_rule_begin_with_a_new_signature_and_a_house_may_offer_none(patient):
    credit_for(patient, limit="500.00")
    row = sign(patient)
    assert (row.limit, row.effective_from) == (Yuan("1000.00"), TODAY)
    assert CreditAgreement.objects.filter(patient=patient).count() == 2
    PaymentRule.objects.update(credit_limit=0)
    rules.forget()
    with pytest.raises(CreditNotOffered):
        sign(PatientFactory())
    with pytest.raises(NoCredit):
        crediting.put_on_credit(invoice=invoice_of(hold(patient)), by=None, now=NOW)


def test_without_a_rule_a_free_clinic_offers_no_credit(db):
    with pytest.raises(CreditNotOffered):
        sign(PatientFactory())


def test_who_is_on_credit_hears_how_much_and_until_when(patient):
    owed(patient, days=20)
    work()
    [(template, said)] = told(patient)
    assert (template, said["amount"]) == ("money.owed", "20.00")
    assert "看诊、检查时不用付钱" in texts(patient)[0]


def test_all_that_is_owed_is_one_invoice_paid_by_one_scan(patient, wechat):
    """M4: one settlement at the end; the journal says the same before and after it was brought together."""
    first, second, third = (owed(patient, days=days) for days in (20, 28, 12))
    Invoice.objects.filter(pk=second.pk).update(due_at=first.due_at - timedelta(days=1))
    house = OrganizationFactory()
    taker = gathering.gather(patient=patient, organization=house, by=None, now=NOW)
    assert gathering.gather(patient=patient, organization=house, by=None, now=NOW).pk == taker.pk == second.pk
    assert (taker.total, taker.lines.count()) == (Yuan("60.00"), 3)
    assert set(Invoice.objects.exclude(pk=taker.pk).values_list("status", flat=True)) == {"void"}
    assert balance("patient_due", invoice=taker) == balance("patient_due") == 60
    assert balance("income_visit") == -60
    sound()

    payment = paying.begin(invoice=taker, means="wechat", way="kiosk", by=None, now=SOON)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    taker.refresh_from_db()
    assert (taker.status, set(taker.lines.values_list("status", flat=True))) == ("paid", {"confirmed"})
    assert balance("patient_due") == balance("deposits") == 0
    work()
    assert [template for template, _said in told(patient)] == ["money.paid"]
    sound()


def test_a_code_of_an_invoice_that_went_onto_another_gives_the_money_back(patient, wechat):
    first, _second = (owed(patient, days=days) for days in (20, 28))
    Invoice.objects.filter(pk=first.pk).update(due_at=first.due_at + timedelta(days=1))
    old = paying.begin(invoice=first, means="wechat", way="phone", by=None, now=NOW)
    said = wechat.pay(old.order)
    gathering.gather(patient=patient, organization=OrganizationFactory(), by=None, now=NOW)
    paying.succeed(order=old.order, said=said, now=SOON)
    work()
    first.refresh_from_db()
    assert (first.status, len(wechat.refunds), balance("patient_due")) == ("refunded", 1, 40)
    assert told(patient)[-1][1]["origin"] == [["wechat", "20.00"]]
    sound()


def _owed(invoice, **more):
    said = {"insurance": "none", "due_at": NOW, "clean": True, "insured": False, **more}
    return Owed(invoice=invoice, **said)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], None),
        ([_owed(1)], None),
        ([_owed(1), _owed(2)], (1, [2])),
        ([_owed(1), _owed(2, due_at=NOW - timedelta(days=1))], (2, [1])),
        ([_owed(1), _owed(2, clean=False)], (2, [1])),  # a part is paid: it may take, it does not go
        ([_owed(1), _owed(2, insured=True)], None),
        ([_owed(1), _owed(2, insurance="employee")], None),
        ([_owed(1, insured=True), _owed(2), _owed(3)], (2, [3])),
    ],
)
def test_which_invoices_are_brought_together(rows, found):
    assert gathered(rows) == found


def test_a_crash_after_it_was_put_on_credit_leaves_nobody_untold(patient, monkeypatch):
    """The worker dies between the debt and the confirmation: the job confirms, and both are told."""
    credit_for(patient)
    row = hold(patient)
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "confirm_on_credit", _killed)
        with pytest.raises(KeyboardInterrupt):
            crediting.put_on_credit(invoice=invoice_of(row), by=None, now=NOW)
    row.refresh_from_db()
    assert (row.status, jobs.catch_up(now=SOON)) == ("pending", 1)
    row.refresh_from_db()
    assert row.status == "booked"
    assert jobs.catch_up(now=SOON) == 0
    work()
    assert [template for template, _said in told(patient)] == ["money.owed"]
    sound()


def _killed(**_kwargs):
    raise KeyboardInterrupt


def test_a_crash_whose_hold_ran_out_says_that_nothing_is_owed(patient, monkeypatch):
    credit_for(patient)
    row = hold(patient)
    invoice = invoice_of(row)
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "confirm_on_credit", _killed)
        with pytest.raises(KeyboardInterrupt):
            crediting.put_on_credit(invoice=invoice, by=None, now=NOW)
    after = NOW + timedelta(hours=1)
    supply.lapse_holds(now=after)
    work(after)
    invoice.refresh_from_db()
    assert (invoice.status, balance("patient_due"), balance("income_visit")) == ("void", 0, 0)
    assert [(template, said["amount"]) for template, said in told(patient)] == [("money.less", "20.00")]
    assert "没能为您保留下来" in texts(patient)[0]
    sound()


@pytest.mark.parametrize(
    ("past", "sent", "step"), [(-1, 0, None), (0, 0, 1), (0, 1, None), (3, 1, 2), (6, 2, None), (9, 0, 3), (9, 3, None)]
)
def test_the_days_of_the_rule_say_which_message_is_due(past, sent, step):
    """One that was missed is not made up for by several at once."""
    found = policy.step_due(TODAY, days=[0, 3, 7], sent=sent, today=TODAY + timedelta(days=past))
    assert found == step


def test_nothing_is_due_where_the_rule_names_no_days():
    assert policy.step_due(TODAY, days=[], sent=0, today=TODAY + timedelta(days=99)) is None


def test_who_is_overdue_hears_it_once_a_step_for_all_of_it_and_the_office_after_the_last(patient, wechat):
    invoices = [owed(patient, days=days) for days in (20, 28)]
    assert dunning.dun(now=NOW + timedelta(days=9)) == 0
    for day, told_now in ((10, 0), (11, 1), (11, 0), (12, 0), (13, 1), (17, 1), (30, 0)):
        assert dunning.dun(now=NOW + timedelta(days=day, minutes=1)) == told_now
    assert list(Dunning.objects.filter(invoice=invoices[0]).values_list("step", flat=True)) == [1, 2, 3]
    work(LONG_AFTER)
    said = [said for template, said in told(patient) if template == "money.overdue"]
    assert [(one["amount"], one["count"]) for one in said] == [("40.00", 2)] * 3
    assert MoneyCase.objects.filter(kind="due", settled_at=None).count() == 2

    taker = gathering.gather(patient=patient, organization=OrganizationFactory(), by=None, now=LONG_AFTER)
    payment = paying.begin(invoice=taker, means="wechat", way="phone", by=None, now=LONG_AFTER)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LONG_AFTER)
    work(LONG_AFTER)
    assert not MoneyCase.objects.filter(kind="due", settled_at=None).exists()
    sound()


def test_one_person_whose_message_fails_keeps_nobody_else_from_hearing_and_hears_the_next_time(patient, monkeypatch):
    owed(patient, days=20), owed(PatientFactory(), days=28)
    tell = dunning.money_notices.tell_overdue

    def fails_once(*, patient, **about):
        monkeypatch.setattr(dunning.money_notices, "tell_overdue", tell)
        raise RuntimeError

    monkeypatch.setattr(dunning.money_notices, "tell_overdue", fails_once)
    assert [dunning.dun(now=LATE) for _round in range(3)] == [1, 1, 0]


def test_what_is_owed_at_one_house_says_nothing_at_another(patient):
    owed(patient, days=20)
    at = {house: OrganizationFactory(code=house).pk for house in ("H1", "H2")}
    found = [sums.owed_on_credit(patient.pk, organization_id=at[house], now=LATE) for house in at]
    assert found == [(20, True), (0, False)]


def test_a_message_of_debt_is_not_sent_when_it_is_paid_meanwhile(patient, wechat):
    invoice = owed(patient, days=20)
    dunning.dun(now=LATE)
    payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=LATE)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LATE)
    work(LATE)
    sent = patient.messages.filter(status="sent", channel="sms").values_list("template", flat=True)
    assert [template for template in sent if template.startswith("money")] == ["money.paid"]


def test_who_is_overdue_pays_first_wherever_they_book_alone(patient):
    """M4: no more credit, and prepaid on the phone too, although the house wants no money first there."""
    PaymentRule.objects.update(prepaid=["web"])
    rules.forget()
    row = hold(patient, channel="app", days=12)
    asked = {"kind": "appointment", "organization": lambda: row.schedule.organization_id, "channel": "app"}
    asked |= {"patient": patient.pk, "booking": row.pk, "fee": row.fee}
    assert prepaid.refusal(**asked, now=NOW) is None
    owed(patient, days=28)
    assert prepaid.refusal(**asked, now=NOW) is None
    assert prepaid.refusal(**asked, now=LATE).code == "must_pay"
    elsewhere = OrganizationFactory(code="H2")
    PaymentRule.objects.create(organization=elsewhere, effective_from=TODAY, prepaid=["counter"])
    rules.forget()
    assert prepaid.refusal(**{**asked, "channel": "counter"}, now=LATE) is None
    fresh = hold(patient, days=40, now=LATE)
    invoice = invoicing.open_for_booking(booking=fresh, by=None, now=LATE)
    with pytest.raises(CreditOverdue):
        crediting.put_on_credit(invoice=invoice, by=None, now=LATE)
    with pytest.raises(CreditOverdue):
        sign(patient, now=LATE)
    standing = credit.standing(patient.pk, organization=row.schedule.organization_id, now=LATE)
    assert (standing.overdue, standing.left, standing.total) == (True, 0, 20)


def test_what_is_cancelled_on_credit_is_not_owed_and_the_person_is_told(patient):
    invoice = owed(patient, days=20)
    row = invoice.lines.get().appointment
    changes.cancel(appointment=row, by=None, channel="web", now=SOON)
    work()
    invoice.refresh_from_db()
    assert (invoice.status, balance("patient_due")) == ("void", 0)
    assert [template for template, _said in told(patient)] == ["money.less"]
    sound()


def test_two_records_of_one_person_with_an_agreement_each_are_merged(patient):
    """P10: the agreement of the record that goes stays with it; what both owe is owed by the one."""
    other = PatientFactory(name="钱进")
    owed(patient, days=20)
    owed(other, days=28)
    patient_index.merge(kept=patient, merged=other, reason="同一人", by=StaffFactory(), now=NOW)
    assert (patient.credit.count(), other.credit.count()) == (1, 1)
    taker = gathering.gather(patient=patient, organization=OrganizationFactory(), by=None, now=NOW)
    assert taker.total == Yuan("40.00")
    sound()


def test_the_copy_of_a_persons_data_names_the_agreement(patient):
    """O4."""
    sign(patient)
    section = personal_data.credit(patient, True, None)
    assert [field.value for field in section.entries[0]][2:4] == ["1000.00", "10"]
    assert personal_data.credit(patient, True, StaffFactory()).entries == []


def test_a_booking_cancelled_while_its_debt_went_onto_another_invoice_is_not_owed(patient, monkeypatch):
    """The handler saw the line where it was; by the time it had the lock, the line stood elsewhere."""
    first, second = owed(patient, days=20), owed(patient, days=28)
    row = second.lines.get().appointment
    changes.cancel(appointment=row, by=None, channel="web", now=SOON)
    real = refunding.return_line

    def late(**asked):
        monkeypatch.setattr(following.refunding, "return_line", real)
        gathering.gather(patient=patient, organization=OrganizationFactory(), by=None, now=SOON)
        return real(**asked)

    monkeypatch.setattr(following.refunding, "return_line", late)
    work()
    assert (balance("patient_due"), Invoice.objects.get(status="owed").total) == (20, 20)
    assert first.lines.exclude(status="withdrawn").count() == 1
    sound()


def test_what_costs_nothing_is_not_put_on_credit(patient):
    credit_for(patient)
    row = hold(patient)
    type(row).objects.filter(pk=row.pk).update(fee=0)
    row.refresh_from_db()
    invoice = invoice_of(row)
    assert not credit.use_of(invoice, now=NOW).may
    with pytest.raises(NothingToPay):
        crediting.put_on_credit(invoice=invoice, by=None, now=NOW)
