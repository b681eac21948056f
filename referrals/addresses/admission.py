"""住院与日间手术 /admissions/, its panel in the consult room, and the patient's own."""

from django.urls import path, re_path

from referrals.policies.admission import Act
from referrals.views import admission, admission_consult, admission_patient

ACTS = "|".join(Act)

urlpatterns = [
    path("admissions/", admission.worklist, name="admissions"),
    path("admissions/new/", admission.new, name="admission_new"),
    path("admissions/<int:pk>/", admission.one, name="admission"),
    path("admissions/<int:pk>/needs/<int:need>/", admission.need, name="admission_need"),
    re_path(rf"^admissions/(?P<pk>\d+)/(?P<act>{ACTS})/$", admission.act, name="admission_act"),
    path("consult/admission/", admission_consult.ask, name="admission_consult"),
    path("my-admissions/", admission_patient.mine, name="my_admissions"),
]
