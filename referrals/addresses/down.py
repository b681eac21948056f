"""下转, 随访名单, the consult room's panel, and the patient's own referrals."""

from django.urls import path

from referrals.views import down, down_consult, down_patient, follow_ups

urlpatterns = [
    path("referrals/<int:pk>/down/", down.of_referral, name="down_referral"),
    path("referrals/<int:pk>/plan/", down.slip, name="plan_slip"),
    path("encounters/<int:pk>/down/", down.of_encounter, name="down_encounter"),
    path("admissions/<int:pk>/down/", down.of_admission, name="down_admission"),
    path("follow-ups/", follow_ups.listed, name="follow_ups"),
    path("follow-ups/<int:pk>/", follow_ups.one, name="follow_up"),
    path("consult/referral/complete/", down_consult.complete, name="consult_complete"),
    path("consult/referral/results/", down_consult.results, name="consult_results"),
    path("my-referrals/", down_patient.mine, name="my_referrals"),
    path("my-referrals/<int:pk>/", down_patient.one, name="my_referral"),
]
