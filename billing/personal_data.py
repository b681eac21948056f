"""What the money holds of a person, for the copy that people may ask for (O4): invoices with lines, payments, refunds.
They are records: another adult's are theirs to ask for, and they stay as long as visits do."""

from django.utils.translation import gettext as _

from hospital.models import Patient, User
from hospital.personal_data import Entry, Field, Section, holds, means

from .models import CreditAgreement, Invoice, Payment
from .selectors import trail_words

means(trail_words.ACTIONS)


@holds
def invoices(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = Invoice.objects.filter(patient=patient) if whole and by is None else Invoice.objects.none()
    rows = rows.select_related("organization").prefetch_related("lines", "payments__refunds", "receipts")
    return Section("invoices", _("账单"), [_invoice(row) for row in rows.order_by("opened_at", "pk")])


@holds
def credit(patient: Patient, whole: bool, by: User | None) -> Section:
    """先诊疗后付费: what was agreed to, and how often the person was reminded."""
    rows = CreditAgreement.objects.filter(patient=patient) if whole and by is None else CreditAgreement.objects.none()
    entries = [
        [
            Field("organization", _("机构"), row.organization.name),
            Field("signed_at", _("签署时间"), row.signed_at),
            Field("limit", _("额度（元）"), str(row.limit)),
            Field("days", _("付清天数"), str(row.days)),
            Field("effective_from", _("生效日"), str(row.effective_from)),
            Field("effective_to", _("失效日"), str(row.effective_to or "")),
        ]
        for row in rows.select_related("organization").order_by("signed_at", "pk")
    ]
    return Section("credit", _("先诊疗后付费协议"), entries)


def _invoice(row: Invoice) -> Entry:
    lines = (f"{line.name} ¥{line.amount} {line.get_status_display()}" for line in row.lines.all())
    paid = [each for each in row.payments.all() if each.status == Payment.Status.SUCCEEDED]
    numbered = [each for each in row.receipts.all() if each.number]
    back = [refund for each in paid for refund in each.refunds.all()]
    return [
        Field("organization", _("机构"), row.organization.name),
        Field("insurance", _("医保"), row.get_insurance_display()),
        Field("opened_at", _("开单时间"), row.opened_at),
        Field("status", _("状态"), row.get_status_display()),
        Field("total", _("合计"), str(row.total)),
        Field("fund_paid", _("统筹支付"), str(row.fund_paid)),
        Field("account_paid", _("个人账户支付"), str(row.account_paid)),
        Field("cash_paid", _("个人自付"), str(row.cash_paid)),
        Field("lines", _("收费项目"), _("；").join(lines)),
        Field("payments", _("支付"), _("；").join(f"{each.get_means_display()} ¥{each.amount}" for each in paid)),
        Field("refunds", _("退费"), _("；").join(f"{each.get_means_display()} ¥{each.amount}" for each in back)),
        Field("receipts", _("票据"), _("；").join(f"{each.get_kind_display()} {each.number}" for each in numbered)),
        Field("paid_at", _("付清时间"), row.paid_at),
    ]
