"""自助机缴费."""

from django.urls import path

from billing.views import kiosk_pay

urlpatterns = [
    path("kiosk/pay/", kiosk_pay.dues, name="kiosk_dues"),
    path("kiosk/pay/<uuid:token>/", kiosk_pay.pay, name="kiosk_pay"),
    path("kiosk/pay/<uuid:token>/start/", kiosk_pay.start, name="kiosk_start"),
    path("kiosk/pay/<uuid:token>/free/", kiosk_pay.free, name="kiosk_free"),
    path("kiosk/pay/<uuid:token>/waiting/", kiosk_pay.waiting, name="kiosk_waiting"),
    path("kiosk/pay/<uuid:token>/look/", kiosk_pay.look, name="kiosk_look"),
    path("kiosk/pay/<uuid:token>/leave/", kiosk_pay.leave, name="kiosk_change"),
    path("kiosk/pay/<uuid:token>/paid/", kiosk_pay.paid, name="kiosk_paid"),
    path("kiosk/pay/<uuid:token>/receipt/", kiosk_pay.receipt, name="kiosk_receipt"),
]
