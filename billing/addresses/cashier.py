"""收费窗口 and 班次."""

from django.urls import path

from billing.views import cashier, cashier_pay, cashier_shift

urlpatterns = [
    path("cashier/", cashier.home, name="cashier"),
    path("cashier/patient/<int:pk>/", cashier.patient, name="cashier_patient"),
    path("cashier/patient/<int:pk>/sell/", cashier.sell, name="cashier_sell"),
    path("cashier/prices/", cashier.prices, name="cashier_prices"),
    path("cashier/invoice/<uuid:token>/", cashier.invoice, name="cashier_invoice"),
    path("cashier/invoice/<uuid:token>/take/", cashier_pay.take, name="cashier_take"),
    path("cashier/invoice/<uuid:token>/free/", cashier_pay.free, name="cashier_free"),
    path("cashier/invoice/<uuid:token>/waiting/", cashier_pay.waiting, name="cashier_waiting"),
    path("cashier/invoice/<uuid:token>/look/", cashier_pay.look, name="cashier_look"),
    path("cashier/invoice/<uuid:token>/stop/", cashier_pay.stop, name="cashier_stop"),
    path("cashier/invoice/<uuid:token>/done/", cashier_pay.done, name="cashier_done"),
    path("cashier/invoice/<uuid:token>/off/<int:line>/", cashier.take_off, name="cashier_take_off"),
    path("cashier/invoice/<uuid:token>/back/<int:line>/", cashier.give_back, name="cashier_give_back"),
    path("cashier/invoice/<uuid:token>/out/", cashier.hand_out, name="cashier_hand_out"),
    path("cashier/shift/", cashier_shift.mine, name="cashier_shift"),
    path("cashier/shift/open/", cashier_shift.open_, name="cashier_shift_open"),
    path("cashier/shift/count/", cashier_shift.count, name="cashier_shift_count"),
    path("cashier/shift/reopen/", cashier_shift.reopen, name="cashier_shift_reopen"),
    path("cashier/shift/payment/<int:payment>/", cashier_shift.received, name="cashier_received"),
    path("cashier/shifts/", cashier_shift.listed, name="cashier_shifts"),
    path("cashier/shifts/<int:pk>/", cashier_shift.one, name="cashier_shift_one"),
    path("cashier/shifts/<int:pk>/count/", cashier_shift.count_left, name="cashier_shift_count_left"),
    path("cashier/shifts/<int:pk>/close/", cashier_shift.close, name="cashier_shift_close"),
]
