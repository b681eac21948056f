"""检查预约中心 (E2): the worklist, any patient, and what is known and booked of one."""

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exams.forms.centre import ListForm, WhyForm
from exams.models import ContactNote, ExamBooking, ExamNoShow, ExamRequest
from exams.policies import screening as screening_policy
from exams.policies.requesting import questions_of
from exams.selectors import standing, worklist
from exams.selectors.screening import questions_for
from exams.services import noshow
from hospital import audit, clock, masking
from hospital.models import Organization, Patient
from hospital.permissions import role_required

from . import finding
from .centre_page import render_page
from .centre_reach import CENTRE, houses
from .centre_reach import patient as found_patient

PAGE = 50
CALLS = "exam_calls"  # in the session: ids of the requests on this person's call list, in their order


@require_safe
@never_cache
@role_required(*CENTRE)
def worklist_page(request: HttpRequest):
    """待办: what nobody has booked, narrowed and paged."""
    now, mine = clock.now(), houses(request)
    form = ListForm(request.GET, houses=mine)
    wanted = form.wanted
    ids = worklist.listed(mine, wanted, now=now).values_list("pk", flat=True)
    page = Paginator(ids, PAGE).get_page(request.GET.get("page"))
    rows = worklist.in_full(page)
    counts = worklist.counts(mine)
    more = worklist.how_many({row.patient_id for row in rows}, mine)
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "kinds": [(kind, word, counts[kind]) for kind, word in ListForm.KINDS],
        "lines": [_line(row, more, now=now) for row in rows],
        "organizations": Organization.objects.filter(pk__in=mine),
        "calling": len(request.session.get(CALLS, [])),
    }
    return render(request, "exams/centre/worklist.html", context)


def _line(row: ExamRequest, more: dict[int, int], *, now) -> dict:
    """One request as the list shows it: masked."""
    return {
        "row": row,
        "name": masking.name(row.patient.name),
        "phone": masking.phone(row.patient.phone),
        "days": (clock.today(now) - clock.today(row.asked_at)).days,
        "late": row.wanted_by is not None and row.wanted_by < clock.today(now),
        "others": more.get(row.patient_id, 1) - 1,
        "heard": dict(ContactNote.Outcome.choices).get(row.heard, ""),
    }


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def find(request: HttpRequest):
    return finding.find(
        request,
        houses=houses(request),
        where="exam_centre",
        template="exams/centre/find.html",
        target="exams:exam_centre_patient",
    )


@require_safe
@never_cache
@role_required(*CENTRE)
def patient(request: HttpRequest, pk: int):
    """One patient: what is to be booked, what is booked, what was missed, who called when."""
    return show_patient(request, found_patient(pk))


def show_patient(request: HttpRequest, person: Patient, *, refusal=None, form=None, about: str = ""):
    """`form`: what was typed and is wrong, in the place that `about` names."""
    now, mine = clock.now(), houses(request)
    audit.saw_patient(patient=person, actor=request.user, where="exam_centre", now=now, request=request)
    rows = worklist.open_requests(person, organizations=mine)
    asked = questions_for([row.variant for row in rows], patient=person, day=clock.today(now))
    context = {
        "patient": person,
        "phone": masking.phone(person.phone),
        "documents": list(person.identifiers.order_by("pk")),
        "lines": [_asked(row, asked, now=now) for row in rows],
        "bookings": [_booked(row) for row in worklist.bookings_of(person, organizations=mine, today=clock.today(now))],
        "contacts": worklist.contacts_of(person, organizations=mine),
        "missed": worklist.missed_by(person, organizations=mine, since=clock.today(now) - timedelta(days=366)),
        "suspended": _suspended(person, mine, now=now),
        "on_the_list": person.pk in _people_on_the_list(request),
        "refusal": refusal,
        "form": form,
        "about": about,
    }
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    return render_page(request, "exams/centre/patient.html", context, status=status)


def _asked(row: ExamRequest, asked: list, *, now) -> dict:
    """An open request with what its answers mean so far. `asked`: the questions of all of them."""
    questions = questions_of(row.variant, questions=asked, patient=row.patient, day=clock.today(now))
    return {"row": row, "verdict": screening_policy.judge(questions, row.answers), "asks": len(questions)}


def _booked(row: ExamBooking) -> dict:
    status = ExamBooking.Status
    return {
        "row": row,
        "displaced": not row.holds and row.status in (status.BOOKED, status.ARRIVED),
        "may_change": row.status in (status.BOOKED, status.PENDING) or not row.holds,
    }


def _suspended(person: Patient, mine, *, now):
    untils = [standing.suspended_until(person.pk, house, now=now) for house in sorted(mine)]
    return max(filter(None, untils), default=None)


def _people_on_the_list(request: HttpRequest) -> set[int]:
    ids = request.session.get(CALLS, [])
    return set(ExamRequest.objects.filter(pk__in=ids).values_list("patient", flat=True)) if ids else set()


@require_POST
@never_cache
@role_required(*CENTRE)
def excuse(request: HttpRequest, pk: int):
    """爽约申诉 granted: it does not count any more."""
    rows = ExamNoShow.objects.select_related("patient", "booking__request")
    row = get_object_or_404(rows, pk=pk, booking__request__organization__in=houses(request))
    form = WhyForm(request.POST, label_suffix="")
    if not form.is_valid():
        return show_patient(request, row.patient, form=form, about=f"noshow-{row.pk}")
    noshow.excuse(noshow=row, reason=form.cleaned_data["reason"], by=request.user, now=clock.now())
    messages.success(request, _("已取消这次爽约记录。"))
    return redirect("exams:exam_centre_patient", row.patient_id)
