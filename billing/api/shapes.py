"""What programs send and are given of the money. Yuan as strings with two decimals; no personal data."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from appointments.api.serializers import PatientBrief
from billing.models import ChargeItem, Invoice, Means, Payment, Refund, Way
from billing.selectors import sums
from hospital.api.filters import LARGEST
from hospital.api.places import Fee
from hospital.integration.shapes import Choice, Strict, Whole

BY_PROGRAM = [(Means.WECHAT.value, Means.WECHAT.label), (Means.ALIPAY.value, Means.ALIPAY.label)]


class OpenIn(Strict):
    """开单: for a booking of the account's people, whether held or confirmed."""

    appointment = Whole(min_value=1, max_value=LARGEST)


class PayIn(Strict):
    """Everything that is owed, by one of the gateways that the hospital has."""

    means = Choice(choices=BY_PROGRAM)
    payer_ip = serializers.IPAddressField(
        required=False, help_text="Of the payer's phone: some gateways refuse without it. Passed on, kept nowhere."
    )


class LineOut(serializers.Serializer):
    """收费项目."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(ChargeItem.Kind.choices)
    appointment = serializers.IntegerField(source="appointment_id", allow_null=True)
    exam = serializers.IntegerField(source="exam_id", allow_null=True)
    code = serializers.CharField(help_text="价目代码.")
    name = serializers.CharField()
    amount = Fee()
    status = serializers.ChoiceField(ChargeItem.Status.choices)
    hold_until = serializers.DateTimeField(
        allow_null=True, help_text="The booking's own clock; null once it is confirmed, and of a service."
    )


class RefundOut(serializers.Serializer):
    id = serializers.IntegerField()
    line = serializers.IntegerField(source="line_id", allow_null=True)
    amount = Fee()
    reason = serializers.ChoiceField(Refund.Reason.choices)
    status = serializers.ChoiceField(Refund.Status.choices)
    done_at = serializers.DateTimeField(allow_null=True)


class PaymentOut(serializers.Serializer):
    """支付. While it is `pending`, `url` is the page on which the payer pays, or `qr` what is shown to be scanned."""

    id = serializers.IntegerField()
    means = serializers.ChoiceField(Means.choices)
    way = serializers.ChoiceField(Way.choices)
    amount = Fee()
    status = serializers.ChoiceField(Payment.Status.choices)
    url = serializers.SerializerMethodField()
    qr = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField(allow_null=True)
    succeeded_at = serializers.DateTimeField(allow_null=True)
    refunds = RefundOut(many=True)

    @extend_schema_field(serializers.CharField())
    def get_url(self, row):
        return row.asked.get("url", "") if row.status == Payment.Status.PENDING else ""

    @extend_schema_field(serializers.CharField())
    def get_qr(self, row):
        return row.asked.get("qr", "") if row.status == Payment.Status.PENDING else ""


class InvoiceOut(serializers.Serializer):
    """账单: total = fund + account + cash. What is `owed` is counted from payments and refunds."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(Invoice.Status.choices)
    patient = PatientBrief()
    organization = serializers.CharField(source="organization.code")
    total = Fee()
    fund_paid = Fee(help_text="统筹支付.")
    account_paid = Fee(help_text="个人账户支付.")
    cash_paid = Fee(help_text="个人自付: what the person pays, by whatever means.")
    held = serializers.SerializerMethodField(help_text="Received and not given back or promised back.")
    owed = serializers.SerializerMethodField(help_text="Still to be paid.")
    opened_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="Of one on credit.")
    lines = LineOut(many=True)
    payments = PaymentOut(many=True)

    @extend_schema_field(Fee())
    def get_held(self, row):
        return f"{_held(row):.2f}"

    @extend_schema_field(Fee())
    def get_owed(self, row):
        return f"{max(row.cash_paid - _held(row), 0):.2f}"


def _held(row: Invoice):
    """As selectors.sums counts it, from what is fetched already."""
    taken = [each for each in row.payments.all() if each.status == Payment.Status.SUCCEEDED]
    back = (refund.amount for each in taken for refund in each.refunds.all())
    return sums.total(each.amount for each in taken) - sums.total(back)
