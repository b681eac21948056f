"""转诊办待办 /referral-office/ (R4): what reached the house and needs somebody, overdue first."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hospital import clock, masking, permissions
from hospital.models import Organization, Role
from hospital.permissions import role_required
from referrals.forms.office import ListForm
from referrals.selectors import office
from referrals.selectors.ringing import ringing_at

PAGE = 50
OFFICE = (Role.REFERRAL,)


def houses(request: HttpRequest) -> frozenset[int]:
    """Where the user has the referral office."""
    return permissions.organizations_of(request.user, *OFFICE)


@require_safe
@never_cache
@role_required(*OFFICE)
def worklist(request: HttpRequest) -> HttpResponse:
    """待办, narrowed and paged; htmx asks for the table and the counts alone, each half minute."""
    now, mine = clock.now(), houses(request)
    form = ListForm(request.GET, houses=mine)
    wanted = form.wanted
    page = Paginator(office.listed(mine, wanted, now=now).values_list("pk", flat=True), PAGE).get_page(
        request.GET.get("page")
    )
    counted = office.counts(mine, now=now)
    alone = bool(request.htmx) and request.htmx.target == "referrals"
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "turns": [(turn, word, counted.turns.get(turn)) for turn, word in ListForm.TURNS],
        "late": counted.late,
        "calls": [] if alone else ringing_at(mine),
        "lines": [_line(row, now=now) for row in office.in_full(page)],
        "organizations": Organization.objects.filter(pk__in=mine).order_by("code"),
        "in_office": True,
        "now": now,
    }
    return render(request, "referrals/office/_fresh.html" if alone else "referrals/office/worklist.html", context)


def _line(row, *, now) -> dict:
    """One referral as the list shows it: masked."""
    return {
        "row": row,
        "name": masking.name(row.patient.name),
        "late": row.due_at is not None and row.due_at <= now,
        "closed": office.place_is_closed(row),
        "ringing": row.urgency == "green" and hasattr(row, "green") and row.green.acknowledged_at is None,
    }
