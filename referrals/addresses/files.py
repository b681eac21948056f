from django.urls import path

from referrals.views import files, icd10

urlpatterns = [
    path("icd10/", icd10.icd10, name="icd10"),
    path("referrals/<int:pk>/attachments/", files.attachments, name="attachments"),
    path("referrals/<int:pk>/attachments/<int:attachment>/", files.attachment, name="attachment"),
    path("referrals/<int:pk>/attachments/<int:attachment>/remove/", files.remove, name="attachment_remove"),
]
