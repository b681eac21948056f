"""M1, M4, M6: the figures of the money, each opened down to the rows it was counted from."""

from datetime import timedelta
from decimal import Decimal as Yuan
from io import BytesIO

import pytest
import time_machine
from openpyxl import load_workbook

from appointments.services import changes
from billing import stats
from billing.models import Invoice
from billing.selectors import counted
from billing.services import agreements, dunning, gathering, paying
from hospital.models import AuditEvent
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory, StaffFactory
from tests.factories.billing import ShiftFactory, pays_first

from .scenes import SOON, hold, in_cash, invoice_of, owed, paid, work

pytestmark = pytest.mark.django_db
LATE = NOW + timedelta(days=11)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(LATE, tick=False):
        yield


@pytest.fixture
def house(db):
    pays_first()
    return OrganizationFactory()


@pytest.fixture
def till(house, wechat):
    """Two on the phone, one of them given back; one in cash and one mixed at the window; one that costs nothing."""
    drawer = ShiftFactory()
    rows = [hold(PatientFactory(), days=days) for days in (12, 20, 28, 40)]
    paid(rows[0], wechat)
    paid(rows[1], wechat)
    in_cash(rows[2], drawer)
    in_cash(rows[3], drawer, amount="5.00")
    paid(rows[3], wechat)
    free = hold(PatientFactory(), days=36)
    type(free).objects.filter(pk=free.pk).update(fee=0)
    free.refresh_from_db()
    paying.settle_free(invoice=invoice_of(free), by=None, now=NOW)
    rows[0].refresh_from_db()
    changes.cancel(appointment=rows[0], by=None, channel="web", now=SOON)
    work()


def figures(house, *, first=TODAY, last=TODAY + timedelta(days=11)):
    return stats.figures(organization=house.pk, first=first, last=last, now=LATE)


def test_settlements_not_at_the_window_and_refunds_by_reason(house, till):
    found = figures(house)
    assert (found.smart.numerator, found.smart.denominator) == (2, 4)
    assert [(row.code, row.count) for row in found.ways] == [("phone", 2), ("window", 2)]
    assert {row.code: row.amount for row in found.means} == {"wechat": Yuan("55.00"), "cash": Yuan("25.00")}
    assert [(row.code, row.count, row.amount, row.done) for row in found.reasons] == [
        ("cancelled", 1, Yuan("20.00"), 1)
    ]
    assert sum(row.all for row in found.departments) == 4
    assert [rate.denominator for _month, rate in found.months] == [0, 0, 0, 0, 4, 0]
    assert figures(house, first=TODAY - timedelta(days=9), last=TODAY - timedelta(days=1)).empty

    span = {"organization": house.pk, "first": TODAY, "last": TODAY + timedelta(days=11)}
    assert len(stats.settled(**span, way="", now=LATE)) == found.smart.denominator
    for row in found.ways:
        assert counted.settled(stats.settled(**span, way=row.code, now=LATE)).count() == row.count
    assert counted.refunds(**span, reason="cancelled").count() == 1


def test_credit_is_what_the_journal_says(house, wechat):
    one, other, third = (PatientFactory() for _each in range(3))
    agreements.sign(patient=third, organization=house, by=StaffFactory(), where="window", now=NOW)
    for days in (12, 20):
        owed(one, days=days)
    gone = owed(other, days=28)
    late = owed(third, days=32)
    changes.cancel(appointment=gone.lines.get().appointment, by=None, channel="web", now=SOON)
    Invoice.objects.filter(pk=late.pk).update(due_at=NOW + timedelta(days=1))
    work()
    taker = gathering.gather(patient=one, organization=house, by=None, now=SOON)
    payment = paying.begin(invoice=taker, means="wechat", way="phone", by=None, now=SOON)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    dunning.dun(now=NOW + timedelta(days=2))

    found = figures(house).credit
    assert (found.amount, found.paid, found.owed) == (Yuan("60.00"), Yuan("40.00"), Yuan("20.00"))
    assert (found.due, found.in_time, found.overdue, found.overdue_count) == (2, 1, Yuan("20.00"), 1)
    assert (found.agreements, found.signed, found.told) == (3, 1, 1)
    assert figures(house).smart.denominator == 1
    span = {"organization": house.pk, "first": TODAY, "last": TODAY + timedelta(days=11), "now": LATE}
    assert [row.pk for row in counted.on_credit(**span, what="overdue")] == [late.pk]
    assert counted.on_credit(**span, what="due").count() == found.due


def test_the_page_its_rows_and_its_file(house, till, client, django_assert_max_num_queries):
    client.force_login(StaffFactory(roles="finance"))
    span = f"first={TODAY}&last={TODAY + timedelta(days=11)}"
    with django_assert_max_num_queries(20):
        page = client.get(f"/office/money-figures/?{span}").content.decode()
    assert "50.0%" in page
    rows = client.get(f"/office/money-figures/rows/?{span}&what=settled&way=window").content.decode()
    assert "2 条" in rows
    assert "取消预约" in client.get(f"/office/money-figures/rows/?{span}&what=refunds").content.decode()
    assert "没有这样的记录" in client.get(f"/office/money-figures/rows/?{span}&what=owed").content.decode()
    assert client.get("/office/money-figures/?first=x&last=2999-01-01").status_code == 200
    book = load_workbook(BytesIO(b"".join(client.get(f"/office/money-figures/export/?{span}").streaming_content)))
    assert book.sheetnames == ["智能结算", "按科室", "按月", "收款方式", "退费", "先诊疗后付费"]
    assert [cell.value for cell in book["智能结算"][5]] == ["智能结算", 2, 50]
    assert AuditEvent.objects.get(action="office.exported").detail["what"] == "money_figures"
    client.force_login(StaffFactory(roles="counter"))
    assert client.get("/office/money-figures/").status_code == 403
