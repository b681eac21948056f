from django.urls import path

from referrals.views import booking, detail, green, office, rules

urlpatterns = [
    path("referral-office/", office.worklist, name="referral_office"),
    path("referrals/<int:pk>/", detail.page, name="referral"),
    path("referrals/<int:pk>/phone/", detail.phone, name="referral_phone"),
    path("referrals/<int:pk>/book/", booking.page, name="referral_book"),
    path("referrals/<int:pk>/book/<int:appointment>/", booking.link, name="referral_link"),
    path("referrals/<int:pk>/green/", green.acknowledge, name="referral_green"),
    path("referrals/<int:pk>/green/arrange/", green.arrange, name="referral_green_arrange"),
    path("referral-office/rules/", rules.rules, name="referral_rules"),
    path("referral-office/rules/<int:pk>/withdraw/", rules.withdraw, name="referral_rule_withdraw"),
    path("referral-office/ringing/", green.ringing, name="referral_ringing"),
    path("referrals/<int:pk>/act/<slug:act>/", detail.act, name="referral_act"),
]
