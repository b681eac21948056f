from django.urls import path

from referrals.views import booking, detail, office

urlpatterns = [
    path("referral-office/", office.worklist, name="referral_office"),
    path("referrals/<int:pk>/", detail.page, name="referral"),
    path("referrals/<int:pk>/phone/", detail.phone, name="referral_phone"),
    path("referrals/<int:pk>/book/", booking.page, name="referral_book"),
    path("referrals/<int:pk>/book/<int:appointment>/", booking.link, name="referral_link"),
    path("referrals/<int:pk>/act/<slug:act>/", detail.act, name="referral_act"),
]
