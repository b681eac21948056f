"""Addresses of referrals for programs."""

from django.urls import path

from . import files, referrals

urlpatterns = [
    path("referrals/", referrals.Referrals.as_view(), name="api_referrals"),
    path("referrals/<int:pk>/", referrals.OneReferral.as_view(), name="api_referral"),
    path("referrals/<int:pk>/send/", referrals.Send.as_view(), name="api_referral_send"),
    path("referrals/<int:pk>/answer/", referrals.Answer.as_view(), name="api_referral_answer"),
    path("referrals/<int:pk>/withdraw/", referrals.Withdraw.as_view(), name="api_referral_withdraw"),
    path("referrals/<int:pk>/attachments/", files.Attachments.as_view(), name="api_referral_attachments"),
]
