"""诊间收费."""

from django.urls import path

from billing.views import consult_till

urlpatterns = [
    path("consult/pay/", consult_till.start, name="consult_pay"),
    path("consult/pay/open/", consult_till.open_bill, name="consult_pay_open"),
    path("consult/pay/send/", consult_till.send, name="consult_pay_send"),
    path("consult/pay/look/", consult_till.look, name="consult_pay_look"),
    path("consult/pay/leave/", consult_till.leave, name="consult_pay_leave"),
    path("consult/pay/credit/", consult_till.credit, name="consult_pay_credit"),
    path("consult/pay/free/", consult_till.free, name="consult_pay_free"),
]
