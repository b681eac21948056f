"""Addresses of the money: one module of addresses/ for each part, collected here."""

from django.urls import include, path

from .addresses import callbacks, cashier, consult, desk_pay, finance, giving, insurance, kiosk, pay, prices, receipts

app_name = "billing"
urlpatterns = [
    path("api/v1/", include("billing.api.urls")),
    *callbacks.urlpatterns,
    *giving.urlpatterns,
    *pay.urlpatterns,
    *insurance.urlpatterns,
    *consult.urlpatterns,
    *desk_pay.urlpatterns,
    *prices.urlpatterns,
    *finance.urlpatterns,
    *cashier.urlpatterns,
    *kiosk.urlpatterns,
    *receipts.urlpatterns,
]
