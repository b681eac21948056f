"""电话名单: several requests at once, one patient after the other, what was heard. And requests that come on paper."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exams.forms.centre import ChosenForm, ContactForm, PaperForm
from exams.models import ExamRequest, ExamVariant
from exams.selectors import find, worklist
from exams.selectors.screening import questions_for
from exams.services import centre
from hospital import audit, clock, masking
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import role_required
from hospital.views.code_pages import onward

from .centre import CALLS
from .centre_page import render_page
from .centre_reach import CENTRE, houses
from .centre_reach import patient as found_patient

MOST = 200
"""Requests on one call list: more than a day's calls."""


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def calls(request: HttpRequest):
    """The list of whom this person is going to call. POST adds what was ticked in the worklist."""
    if request.method == "POST":
        return _add(request)
    people = _people(request)
    context = {"people": people, "left": sum(1 for each in people if each["waits"])}
    return render(request, "exams/centre/calls.html", context)


def _add(request: HttpRequest):
    name = "p" if request.POST.get("whole") else "r"  # the whole page, or what is ticked
    form = ChosenForm({"r": request.POST.getlist(name)})
    if not form.is_valid():
        messages.error(request, _("还没有勾选。请先在左边勾选要打电话的检查。"))
        return redirect(onward(request) or "exams:exam_centre")
    mine = ExamRequest.objects.filter(organization__in=houses(request), pk__in=form.cleaned_data["r"])
    known = set(mine.values_list("pk", flat=True))
    listed = request.session.get(CALLS, [])
    added = [pk for pk in form.cleaned_data["r"] if pk in known and pk not in listed]
    request.session[CALLS] = (listed + added)[:MOST]
    return redirect("exams:exam_calls")


def _people(request: HttpRequest) -> list[dict]:
    """The list by patient, in its order, with what is still open of each. Two queries."""
    ids = request.session.get(CALLS, [])
    rows = worklist.to_call(ids, organizations=houses(request))
    people: dict[int, dict] = {}
    for row in sorted(rows, key=lambda row: ids.index(row.pk)):
        one = people.setdefault(
            row.patient_id,
            {
                "patient": row.patient,
                "name": masking.name(row.patient.name),
                "phone": masking.phone(row.patient.phone),
                "rows": [],
                "heard": "",
                "waits": False,
            },
        )
        one["rows"].append(row)
        one["heard"] = one["heard"] or worklist.OUTCOMES.get(row.heard, "")
        one["heard_at"] = row.heard_at
        one["waits"] = one["waits"] or row.waits
    return list(people.values())


@require_POST
@never_cache
@role_required(*CENTRE)
def clear(request: HttpRequest):
    """清空名单: nothing but the list goes."""
    request.session.pop(CALLS, None)
    return redirect("exams:exam_calls")


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def call(request: HttpRequest, pk: int):
    """The one who is being called: the whole number, on this page only and in the trail; then the outcome."""
    people = _people(request)
    one = next((each for each in people if each["patient"].pk == pk), None)
    if one is None:
        messages.info(request, _("这位患者不在您的电话名单里，请先加入名单。"))
        return redirect("exams:exam_centre_patient", get_object_or_404(Patient, pk=pk, active=True).pk)
    form = ContactForm(request.POST if request.method == "POST" else None, label_suffix="")
    if form.is_valid():
        said = form.cleaned_data
        centre.note_call(patient=one["patient"], requests=one["rows"], by=request.user, now=clock.now(), **said)
        return _next(request, people, after=pk)
    _trace(request, one["patient"])
    context = {
        "one": one,
        "patient": one["patient"],
        "number": one["patient"].phone,
        "documents": list(one["patient"].identifiers.order_by("pk")),
        "form": form,
        "contacts": worklist.contacts_of(one["patient"], organizations=houses(request)),
        "place": people.index(one) + 1,
        "total": len(people),
        "following": _following(people, after=pk),
    }
    return render_page(request, "exams/centre/call.html", context, status=422 if form.errors else 200)


def _trace(request: HttpRequest, person: Patient) -> None:
    """Whose number was shown to whom; once in ten minutes, however often the page is looked at."""
    audit.saw_patient(patient=person, actor=request.user, where="exam_call", now=clock.now(), request=request)


def _following(people: list[dict], *, after: int) -> int | None:
    """The next who waits for a call, round the list."""
    places = [each["patient"].pk for each in people]
    here = places.index(after)
    turned = people[here + 1 :] + people[:here]
    return next((each["patient"].pk for each in turned if each["waits"] and not each["heard"]), None)


def _next(request: HttpRequest, people: list[dict], *, after: int):
    following = _following(people, after=after)
    if following is None:
        messages.success(request, _("已记下。名单上的患者都联系过一遍了。"))
        return redirect("exams:exam_calls")
    messages.success(request, _("已记下，现在是下一位。"))
    return redirect("exams:exam_call", following)


# ---- 纸质申请 ----


@require_safe
@never_cache
@role_required(*CENTRE)
def paper_choose(request: HttpRequest, pk: int):
    """Which exam the paper asks for, found by name or pinyin initials."""
    person = found_patient(pk)
    audit.saw_patient(patient=person, actor=request.user, where="exam_centre", now=clock.now(), request=request)
    text = request.GET.get("q", "")[:40]
    found = [one for house in sorted(houses(request)) for one in find.search(text, organization_id=house)]
    context = {"patient": person, "q": text.strip(), "found": [one for one in found if one.sort == "item"]}
    return render(request, "exams/centre/paper_choose.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*CENTRE)
def paper(request: HttpRequest, pk: int, variant: int):
    """纸质申请 of another house's doctor: the exam, what for and from whom, and its questions."""
    person, now = found_patient(pk), clock.now()
    rows = ExamVariant.objects.filter(item__organization__in=houses(request), item__active=True, active=True)
    wanted = get_object_or_404(rows.select_related("item"), pk=variant)
    audit.saw_patient(patient=person, actor=request.user, where="exam_centre", now=now, request=request)
    asked = questions_for([wanted], patient=person, day=clock.today(now))
    form = PaperForm(request.POST if request.method == "POST" else None, questions=asked, today=clock.today(now))
    refusal = None
    if form.is_valid():
        try:
            _add_paper(request, person, wanted, form, now=now)
        except Refused as refused:
            refusal = refused
        else:
            messages.success(request, _("已添加申请，可以预约了。"))
            return redirect("exams:exam_centre_patient", pk)
    context = {"patient": person, "variant": wanted, "form": form, "refusal": refusal}
    status = refusal.status if refusal else 422 if form.errors else 200
    return render_page(request, "exams/centre/paper.html", context, status=status)


def _add_paper(request: HttpRequest, person: Patient, variant: ExamVariant, form: PaperForm, *, now) -> None:
    said = form.cleaned_data
    centre.add_from_paper(
        patient=person,
        variant=variant,
        answers=form.answers,
        reason=said["reason"],
        priority=said["priority"],
        wanted_by=said["wanted_by"],
        by=request.user,
        now=now,
    )
