"""Addresses of the money for programs."""

from django.urls import path

from . import invoices

urlpatterns = [
    path("invoices/", invoices.Invoices.as_view(), name="api_invoices"),
    path("invoices/<int:pk>/", invoices.OneInvoice.as_view(), name="api_invoice"),
    path("invoices/<int:pk>/pay/", invoices.Pay.as_view(), name="api_invoice_pay"),
]
