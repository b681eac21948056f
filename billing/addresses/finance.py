from django.urls import path

from billing.views import finance, finance_cases, finance_days, finance_deposits

urlpatterns = [
    path("finance/", finance.balance, name="finance"),
    path("finance/entries/", finance.entries, name="finance_entries"),
    path("finance/entries/<int:pk>/", finance.entry, name="finance_entry"),
    path("finance/invoices/<int:pk>/", finance.invoice, name="finance_invoice"),
    path("finance/deposits/", finance_deposits.deposits, name="finance_deposits"),
    path("finance/reconciliation/", finance_days.days, name="finance_days"),
    path("finance/reconciliation/<int:pk>/", finance_days.day, name="finance_day"),
    path("finance/reconciliation/<int:pk>/fetch/", finance_days.fetch, name="finance_fetch"),
    path("finance/reconciliation/<int:pk>/close/", finance_days.close, name="finance_close"),
    path("finance/reconciliation/<int:pk>/rows/", finance_days.rows, name="finance_rows"),
    path("finance/differences/<int:pk>/take/", finance_days.take, name="finance_take"),
    path("finance/differences/<int:pk>/send-back/", finance_days.send_back, name="finance_send_back"),
    path("finance/differences/<int:pk>/by-hand/", finance_days.by_hand, name="finance_by_hand"),
    path("finance/cases/", finance_cases.cases, name="finance_cases"),
    path("finance/cases/<int:pk>/", finance_cases.case, name="finance_case"),
    path("finance/cases/<int:pk>/send-back/", finance_cases.send_back, name="finance_case_send_back"),
]
