"""价目: the office's and the public's; 结算规则."""

from django.urls import path

from appointments.views.office import numbers
from billing.views import prices
from billing.views.payment_rules import PAGES

NUMBERS = {"pages": PAGES}

urlpatterns = [
    path("prices/", prices.prices, name="prices"),
    path("office/prices/", prices.office_prices, name="office_prices"),
    path("office/prices/new/", prices.price_new, name="price_new"),
    path("office/prices/import/", prices.price_import, name="price_import"),
    path("office/prices/export/", prices.price_export, name="price_export"),
    path("office/prices/rows/<int:pk>/withdraw/", prices.price_withdraw, name="price_withdraw"),
    path("office/prices/rows/<int:pk>/end/", prices.price_end, name="price_end"),
    path("office/prices/of/<str:code>/", prices.office_price, name="office_price"),
    path("office/payment-rules/", numbers.listed, NUMBERS, name="payment_rules"),
    path("office/payment-rules/new/", numbers.new, NUMBERS, name="payment_rule_new"),
    path("office/payment-rules/<int:pk>/", numbers.one, NUMBERS, name="payment_rule"),
    path("office/payment-rules/<int:pk>/withdraw/", numbers.withdraw, NUMBERS, name="payment_rule_withdraw"),
]
