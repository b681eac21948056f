"""检查报告 and 危急值."""

from django.urls import path

from exams.views import critical, reports, reports_link, reports_patient, reports_write

urlpatterns = [
    path("exam-reports/", reports.worklist, name="reports"),
    path("exam-reports/new/<int:booking>/", reports_write.new, name="report_new"),
    path("exam-reports/partner/", reports_write.partner, name="report_partner"),
    path("exam-reports/slips/<int:booking>/", reports_link.slip, name="report_slip"),
    path("exam-reports/<int:pk>/", reports.one, name="report"),
    path("exam-reports/<int:pk>/v/<int:number>/", reports.one, name="report_version"),
    path("exam-reports/<int:pk>/v/<int:number>/file/", reports.file, name="report_file"),
    path("exam-reports/<int:pk>/edit/", reports_write.edit, name="report_edit"),
    path("exam-reports/<int:pk>/release/", reports.release, name="report_release"),
    path("exam-reports/<int:pk>/correct/", reports_write.correct, name="report_correct"),
    path("exam-reports/<int:pk>/withdraw/", reports.withdraw, name="report_withdraw"),
    path("exam-reports/<int:pk>/readers/", reports.accesses, name="report_accesses"),
    path("critical/", critical.listed, name="critical"),
    path("critical/banner/", critical.banner, name="critical_banner"),
    path("critical/<int:pk>/", critical.one, name="critical_one"),
    path("reports/", reports_patient.mine, name="my_reports"),
    path("reports/<int:pk>/", reports_patient.one, name="my_report"),
    path("reports/<int:pk>/v/<int:number>/", reports_patient.one, name="my_report_version"),
    path("reports/<int:pk>/v/<int:number>/file/", reports_patient.file, name="my_report_file"),
    path("r/<str:token>/", reports_link.link, name="report_link"),
    path("r/<str:token>/close/", reports_link.link_close, name="report_link_close"),
    path("r/<str:token>/v/<int:number>/file/", reports_link.link_file, name="report_link_file"),
]
