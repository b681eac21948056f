"""转诊指标."""

from django.urls import path

from referrals.views import figures

urlpatterns = [
    path("referral-office/figures/", figures.figures, name="referral_figures"),
    path("referral-office/figures/rows/", figures.rows, name="referral_figure_rows"),
    path("referral-office/figures/export/", figures.export, name="referral_figures_export"),
]
