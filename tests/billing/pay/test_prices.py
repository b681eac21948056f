"""M7: the price list: a change from a day on ends the old price the day before; import, history, the public page."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import Workbook

from billing.errors import PriceBegun, PriceDayTaken, PriceInUse, PriceTooEarly, PriceTooFarAhead, PriceUnchanged
from billing.forms.prices import AmountField
from billing.models import PaymentRule
from billing.policies import pricing as policy
from billing.policies.pricing import Step, Wanted
from billing.services import pricing
from hospital.models import AuditEvent, PriceItem
from tests.bookings.scenes import text_of
from tests.factories import NOW, TODAY, OrganizationFactory, ServiceFactory, StaffFactory, UserFactory

DAY = timedelta(days=1)


def row(first=-10, last=None, amount="20.00", name="挂号费"):
    return PriceItem(
        code="A", name=name, amount=Decimal(amount), effective_from=TODAY + first * DAY,
        effective_to=None if last is None else TODAY + last * DAY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "first", "amount", "found"),
    [
        ([row()], 1, "25.00", Step),
        ([row()], 0, "25.00", PriceTooEarly),
        ([row()], -1, "25.00", PriceTooEarly),
        ([], 0, "25.00", Step),
        ([row(last=-1)], 0, "25.00", Step),
        ([row()], 800, "25.00", PriceTooFarAhead),
        ([row(last=4), row(first=5)], 5, "25.00", PriceDayTaken),
        ([row()], 1, "20.00", PriceUnchanged),
        ([row(last=4), row(first=5, amount="30.00")], 3, "25.00", Step),
    ],
)
def test_a_price_follows_the_one_before_or_is_refused_with_the_reason(rows, first, amount, found):
    said = policy.step(Wanted("A", "挂号费", Decimal(amount), TODAY + first * DAY), rows, today=TODAY)
    assert isinstance(said, found)
    if len(rows) == 2 and found is Step:
        assert said.last_day == TODAY + 4 * DAY


@pytest.fixture
def house(db):
    return OrganizationFactory()


@pytest.fixture
def office(client, house):
    client.user = StaffFactory(roles="office")
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def price(house, code="A", name="普通门诊诊察费", amount="20.00", first=-100):
    return PriceItem.objects.create(
        organization=house, code=code, name=name, amount=Decimal(amount), effective_from=TODAY + first * DAY
    )


def spans(code="A"):
    rows = PriceItem.objects.filter(code=code).order_by("effective_from")
    return [(str(each.amount), each.effective_from, each.effective_to) for each in rows]


def test_a_new_price_ends_the_old_one_the_day_before_and_can_be_taken_back_before_it_begins(house):
    old, by = price(house), UserFactory()
    wanted = Wanted("A", "普通门诊诊察费", Decimal("25.00"), TODAY + 5 * DAY)
    new = pricing.write(organization=house, wanted=wanted, by=by, why="调价", now=NOW)
    assert spans() == [
        ("20.00", old.effective_from, TODAY + 4 * DAY),
        ("25.00", TODAY + 5 * DAY, None),
    ]
    assert pricing.withdraw(price=new, by=by, why="写错", now=NOW) == old
    assert spans() == [("20.00", old.effective_from, None)]
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"price.written", "price.withdrawn"}


def test_a_price_that_has_begun_is_neither_taken_back_nor_ended_in_the_past(house):
    """What was charged by it stays on the list."""
    row, by = price(house, first=0), UserFactory()
    with pytest.raises(PriceBegun):
        pricing.withdraw(price=row, by=by, why="写错", now=NOW)
    with pytest.raises(PriceBegun):
        pricing.end(price=row, last_day=TODAY - DAY, by=by, why="停", now=NOW)
    assert spans() == [("20.00", TODAY, None)]
    pricing.end(price=row, last_day=TODAY, by=by, why="停", now=NOW)
    with pytest.raises(PriceBegun):
        pricing.end(price=row, last_day=TODAY + DAY, by=by, why="停", now=NOW)


def test_what_can_still_be_booked_is_not_left_without_a_price(house):
    row = price(house, code="X1")
    ServiceFactory(organization=house, price_code="X1", name="专科")
    with pytest.raises(PriceInUse):
        pricing.end(price=row, last_day=TODAY, by=UserFactory(), why="停", now=NOW)


def test_the_office_changes_a_price_and_what_is_typed_wrong_stays(office, house):
    price(house)
    page = text_of(office.get("/office/prices/"))
    assert "普通门诊诊察费" in page
    said = {"name": "普通门诊诊察费", "amount": "25.5O", "effective_from": f"{TODAY + DAY}", "why": "某价〔2026〕12号"}
    response = office.post("/office/prices/of/A/", said)
    assert response.status_code == 422
    assert 'value="25.5O"' in text_of(response)
    assert office.post("/office/prices/of/A/", {**said, "amount": "25.50"}).status_code == 302
    again = office.post("/office/prices/of/A/", {**said, "amount": "26.00", "seen": "1"})
    assert (again.status_code, "有人改过这个价目" in text_of(again)) == (422, True)
    page = text_of(office.get("/office/prices/of/A/"))
    for words in ("25.50", "将要生效", "某价〔2026〕12号"):
        assert words in page, words
    assert office.post("/office/prices/new/", {**said, "code": "坏 码", "amount": "1"}).status_code == 422
    assert office.post("/office/prices/new/", {**said, "code": "N1", "amount": "1"}).status_code == 302
    assert office.get("/office/prices/of/none/").status_code == 404
    new = PriceItem.objects.get(code="A", effective_from=TODAY + DAY)
    assert office.post(f"/office/prices/rows/{new.pk}/withdraw/", {}).status_code == 422
    assert office.post(f"/office/prices/rows/{new.pk}/withdraw/", {"withdraw-why": "写错"}).status_code == 302


def test_a_list_is_looked_at_before_it_is_saved_all_or_nothing(office, house):
    price(house), price(house, code="B", name="检查费", amount="180.00")
    said = {"effective_from": f"{TODAY + DAY}", "why": "调价", "look": "1"}
    wrong = office.post(
        "/office/prices/import/", {**said, "text": "A\t普通门诊诊察费\tabc\n\tx\t1\nA\t甲\t1\nA\t乙\t2"}
    )
    assert wrong.status_code == 422
    for words in ("第1行", "第2行", "第4行", "abc"):
        assert words in text_of(wrong), words
    text = "代码,名称,金额\nA,普通门诊诊察费,22\nB,检查费,180.00\nC,静脉采血,5"
    looked = text_of(office.post("/office/prices/import/", {**said, "text": text}))
    assert "会改 2 个价格，1 个没有变化" in looked
    assert spans() == [("20.00", TODAY - 100 * DAY, None)]
    early = office.post("/office/prices/import/", {**said, "text": "A,甲,22,2020-01-01", "save": "1"})
    assert "今天已经按原来的价格办理" in text_of(early)
    assert office.post("/office/prices/import/", {**said, "text": text, "save": "1"}).status_code == 302
    assert [spans(code)[-1][0] for code in "ABC"] == ["22.00", "180.00", "5.00"]


def test_an_excel_file_is_read_into_the_box_and_the_export_is_read_again(office, house):
    price(house)
    book, file = Workbook(), BytesIO()
    book.active.append(["代码", "名称", "金额", "生效日"])
    book.active.append(["A", "普通门诊诊察费", 31, TODAY + 9 * DAY])
    book.save(file)
    file.name = "价目.xlsx"
    file.seek(0)
    said = {"effective_from": f"{TODAY + DAY}", "why": "调价", "file": file}
    page = text_of(office.post("/office/prices/import/", said))
    assert f"A\t普通门诊诊察费\t31\t{TODAY + 9 * DAY}" in page
    broken = BytesIO(b"PK not a zip")
    broken.name = "x.xlsx"
    assert office.post("/office/prices/import/", {**said, "file": broken}).status_code == 422
    exported = office.get("/office/prices/export/").content.decode("utf-8-sig")
    same = text_of(
        office.post(
            "/office/prices/import/", {**said, "file": "", "text": exported.replace(f"{TODAY - 100 * DAY}", "")}
        )
    )
    assert "会改 0 个价格，1 个没有变化" in same


def test_a_file_that_is_too_long_or_empty_is_said_so_and_nothing_else(office, house):
    said = {"effective_from": f"{TODAY + DAY}", "why": "调价"}
    for content, sentence in ((b"A,x,1\n" * 400_000, "文件超过 2 MB"), (b"", "这个文件是空的")):
        page = text_of(office.post("/office/prices/import/", said | {"file": _named(content)}))
        assert (sentence in page, "请贴上价目，或选一个文件" in page) == (True, False)


def _named(content: bytes) -> BytesIO:
    file = BytesIO(content)
    file.name = "价目.csv"
    return file


def test_the_public_reads_what_holds_and_what_is_to_come(client, house):
    price(house)
    ServiceFactory(organization=house, price_code="A", name="普通门诊")
    price(house, code="Z", name="尚未开始", first=9)
    wanted = Wanted("A", "普通门诊诊察费", Decimal("25.00"), TODAY + 5 * DAY)
    pricing.write(organization=house, wanted=wanted, by=UserFactory(), why="调价", now=NOW)
    page = text_of(client.get("/prices/"))
    for words in ("挂号费", "¥20.00", "起 ¥25.00"):
        assert words in page, words
    assert "尚未开始" not in page
    assert "没有找到" in text_of(client.get("/prices/?q=没有这个"))
    assert client.get("/prices/?house=abc").status_code == 200


def test_who_may_only_look_does_not_write(client, house):
    row = price(house)
    client.force_login(StaffFactory(roles="auditor"), backend="django.contrib.auth.backends.ModelBackend")
    assert "新价目" not in text_of(client.get("/office/prices/"))
    for address in ("/office/prices/new/", "/office/prices/import/", "/office/payment-rules/new/"):
        assert client.get(address).status_code == 403
    assert client.post(f"/office/prices/rows/{row.pk}/withdraw/", {"withdraw-why": "x"}).status_code == 403


def test_the_house_writes_which_channels_pay_first_from_tomorrow_on(office, house):
    """M2, M4: the rule of paying is dated, kept as typed when wrong, and taken back before it begins."""
    assert "到院后付费" in text_of(office.get("/office/payment-rules/"))
    said = {
        "prepaid": ["web", "kiosk"], "order_minutes": "15", "paying_minutes": "5", "link_minutes": "30",
        "away_minutes": "90", "late_refund": "on", "credit_limit": "1000", "credit_days": "10",
        "dunning_days": "0,3,7", "effective_from": f"{TODAY + DAY}", "why": "上线",
    }  # fmt: skip
    wrong = office.post("/office/payment-rules/new/", {**said, "dunning_days": "7,3", "order_minutes": "0"})
    assert wrong.status_code == 422
    assert "从小到大" in text_of(wrong)
    assert "应在 1 到 120 之间" in text_of(wrong)
    letters = office.post("/office/payment-rules/new/", {**said, "dunning_days": "0,x"})
    assert "第 2 个天数不对：" in text_of(letters)
    today = office.post("/office/payment-rules/new/", {**said, "effective_from": f"{TODAY}"})
    assert today.status_code == 422
    response = office.post("/office/payment-rules/new/", said)
    assert response.status_code == 302, text_of(response)
    rule = PaymentRule.objects.get()
    assert (rule.prepaid, rule.dunning_days) == (["web", "kiosk"], [0, 3, 7])
    page = text_of(office.get(response.url))
    assert "自助机" in page
    assert office.post(f"{response.url}withdraw/", {"withdraw-why": "再等等"}).status_code == 302
    assert not PaymentRule.objects.exists()


def test_a_price_of_one_decimal_is_kept_in_fen():
    assert str(AmountField().clean("16.5")) == "16.50"
