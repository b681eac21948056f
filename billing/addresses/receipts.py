"""票据: on the phone, at the window, and the page behind the code on the paper."""

from django.urls import path

from billing.views import cashier_receipts, receipts

urlpatterns = [
    path("receipts/", receipts.mine, name="receipts"),
    path("receipts/ask/<uuid:token>/", receipts.ask, name="receipt_ask"),
    path("receipts/<str:token>/", receipts.one, name="receipt"),
    path("receipts/<str:token>/file/", receipts.file, name="receipt_file"),
    path("receipt/<str:token>/", receipts.check, name="receipt_check"),
    path("cashier/receipts/", cashier_receipts.listed, name="cashier_receipts"),
    path("cashier/receipts/<int:pk>/", cashier_receipts.one, name="cashier_receipt"),
    path("cashier/receipts/<int:pk>/file/", cashier_receipts.file, name="cashier_receipt_file"),
    path("cashier/receipts/<int:pk>/void/", cashier_receipts.void, name="cashier_receipt_void"),
    path("cashier/receipts/<int:pk>/again/", cashier_receipts.again, name="cashier_receipt_again"),
    path("cashier/invoice/<uuid:token>/receipt/", cashier_receipts.ask, name="cashier_receipt_ask"),
]
