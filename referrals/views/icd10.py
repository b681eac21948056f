"""ICD-10, asked while a doctor types: the whole field again, with what was found or with what was picked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hospital.models import Role
from hospital.permissions import role_required
from referrals.forms.icd10 import DiagnosisForm


@require_POST
@never_cache
@role_required(Role.PARTNER, Role.DOCTOR, Role.WARD, Role.REFERRAL)
def icd10(request: HttpRequest) -> HttpResponse:
    """By POST: a diagnosis that is being typed stands in no address and no log. Changes nothing."""
    return render(request, "referrals/icd10/_found.html", {"form": DiagnosisForm(request.POST)})
