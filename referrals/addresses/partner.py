from django.urls import path

from referrals.views import partner, partner_letter

urlpatterns = [
    path("partner/", partner.home, name="partner"),
    path("partner/seat/", partner.seat, name="partner_seat"),
    path("partner/numbers/", partner.numbers, name="partner_numbers"),
    path("partner/use/", partner.use, name="partner_use"),
    path("partner/residents/", partner.residents, name="residents"),
    path("partner/residents/<int:pk>/end/", partner.end, name="resident_end"),
    path("partner/patients/<str:text>/", partner.patient, name="partner_patient"),
    path("partner/patients/<str:text>/sign/", partner.sign, name="resident_sign"),
    path("partner/patients/<str:text>/refer/", partner.begin, name="partner_begin"),
    path("partner/referrals/<int:pk>/edit/", partner_letter.letter, name="partner_draft"),
    path("partner/referrals/<int:pk>/keep/", partner_letter.keep, name="partner_keep"),
    path("partner/referrals/<int:pk>/places/", partner_letter.places, name="partner_places"),
    path("partner/referrals/<int:pk>/numbers/", partner_letter.numbers, name="partner_letter_numbers"),
    path("partner/referrals/<int:pk>/discard/", partner_letter.discard, name="partner_discard"),
]
