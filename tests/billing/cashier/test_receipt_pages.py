"""M9: receipts at the window, on the phone, as PDF, and behind their code."""

import re
import sys
from base64 import a85decode
from decimal import Decimal as Yuan
from zlib import decompress

import pytest
import time_machine
from django.urls import reverse

from billing.gateways import ports
from billing.models import Receipt
from billing.selectors import papers
from billing.services import receipts
from billing.services import window as service
from hospital.models import Patient
from tests.factories import (
    NOW,
    AccountFactory,
    OrganizationFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
)
from tests.factories.billing import ShiftFactory

pytestmark = pytest.mark.django_db


class Platform:
    """Numbers in memory; `away`: it does not answer; `refuses`: with which code."""

    code = "finance"
    away = False
    refuses = ""

    def __init__(self):
        self.said: dict[str, ports.Numbered] = {}
        self.payers: list[str] = []

    def issue(self, paper):
        self.misbehave()
        self.payers.append(paper.payer)
        return self.said.setdefault(paper.request, ports.Numbered("11060126", f"{len(self.said) + 1:010}", "123456"))

    def void(self, *, request, code, number, why):
        self.misbehave()
        return f"9{number[1:]}"

    def misbehave(self):
        if self.away:
            raise ports.Away
        if self.refuses:
            raise ports.Refuses(self.refuses)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def platform():
    ports.register("receipt", there := Platform())
    yield there
    ports.forget("receipt", "finance")


@pytest.fixture
def paid(window):
    invoice = service.sell(
        patient=window.patient, organization=window.shift.organization, code="BL01", quantity=2,
        by=window.cashier, now=NOW,
    )  # fmt: skip
    invoice.refresh_from_db()
    service.take(
        invoice=invoice, shown=invoice.cash_paid, cash=None, slips=[], request_key="k", shift=window.shift,
        by=window.cashier, now=NOW,
    )  # fmt: skip
    invoice.refresh_from_db()
    return invoice


def issued(paid) -> Receipt:
    row = receipts.ask(invoice=paid, kind="einvoice", by=None, now=NOW)
    receipts.send(receipt=row, now=NOW)
    row.refresh_from_db()
    return row


def text(page) -> str:
    return page.content.decode()


def test_the_page_after_paying_asks_for_the_number_and_prints_its_code(till, paid, platform):
    done = till.get(reverse("billing:cashier_done", args=[paid.token]))
    ask = reverse("billing:cashier_receipt_ask", args=[paid.token])
    assert f'hx-post="{ask}"' in text(done)
    fragment = till.post(ask, headers={"HX-Request": "true"})
    row = Receipt.objects.get()
    assert ("0000000001" in text(fragment), "<svg" in text(fragment), platform.payers) == (
        True, True, [paid.patient.name]
    )  # fmt: skip
    assert "0000000001" in text(till.get(reverse("billing:cashier_done", args=[paid.token])))
    paper = till.get(reverse("billing:cashier_receipt", args=[row.pk]))
    assert ("伍元整" in text(paper), paid.patient.name in text(paper)) == (True, True)


def test_a_platform_that_is_away_holds_up_no_slip(till, paid, platform):
    platform.away = True
    fragment = till.post(reverse("billing:cashier_receipt_ask", args=[paid.token]), headers={"HX-Request": "true"})
    assert ("号码稍后生成" in text(fragment), "<svg" in text(fragment)) == (True, True)


def test_what_the_platform_refuses_is_not_said_to_come_later(till, paid, platform):
    platform.refuses = "E1001"
    fragment = till.post(reverse("billing:cashier_receipt_ask", args=[paid.token]), headers={"HX-Request": "true"})
    assert ("号码稍后生成" in text(fragment), "<svg" in text(fragment), "票据没有开出" in text(fragment)) == (
        False, False, True
    )  # fmt: skip


def test_a_void_that_the_platform_refuses_is_said_so_there_and_on_the_list(till, paid, platform):
    row = issued(paid)
    platform.refuses = "E1004"
    page = till.post(reverse("billing:cashier_receipt_void", args=[row.pk]), {"why": "抬头有误"}, follow=True)
    assert "没有接受作废，这张票据仍然有效" in text(page)
    assert "平台没有接受作废" in text(till.get("/cashier/receipts/"))


def test_at_the_window_it_is_voided_with_a_reason_and_issued_anew(till, paid, platform):
    row = issued(paid)
    void = reverse("billing:cashier_receipt_void", args=[row.pk])
    assert till.post(void, {"why": ""}).status_code == 422
    page = till.post(void, {"why": "抬头有误", "reissue": "on"}, follow=True)
    row.refresh_from_db()
    assert (row.status, page.context["paper"].row.replaces, page.context["paper"].row.number) == (
        "void", row, "0000000002"
    )  # fmt: skip
    listed = till.get("/cashier/receipts/", {"number": row.number})
    assert ("抬头有误" in text(listed), listed.context["open"]) == (True, [])


def test_what_says_more_than_was_paid_stands_on_the_list(till, paid, platform):
    row = issued(paid)
    Receipt.objects.filter(pk=row.pk).update(status="voiding", why="x")
    platform.away = True
    with time_machine.travel(NOW.replace(hour=23), tick=False):
        ShiftFactory(cashier=(other := StaffFactory(roles="cashier")))
        till.force_login(other)
        assert till.get("/cashier/receipts/").context["open"] == [row]


def test_another_houses_receipt_is_not_there(client, paid, platform):
    row, elsewhere = issued(paid), OrganizationFactory(code="H2")
    other = StaffFactory(roles="cashier", roles__at=elsewhere)
    ShiftFactory(cashier=other, organization=elsewhere)
    client.force_login(other)
    assert client.get(reverse("billing:cashier_receipt", args=[row.pk])).status_code == 404


def test_on_the_phone_it_is_asked_for_once_and_shown(client, paid, platform):
    account = AccountFactory()
    RelatedPersonFactory(account=account, patient=paid.patient)
    client.force_login(account)
    assert "开电子票据" in text(client.get("/receipts/"))
    ask = reverse("billing:receipt_ask", args=[paid.token])
    page = client.post(ask, follow=True)
    client.post(ask)
    row = Receipt.objects.get()
    assert ("0000000001" in text(page), paid.patient.name in text(page)) == (True, True)
    assert "开电子票据" not in text(client.get("/receipts/"))

    client.force_login(stranger := AccountFactory())
    RelatedPersonFactory(account=stranger, patient=PatientFactory())
    for where in ("receipt", "receipt_file"):
        assert client.get(reverse(f"billing:{where}", args=[row.request])).status_code == 404
    assert client.post(ask).status_code == 404


def test_behind_the_code_anybody_sees_whether_it_counts_and_not_what_it_was_for(client, paid, platform):
    row = issued(paid)
    where = reverse("billing:receipt_check", args=[row.request])
    page = text(client.get(where))
    assert ("有效" in page, row.number in page, "病历本" in page, paid.patient.name in page) == (
        True, True, False, False
    )  # fmt: skip
    receipts.void(receipt=row, why="退费", by=None, now=NOW, reissue=False)
    assert "已作废" in text(client.get(where))
    assert client.get(reverse("billing:receipt_check", args=["E0"])).status_code == 404


def test_the_pdf_is_drawn_where_the_extra_is_installed(till, paid, platform):
    row = issued(paid)
    page = till.get(reverse("billing:cashier_receipt_file", args=[row.pk]))
    assert (page["Content-Type"], page.content[:5], page["Content-Disposition"]) == (
        "application/pdf", b"%PDF-", 'attachment; filename="0000000001.pdf"'
    )  # fmt: skip


@pytest.mark.parametrize("name", ["磁共振成像（头颅平扫+增强+弥散加权，含造影剂及注射）", "长" * 80, "胸部正位片"])
def test_a_long_name_on_the_pdf_stays_in_its_column(name):
    """It ran over the price and, the payer's, over the check code."""
    from billing.views import receipt_pdf as pdf

    pdf.pdfmetrics.registerFont(pdf.UnicodeCIDFont(pdf.FACE))
    said, size = pdf.fitted(name, within=pdf.NAME)
    assert pdf.pdfmetrics.stringWidth(said, pdf.FACE, size) <= pdf.NAME
    assert (said == name or said.endswith("…"), size >= pdf.SMALLEST) == (True, True)


def test_the_dot_in_a_payers_name_is_one_that_the_pdfs_face_has(paid, platform):
    """A box stood in its place."""
    from billing.views import receipt_pdf as pdf

    Patient.objects.update(name="阿卜杜·热合曼")
    drawn = pdf.drawn(papers.paper(issued(paid), whole=True), address="https://example.org/receipt/x/")
    [page] = re.findall(rb"stream\r?\n(.*?)~>", drawn, re.DOTALL)
    assert (rb"0\373" in (words := decompress(a85decode(page))), rb"\000\267" in words) == (True, False)


def test_without_the_extra_the_page_says_so_and_nothing_breaks(till, paid, platform, monkeypatch):
    row = issued(paid)
    monkeypatch.setitem(sys.modules, "reportlab", None)  # as find_spec sees a package that is not there
    monkeypatch.setattr("billing.views.receipts.find_spec", lambda _name: None)
    page, file = (till.get(reverse(f"billing:cashier_receipt{part}", args=[row.pk])) for part in ("", "_file"))
    assert ("没有安装 PDF 组件" in text(page), file.status_code) == (True, 404)


def test_money_without_a_platform_goes_on_with_slips(till, paid):
    done = till.get(reverse("billing:cashier_done", args=[paid.token]))
    assert ("收费凭条" in text(done), "开电子票据" in text(done)) == (True, False)
    assert till.post(reverse("billing:cashier_receipt_ask", args=[paid.token])).status_code == 409
    assert paid.cash_paid == Yuan("5.00")
