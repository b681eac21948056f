"""危急值: the open list, what was done about each, and the banner that the consult page asks for."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from exams.forms.reports import AcknowledgeForm
from exams.models import CriticalNotice
from exams.selectors import reports as selectors
from exams.services import reports as service
from exams.services.reports.reading import Way
from hospital import clock, masking, permissions
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required

from . import reports_reach as reach

PAGE = 40
MOST_OPEN = 200
ROOMS = (Role.DOCTOR, Role.WARD)
EVERYBODY = (*ROOMS, *reach.WATCHERS)


def _reader(request: HttpRequest) -> selectors.Reader:
    return selectors.Reader(
        user=request.user, houses=reach.houses(request, *reach.WATCHERS), rooms=reach.houses(request, *ROOMS)
    )


def _masked(rows) -> list[CriticalNotice]:
    rows = list(rows)
    for row in rows:
        row.masked = masking.name(row.version.report.patient.name)
    return rows


@require_safe
@never_cache
@role_required(*EVERYBODY)
def listed(request: HttpRequest) -> HttpResponse:
    """Open ones by when they are due; the settled ones below, latest first."""
    reader, now = _reader(request), clock.now()
    settled = selectors.notices(reader).filter(acknowledged_at__isnull=False)
    page = Paginator(settled.order_by("-acknowledged_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    context = {
        "open": _masked(selectors.open_notices(reader)[:MOST_OPEN]),
        "page": page,
        "settled": _masked(page),
        "now": now,
        "may_read": permissions.has_role(request.user, *reach.READERS),
    }
    return render(request, "exams/reports/critical.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*EVERYBODY)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """What the report says, and 确认: what was done. Looking at it is reading the report."""
    notice = get_object_or_404(selectors.notices(_reader(request)), pk=pk)
    form, refusal, now = AcknowledgeForm(request.POST or None), None, clock.now()
    if request.method == "POST" and form.is_valid():
        try:
            service.acknowledge(notice=notice, note=form.cleaned_data["note"], by=request.user, now=now)
            return redirect("exams:critical")
        except Refused as refused:
            refusal = refused
            notice = selectors.notices(_reader(request)).get(pk=pk)
    _masked([notice])
    may_read = _may_read(request, notice)
    if may_read and request.method == "GET":
        service.read(version=notice.version, way=Way.STAFF, user=request.user, now=now)
    house = notice.version.report.variant.item.organization_id
    may_open = permissions.may_act_in(request.user, house, *reach.READERS)
    context = {"notice": notice, "form": form, "refusal": refusal, "now": now, "may_read": may_read}
    context["may_open"] = may_open
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "exams/reports/critical_one.html", context, status=status)


def _may_read(request: HttpRequest, notice: CriticalNotice) -> bool:
    """An office sees that there is something, not what it says; the doctor of the request reads from anywhere."""
    doctor = getattr(request.user, "practitioner", None)
    if doctor is not None and notice.doctor_id == doctor.pk:
        return True
    house = notice.version.report.variant.item.organization_id
    return permissions.may_act_in(request.user, house, *reach.READERS)


@require_safe
@never_cache
@role_required(*EVERYBODY)
def banner(request: HttpRequest) -> HttpResponse:
    """Nothing, or the open ones of the signed-in doctor: the consult page asks for it when it opens and each minute."""
    notices = _masked(selectors.for_the_doctor(request.user)[:5])
    return render(request, "exams/reports/_critical_banner.html", {"notices": notices, "now": clock.now()})
