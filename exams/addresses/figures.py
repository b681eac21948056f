"""检查指标 in the office."""

from django.urls import path

from exams.views import figures

urlpatterns = [path("office/exams/figures/", figures.figures, name="office_exam_figures")]
