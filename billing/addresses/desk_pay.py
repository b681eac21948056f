"""Where staff and the kiosk lead somebody to pay for what was just held."""

from django.urls import path

from billing.views import desk_pay

urlpatterns = [
    path("desk/pay/<str:kind>/<int:pk>/", desk_pay.desk_pay_for, name="desk_pay_for"),
    path("desk/pay/<uuid:token>/", desk_pay.desk_pay, name="desk_pay"),
    path("desk/pay/<uuid:token>/send/", desk_pay.send, name="desk_pay_send"),
    path("desk/pay/<uuid:token>/state/", desk_pay.state, name="desk_pay_state"),
    path("kiosk/pay/<str:kind>/<int:pk>/", desk_pay.kiosk_pay_for, name="kiosk_pay_for"),
]
