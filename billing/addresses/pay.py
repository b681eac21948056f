"""缴费 on the phone, and 我的账单."""

from django.urls import path

from billing.views import pay, ways

urlpatterns = [
    path("invoices/", pay.mine, name="my_invoices"),
    path("pay/for/<str:kind>/<int:pk>/", ways.pay_for, name="pay_for"),
    path("pay/<uuid:token>/", pay.pay, name="pay"),
    path("pay/<uuid:token>/start/", pay.start, name="pay_start"),
    path("pay/<uuid:token>/look/", pay.look, name="pay_look"),
    path("pay/<uuid:token>/leave/", pay.leave, name="pay_leave"),
    path("pay/<uuid:token>/free/", pay.free, name="pay_free"),
    path("pay/<uuid:token>/credit/", pay.credit, name="pay_credit"),
    path("pay/<uuid:token>/state/", pay.state, name="pay_state"),
]
