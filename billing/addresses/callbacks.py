"""Where payment gateways send their notices, and where a payer's browser comes back from them."""

from django.urls import path

from billing.views import callbacks

urlpatterns = [
    path("callbacks/back/<slug:token>/", callbacks.back, name="payment_back"),
    path("callbacks/<slug:gateway>/<str:house>/", callbacks.hear, name="payment_callback"),
]
