"""医保: its panel on the pages that take money, and the office's tables."""

from django.urls import path

from billing.views import insurance, insurance_office

urlpatterns = [
    path("pay/<uuid:token>/insurance/", insurance.insurance, name="insurance"),
    path("pay/<uuid:token>/insurance/look/", insurance.look, name="insurance_look"),
    path("finance/insurance/<int:pk>/again/", insurance_office.again, name="insurance_again"),
    path("office/insurance/", insurance_office.rules, name="insurance_rules"),
    path("office/insurance/<str:kind>/new/", insurance_office.rule_new, name="insurance_rule_new"),
    path("office/insurance/rules/<int:pk>/withdraw/", insurance_office.rule_withdraw, name="insurance_rule_withdraw"),
    path("office/insurance/items/", insurance_office.items, name="insurance_items"),
    path("office/insurance/items/import/", insurance_office.bring, name="insurance_import"),
    path("office/insurance/items/blank.xlsx", insurance_office.blank, name="insurance_blank"),
    path("office/insurance/items/present.xlsx", insurance_office.present, name="insurance_present"),
    path("office/insurance/items/one/", insurance_office.item, name="insurance_item"),
]
