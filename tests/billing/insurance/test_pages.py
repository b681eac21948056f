"""M5: the panel on the pages that take money, by who stands before them; and the office's tables."""

import io
from datetime import timedelta
from decimal import Decimal as Yuan
from uuid import uuid4

import pytest
import time_machine

from appointments import invariants
from appointments.models import Slot
from billing.models import InsuranceItem, InsuranceRule, Invoice, MoneyCase
from billing.selectors import insurance_tables as tables
from billing.services import insurance_sheet, insurance_tables, invoicing, jobs
from hospital.models import AuditEvent, PriceItem
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    OrganizationFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
)

from .house import CARD, SINCE, basket_of, facts, insured, rules

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def invoice(insurance):
    rules(code="G")
    insurance.person(CARD, insured={"310": "1"}, balance="5.00")
    return basket_of(insured())[1]


def press(client, invoice, act, **said):
    return client.post(f"/pay/{invoice.token}/insurance/", {"act": act, **said})


def page(client, invoice):
    return client.get(f"/pay/{invoice.token}/").content.decode()


def test_the_family_sees_the_split_agrees_and_pays_the_rest(client, invoice):
    client.force_login(account := AccountFactory())
    RelatedPersonFactory(account=account, patient=invoice.patient)
    shown = page(client, invoice)
    assert "预计医保统筹支付" in shown
    assert "去支付" not in shown

    unticked = press(client, invoice, "begin", use_account="on")
    assert (unticked.status_code, "请先勾选同意" in unticked.content.decode()) == (422, True)
    assert press(client, invoice, "begin", agreed="on", use_account="on").status_code == 302
    assert "确认医保结算，自付 ¥7.00" in page(client, invoice)
    assert press(client, invoice, "agree", seen="6.00").status_code == 409
    assert press(client, invoice, "agree", seen="7.00", next="//evil.example").headers["Location"].startswith("/pay/")
    assert "医保已结算" in page(client, invoice)
    assert press(client, invoice, "decline").status_code == 302
    invoice.refresh_from_db()
    assert invoice.cash_paid == Yuan("40.00")
    acts = AuditEvent.objects.filter(action__startswith="insurance.").order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["insurance.begun", "insurance.agreed", "insurance.declined"]


def test_an_old_page_asks_for_no_sum_before_it_is_known_who_bears_what(client, invoice, wechat):
    answer = client.post(f"/pay/{invoice.token}/start/", {"means": "wechat", "request_key": uuid4()})
    assert (answer.status_code, invoice.payments.count()) == (302, 0)


def test_who_has_the_link_alone_says_the_end_of_the_document_first(client, invoice):
    assert "就诊人证件号后四位" in page(client, invoice)
    wrong = press(client, invoice, "begin", agreed="on", last4="9999")
    assert (wrong.status_code, "9999" in wrong.content.decode(), invoice.settlements.count()) == (422, True, 0)
    assert press(client, invoice, "begin", agreed="on").status_code == 422
    assert press(client, invoice, "begin", agreed="on", last4=CARD[-4:]).status_code == 302
    assert invoice.settlements.get().status == "presettled"
    look = client.post(f"/pay/{invoice.token}/insurance/look/", {"seen": "asking-0"})
    assert (look.status_code, look.headers.get("HX-Refresh")) == (204, "true")


def test_who_tries_the_end_of_the_document_too_often_waits_and_keeps_what_was_typed(client, invoice):
    for _try in range(5):
        assert press(client, invoice, "begin", agreed="on", last4="9999").status_code == 422
    late = press(client, invoice, "begin", agreed="on", last4=CARD[-4:])
    page = late.content.decode()
    assert (late.status_code, "操作太频繁" in page, f'value="{CARD[-4:]}"' in page) == (429, True, True)
    assert invoice.settlements.count() == 0


@pytest.mark.parametrize(("role", "way"), [("cashier", "window"), ("doctor", "consult")])
def test_staff_of_the_house_check_the_person_themselves(client, invoice, role, way):
    client.force_login(StaffFactory(roles=role))
    answer = press(client, invoice, "begin")
    assert "已核对本人和医保凭证" in answer.content.decode()
    assert press(client, invoice, "begin", agreed="on", next="/cashier/").headers["Location"] == "/cashier/"
    assert invoice.settlements.get().way == way


def test_a_kiosk_settles_only_for_the_person_before_it(client, invoice):
    client.force_login(StaffFactory(roles="kiosk"))
    assert press(client, invoice, "begin", agreed="on").status_code == 404
    session = client.session
    session["kiosk_visit"] = {"patient": invoice.patient_id, "key": "k", "seen": NOW.timestamp()}
    session.save()
    assert press(client, invoice, "begin").status_code == 422
    assert press(client, invoice, "begin", agreed="on").status_code == 302
    assert invoice.settlements.get().way == "kiosk"


def test_a_person_without_a_document_is_sent_to_the_window_or_pays_all(client, invoice):
    _rows, other = basket_of(PatientFactory(insurance="resident"))
    answer = press(client, other, "begin", agreed="on", last4="0000")
    assert (answer.status_code, "请带证件到窗口补录" in answer.content.decode()) == (409, True)


def test_who_is_insured_though_the_record_says_nothing_opens_the_bill_anew(client, insurance):
    rules(code="G")
    insurance.person(CARD, insured={"390": "1"})
    patient = insured(insurance="none")
    rows, invoice = basket_of(patient)
    assert press(client, invoice, "kind", kind="resident").status_code == 404  # a stranger changes no record
    assert "改用医保结算" not in page(client, invoice)
    client.force_login(account := AccountFactory())
    RelatedPersonFactory(account=account, patient=patient)
    assert "有职工医保或居民医保？改用医保结算" in page(client, invoice)
    assert press(client, invoice, "kind", kind="emperor").status_code == 302

    wrong = press(client, invoice, "kind", kind="employee").headers["Location"]
    assert client.get(f"/pay/{invoice.token}/").headers["Location"] == wrong  # the link that was sent still leads there
    new = Invoice.objects.get(status="open")
    assert (new.insurance, new.total, new.lines.count(), new.basket) == ("employee", 40, 2, rows[0].basket)
    press(client, new, "begin", agreed="on")
    assert "没有查到正在参保的职工医保" in page(client, new)
    press(client, new, "kind", kind="resident")
    [last] = invoicing.open_for_basket(basket=rows[0].basket, by=None, now=NOW)
    patient.refresh_from_db()
    assert (last.insurance, patient.insurance, last.total) == ("resident", "resident", 40)
    press(client, last, "begin", agreed="on")
    assert press(client, last, "kind", kind="employee").status_code == 409  # being asked
    press(client, last, "agree", seen="20.00")
    last.refresh_from_db()
    assert (last.fund_paid, last.cash_paid) == (20, 20)
    assert invariants.violations(now=NOW) == []


def test_the_numbers_are_held_longer_while_the_insurance_is_away_and_when_it_settles(client, invoice, insurance):
    Slot.objects.filter(appointments__charges__invoice=invoice).update(hold_until=NOW + timedelta(minutes=1))
    insurance.behave("down", times=3)
    press(client, invoice, "begin", agreed="on", last4=CARD[-4:])
    held = {line.hold_until for line in invoice.lines.all()}
    assert held == {NOW + timedelta(minutes=5)}
    insurance.behave("well")
    jobs.catch_up(now=NOW + timedelta(seconds=10))
    press(client, invoice, "agree", seen="12.00")
    invoice.refresh_from_db()
    assert (invoice.fund_paid, {line.hold_until for line in invoice.lines.all()} >= held) == (28, True)


def test_finance_has_a_refused_reversal_asked_again(client, invoice, insurance):
    client.force_login(StaffFactory(roles="cashier"))
    press(client, invoice, "begin", agreed="on"), press(client, invoice, "agree", seen="7.00")
    if not invoice.settlements.filter(status="settled").exists():
        press(client, invoice, "agree", seen=str(invoice.settlements.get().cash_paid))
    insurance.behave("refuse", "2208")
    press(client, invoice, "decline")
    case, row = MoneyCase.objects.get(), invoice.settlements.get()
    assert (case.kind, row.status) == ("unsettled", "settled")
    client.force_login(StaffFactory(roles="finance"))
    assert client.post(f"/finance/insurance/{row.pk}/again/").status_code == 302
    jobs.catch_up(now=NOW), facts()
    case.refresh_from_db(), row.refresh_from_db()
    assert (row.status, case.settled_at) == ("reversed", NOW)


# ---- the office ----


@pytest.fixture
def office(client):
    rules()
    client.force_login(StaffFactory(roles="office"))
    return client


def test_a_rule_of_a_kind_begins_on_a_day_and_the_one_before_ends(office):
    tomorrow = TODAY + timedelta(days=1)
    seen = office.get("/office/insurance/employee/new/").context["form"]["seen"].value()
    said = {"fund_percent": "75.5", "deductible": "100", "yearly_cap": "", "why": "医保发〔2026〕1号", "seen": seen}
    slips = ({"fund_percent": "101"}, {"fund_percent": "1e2"}, {"deductible": "1e5"}, {"day": "soon"})
    for wrong in ({"day": TODAY - timedelta(days=1)}, *({"day": tomorrow} | slip for slip in slips)):
        answer = office.post("/office/insurance/employee/new/", said | wrong)
        assert (answer.status_code, "医保发〔2026〕1号" in answer.content.decode()) == (422, True)
    assert office.post("/office/insurance/employee/new/", said | {"day": tomorrow}).status_code == 302
    stale = office.post("/office/insurance/employee/new/", said | {"day": tomorrow})
    assert (stale.status_code, "刚刚有同事改过" in stale.content.decode()) == (422, True)
    old, new = InsuranceRule.objects.filter(insurance="employee").order_by("effective_from")
    assert (old.effective_to, new.effective_from, new.fund_percent) == (TODAY, tomorrow, Yuan("75.50"))
    shown = office.get("/office/insurance/").content.decode()
    assert "统筹 75.5%" in shown
    assert office.get("/office/insurance/none/new/").status_code == 404
    assert AuditEvent.objects.get(action="insurance.rule_written").detail["why"] == "医保发〔2026〕1号"


def test_who_writes_over_a_rule_that_is_still_to_come_has_seen_it_as_it_is(office):
    """Two forms open at once: both days are the same, and so is the row."""
    address, said = (
        "/office/insurance/employee/new/",
        {"deductible": "0", "day": TODAY + timedelta(days=9), "why": "更正"},
    )
    office.post(address, said | {"fund_percent": "75", "seen": office.get(address).context["form"]["seen"].value()})
    seen = office.get(address).context["form"]["seen"].value()
    assert office.post(address, said | {"fund_percent": "76", "seen": seen}).status_code == 302
    late = office.post(address, said | {"fund_percent": "77", "seen": seen})
    assert (late.status_code, "刚刚有同事改过" in late.content.decode()) == (422, True)
    assert InsuranceRule.objects.get(insurance="employee", effective_to=None).fund_percent == 76


def test_a_rule_that_has_not_begun_is_taken_back_and_the_one_before_goes_on(office):
    address, soon = "/office/insurance/employee/new/", TODAY + timedelta(days=9)
    seen = office.get(address).context["form"]["seen"].value()
    office.post(address, {"fund_percent": "75", "deductible": "0", "day": soon, "why": "更正", "seen": seen})
    old, new = InsuranceRule.objects.filter(insurance="employee").order_by("effective_from")
    withdraw = f"/office/insurance/rules/{new.pk}/withdraw/"
    assert withdraw in office.get("/office/insurance/").content.decode()
    assert "原来的规则继续有效" in office.post(withdraw, follow=True).content.decode()
    [stays] = InsuranceRule.objects.filter(insurance="employee")
    assert (stays.pk, stays.effective_to) == (old.pk, None)
    assert AuditEvent.objects.filter(action="insurance.rule_withdrawn").count() == 1
    begun = office.post(f"/office/insurance/rules/{old.pk}/withdraw/", follow=True)
    assert "已经生效，不能撤销" in begun.content.decode()
    assert InsuranceRule.objects.filter(pk=old.pk).exists()
    assert office.post(withdraw).status_code == 404


def priced(*codes):
    house = OrganizationFactory()
    for code in codes:
        PriceItem.objects.get_or_create(
            organization=house, code=code, defaults={"name": f"项目{code}", "amount": 10, "effective_from": SINCE}
        )


def test_a_code_gets_its_place_on_the_list(office, django_assert_max_num_queries):
    priced("G", "CT1")
    with django_assert_max_num_queries(16):
        assert "未对照" in office.get("/office/insurance/items/?only=none").content.decode()
    address = "/office/insurance/items/one/?code=CT1"
    said = {"national_code": "0021", "klass": "A", "own_percent": "10", "day": TODAY}
    wrong = office.post(address, said)
    assert (wrong.status_code, "只有乙类有先行自付" in wrong.content.decode()) == (422, True)
    assert office.post(address, said | {"klass": "B"}).status_code == 302
    row = InsuranceItem.objects.get()
    assert (row.code, row.klass, row.own_percent, row.effective_from) == ("CT1", "B", 10, TODAY)
    assert "0021" in office.get("/office/insurance/items/?q=0021").content.decode()
    assert office.get("/office/insurance/items/one/?code=nowhere").status_code == 404


def upload(office, content, name="list.csv", **more):
    file = io.BytesIO(content)
    file.name = name
    return office.post("/office/insurance/items/import/", {"file": file, "day": TODAY, **more})


def test_the_next_page_of_the_list_keeps_what_was_looked_for(office):
    priced(*(f"CT{n}" for n in range(51)))
    assert "?only=none&amp;q=CT&amp;page=2" in office.get("/office/insurance/items/?only=none&q=CT").content.decode()


def test_the_list_comes_as_a_file_all_or_nothing_with_every_wrong_row_said(office):
    priced("G", "CT1")
    lines = ("G,号,001,甲,", "G,号,001,丁,", "CT1,,,乙,10%", "X,x,002,甲,5", "Y,y,003,乙,-1")
    bad = "\n".join(["价目代码,名称,国家医保编码,类别,先行自付", *lines])
    answer = upload(office, bad.encode("gb18030"))
    text = answer.content.decode()
    assert (answer.status_code, InsuranceItem.objects.count()) == (422, 0)
    for said in ("文件有 5 处错误", "和第 2 行重复", "“丁”不在可选范围内", "请填写国家医保编码", "只有乙类有先行自付"):
        assert said in text
    good = "价目代码,国家医保编码,类别,先行自付\nG,001,甲,\nCT1,002,乙类,10%\n".encode()
    looked = upload(office, good, only_look="on").content.decode()
    assert ("将新增 2 条" in looked, InsuranceItem.objects.count()) == (True, 0)
    assert upload(office, good).status_code == 302
    assert upload(office, good).status_code == 302
    assert InsuranceItem.objects.count() == 2  # the same again changes nothing

    book = office.get("/office/insurance/items/present.xlsx").content
    rows = insurance_sheet.read(io.BytesIO(book), name="x.xlsx")
    assert [(row.code, row.klass, row.own_percent) for row in rows] == [("CT1", "B", 10), ("G", "A", 0)]
    assert office.get("/office/insurance/items/blank.xlsx").status_code == 200
    for name, content in (("x.xlsx", b"nonsense"), ("x.csv", b"\0\0\1"), ("x.csv", b"a,b\n1,2\n"), ("x.pdf", b"1")):
        assert upload(office, content, name).status_code == 422


def test_auditors_read_and_others_do_not(client):
    rules()
    client.force_login(StaffFactory(roles="auditor"))
    assert "修改" not in client.get("/office/insurance/").content.decode().replace("修改密码", "")
    assert client.get("/office/insurance/employee/new/").status_code == 403
    client.force_login(StaffFactory(roles="cashier"))
    assert client.get("/office/insurance/items/").status_code == 403


def test_what_a_form_was_opened_on_never_comes_again(db):
    """A coming rule is taken back, and the one before it written over: a page from before that is an old one."""
    rules(code="G")
    house = OrganizationFactory()
    rows = InsuranceRule.objects.filter(organization=house, insurance="employee")
    held, seen = rows.get(), [tables.latest(rows)]
    for deed in ("write", "withdraw", "over", "over"):
        if deed == "write":
            held.effective_to = TODAY
            held.save()
            more = {"organization": house, "insurance": "employee", "account": True}
            coming = InsuranceRule.objects.create(**more, fund_percent=80, effective_from=TODAY + timedelta(days=1))
        elif deed == "withdraw":
            insurance_tables.withdraw_rule(rule=coming, by=StaffFactory(roles="office"), now=NOW)
            held.refresh_from_db()
        else:
            held.fund_percent += 1
            held.save()
        seen.append(tables.latest(rows))
    assert len(set(seen)) == len(seen)
