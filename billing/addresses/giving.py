"""退费待办, 先诊疗后付费 and the figures of the money."""

from django.urls import path

from billing.views import credit, credit_places, credit_window, money_figures, refunds

urlpatterns = [
    path("refunds/", refunds.refunds, name="refunds"),
    path("refunds/<int:pk>/", refunds.refund, name="refund"),
    path("refunds/<int:pk>/again/", refunds.ask_again, name="refund_again"),
    path("refunds/<int:pk>/pay-out/", refunds.pay_out, name="refund_pay_out"),
    path("credit/", credit.mine, name="my_credit"),
    path("credit/<int:house>/<int:patient>/", credit.sign, name="credit_sign"),
    path("credit/<int:house>/<int:patient>/end/", credit.end, name="credit_end"),
    path("credit/<int:house>/<int:patient>/settle/", credit.settle, name="settle_owed"),
    path("cashier/credit/", credit_window.find, name="window_credit"),
    path("cashier/credit/<int:pk>/", credit_window.person, name="window_credit_person"),
    path("cashier/credit/<int:pk>/paper/", credit_window.paper, name="window_credit_paper"),
    path("cashier/credit/<int:pk>/sign/", credit_window.sign, name="window_credit_sign"),
    path("cashier/credit/<int:pk>/end/", credit_window.end, name="window_credit_end"),
    path("cashier/credit/<int:pk>/settle/", credit_window.settle, name="window_settle"),
    path("cashier/credit/use/<uuid:token>/", credit_window.use, name="on_credit"),
    path("kiosk/owed/", credit_places.at_the_kiosk, name="kiosk_settle"),
    path("kiosk/owed/<uuid:token>/", credit_places.later_at_the_kiosk, name="kiosk_credit"),
    path("consult/owed/<int:house>/<int:patient>/", credit_places.in_the_room, name="consult_settle"),
    path("office/money-figures/", money_figures.figures, name="money_figures"),
    path("office/money-figures/rows/", money_figures.rows, name="money_figure_rows"),
    path("office/money-figures/export/", money_figures.export, name="money_figures_export"),
]
