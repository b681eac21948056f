"""下转: the plan on one page, from a referral, a consultation or a stay; with the number for the next visit."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.models import Appointment, Encounter, Schedule
from appointments.models.rules import Channel
from appointments.views.consult import encounters_of
from appointments.views.to_pay import at_the_desk
from hospital import audit, clock, masking, permissions
from hospital.errors import Refused
from hospital.models import Condition, Department, Organization, Patient, Practitioner, Role
from hospital.permissions import role_required
from referrals import errors
from referrals.forms.down import HERE, THERE, Look, PlanForm, look_of
from referrals.models import AdmissionRequest, Referral
from referrals.policies import follow_up as policy
from referrals.policies.allergies import names_one
from referrals.selectors import down as selectors
from referrals.selectors import scope
from referrals.services import down as service

from .down_draft import Draft

SENDERS = (Role.DOCTOR, Role.WARD, Role.REFERRAL)
READERS = (*SENDERS, Role.PARTNER)
AHEAD = timedelta(days=14)
"""The day that the form offers, where nothing was said."""


@dataclass(frozen=True)
class Source:
    """From what a patient goes down. `department`: whose numbers are offered for coming back."""

    patient: Patient
    hospital: Organization
    department: Department | None
    back: str
    referral: Referral | None = None
    encounter: Encounter | None = None
    admission: AdmissionRequest | None = None

    @property
    def asked(self) -> dict:
        """Whence, as the service is told."""
        if self.referral:
            return {"referral": self.referral, "encounter": self.encounter}
        if self.encounter:
            return {"encounter": self.encounter}
        return {"patient": self.patient, "origin": self.hospital}

    @property
    def about(self) -> str:
        """Whose draft it is."""
        of = {"referral": self.referral, "encounter": self.encounter, "admission": self.admission}
        return next(f"{name}:{row.pk}" for name, row in of.items() if row)

    @property
    def written(self):
        """What is known already: of the referral up, or of the request for the stay."""
        return self.referral or self.admission


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SENDERS)
def of_referral(request: HttpRequest, pk: int) -> HttpResponse:
    """转回 to who sent the patient."""
    houses = permissions.organizations_of(request.user, *SENDERS)
    rows = scope.referrals_of(request.user, *SENDERS).filter(receiver__in=houses, direction=Referral.Direction.UP)
    related = ("patient", "origin", "receiver", "department", "appointment__encounter__schedule__organization")
    row = get_object_or_404(rows.select_related(*related), pk=pk)
    standing = selectors.standing_down(row)
    if standing:
        return _over(request, errors.SentBackAlready(number=standing.number), standing)
    if refused := policy.refusal_to_go_down(row, standing=None):
        return _over(request, refused, row)
    encounter = getattr(row.appointment, "encounter", None) if row.appointment else None
    return _page(request, Source(
        row.patient, row.receiver, row.department, _back(request, reverse("referrals:referral", args=[row.pk])),
        referral=row, encounter=encounter,
    ))  # fmt: skip


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def of_encounter(request: HttpRequest, pk: int) -> HttpResponse:
    """下转 after a consultation of one's own that nobody had referred."""
    doctor = Practitioner.objects.filter(user=request.user, active=True).first()
    rows = encounters_of(doctor) if doctor else Encounter.objects.none()
    seen = [Encounter.Status.IN_ROOM, Encounter.Status.FINISHED]
    rows = rows.filter(status__in=seen).select_related("patient", "department", "schedule__organization")
    row = get_object_or_404(rows, pk=pk)
    if before := selectors.down_of_encounter(row):
        return _over(request, errors.SentDownAlready(number=before.number), before)
    up = Referral.objects.filter(appointment=row.appointment_id, direction=Referral.Direction.UP, ended_at=None).first()
    if up and policy.refusal_to_go_down(up, standing=None) is None:
        return redirect(f"{reverse('referrals:down_referral', args=[up.pk])}?{request.GET.urlencode()}")
    back = _back(request, reverse("appointments:consult"))
    return _page(request, Source(row.patient, row.schedule.organization, row.department, back, encounter=row))


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*SENDERS)
def of_admission(request: HttpRequest, pk: int) -> HttpResponse:
    """出院下转 after a stay (V4)."""
    houses = permissions.organizations_of(request.user, *SENDERS)
    rows = AdmissionRequest.objects.filter(organization__in=houses, status=AdmissionRequest.Status.ADMITTED)
    row = get_object_or_404(rows.select_related("patient", "organization", "department", "referral"), pk=pk)
    up = row.referral
    came_here = up and up.receiver_id == row.organization_id
    if came_here and policy.refusal_to_go_down(up, standing=selectors.standing_down(up)) is None:
        return redirect("referrals:down_referral", up.pk)
    back = reverse("referrals:admission", args=[row.pk])
    return _page(request, Source(row.patient, row.organization, row.department, back, admission=row))


def _over(request: HttpRequest, refusal: Refused, row: Referral) -> HttpResponse:
    """Somebody was quicker. Whoever is still writing reads it above what was written; else the referral's own page."""
    if not request.htmx:
        messages.warning(request, refusal.in_full)
        return redirect("referrals:referral", row.pk)
    answer = render(request, "errors/_refused.html", {"refusal": refusal}, status=refusal.status)
    answer["HX-Retarget"], answer["HX-Reswap"], answer["HX-Reselect"] = "#notices", "innerHTML", ".notice"
    return answer


def _back(request: HttpRequest, usual: str) -> str:
    if request.GET.get("from") == "consult":
        return reverse("appointments:consult") + "?kind=referral"
    return usual


class Desk:
    """One page with the plan: its houses, its form, and the numbers that may be chosen."""

    def __init__(self, request: HttpRequest, source: Source, *, now: datetime):
        self.request, self.source, self.now = request, source, now
        self.today: date = clock.today(now)
        self.refusal: Refused | None = None
        self.draft = Draft(user_id=request.user.pk, about=source.about)
        self.kept_at: datetime | None = None

    @cached_property
    def houses(self) -> list[Organization]:
        first = self.source.referral.origin_id if self.source.referral else None
        return selectors.receivers(self.source.hospital, patient=self.source.patient, first=first, day=self.today)

    @property
    def signed(self) -> int | None:
        return selectors.signed_at(self.source.patient, day=self.today)

    @property
    def masked(self) -> str:
        return masking.name(self.source.patient.name)

    def form(self, data=None) -> PlanForm:
        return PlanForm(data, houses=self.houses, today=self.today, initial=self._usual(), auto_id="id_%s")

    def looked(self, posted) -> PlanForm:
        """What was typed, without a word about what is not yet."""
        initial = {name: posted.get(name, "") for name in PlanForm.base_fields}
        return PlanForm(houses=self.houses, today=self.today, initial=initial, auto_id="id_%s")

    @cached_property
    def posted(self):
        """With the day of a button that was pressed beside the field."""
        posted = self.request.POST.copy()
        if day := posted.get("day"):
            posted["follow_up_on"] = day
        return posted

    def keep(self) -> None:
        """Whatever was pressed, what was typed is kept first."""
        posted = self.posted
        self.draft.keep({name: posted[name] for name in PlanForm.base_fields if name in posted}, now=self.now)
        self.kept_at = self.now

    def taken_up(self) -> PlanForm:
        """As it was left, else as it begins."""
        if kept := self.draft.read(now=self.now):
            self.kept_at = datetime.fromisoformat(kept["at"])
            return PlanForm(houses=self.houses, today=self.today, initial=self._usual() | kept["said"], auto_id="id_%s")
        return self.form()

    def _usual(self) -> dict:
        known = self.source.written
        usual = {
            "receiver": self.houses[0].pk if self.houses else None,
            "reason": _("专科诊疗结束，转回继续治疗和随访。"),
            "follow_up_at": THERE,
            "follow_up_on": self.today + AHEAD,
            "request_key": uuid4(),
        }
        for name in ("diagnosis_code", "diagnosis", "allergies"):
            usual[name] = getattr(known, name, "")
        usual["allergies"] = self._allergies(usual["allergies"])
        return usual

    def _allergies(self, told: str) -> str:
        """As told by the sender, and what this house has noted besides."""
        rows = self.source.patient.conditions.filter(kind=Condition.Kind.ALLERGY).order_by("pk")
        noted = [text for text in dict.fromkeys(row.text for row in rows) if text not in told]
        return "；".join(([told] if told and (names_one(told) or not noted) else []) + noted)[:300]

    def place(self, look: Look) -> tuple[Organization, int | None] | None:
        """At which house, and of which department, the next visit is."""
        if look.at == HERE:
            return self.source.hospital, self.source.department.pk if self.source.department else None
        house = next((row for row in self.houses if row.pk == look.receiver), None)
        return (house, None) if house else None

    def times(self, look: Look) -> selectors.Times | None:
        place = self.place(look)
        if place is None or look.day is None:
            return None
        house, department = place
        own = self.source.encounter is not None and house.pk == self.source.hospital.pk
        return selectors.times(
            house=house, department_id=department, channel=Channel.CONSULT if own else Channel.WARD,
            patient_id=self.source.patient.pk, day=look.day, now=self.now,
        )  # fmt: skip


def _page(request: HttpRequest, source: Source) -> HttpResponse:
    now = clock.now()
    desk = Desk(request, source, now=now)
    act = request.POST.get("act", "")
    if request.method == "POST" and act != "clear":
        desk.keep()
        if act == "keep":
            return render(request, "referrals/down/_saved.html", {"desk": desk})
    audit.saw_patient(patient=source.patient, actor=request.user, where="down", now=now, request=request)
    if request.method != "POST":
        return _draw(desk, desk.taken_up())
    if act == "clear":
        desk.draft.forget()
        return redirect(request.get_full_path())
    if act != "send":
        return _draw(desk, desk.looked(desk.posted))
    form = desk.form(request.POST)
    if not form.is_valid():
        return _draw(desk, form, status=422)
    try:
        row = _send(desk, form.cleaned_data)
    except (errors.SentBackAlready, errors.SentDownAlready):
        return redirect(request.get_full_path())  # which says so, and where the other one is
    except Refused as refusal:
        desk.refusal = refusal
        for name, what in (getattr(refusal, "fields", None) or {}).items():
            form.add_error(name if name in form.fields else None, what)
        return _draw(desk, form, status=refusal.status)
    desk.draft.forget()
    return _sent(request, source, row)


def _sent(request: HttpRequest, source: Source, row: Referral) -> HttpResponse:
    """Back to where it was written; first to pay, where the number for coming back is held until it is paid."""
    messages.success(request, _("已下转，下转单%(number)s；%(house)s会收到，患者手机上能看到计划。") % {
        "number": row.number, "house": row.receiver.name
    })  # fmt: skip
    back = source.back if "from" in request.GET else reverse("referrals:referral", args=[row.pk])
    number = row.plan.appointment
    held = number is not None and number.status == Appointment.Status.PENDING
    return (at_the_desk(request, booking=number.pk, back=back) if held else None) or redirect(back)


def _send(desk: Desk, said: dict) -> Referral:
    receiver = next(row for row in desk.houses if row.pk == said["receiver"])
    at = desk.source.hospital if said["follow_up_at"] == HERE else receiver
    plan = service.Plan(
        medication=said["medication"], warning_signs=said["warning_signs"], follow_up_on=said["follow_up_on"],
        follow_up_at=at, summary=said["summary"], rehabilitation=said["rehabilitation"],
        discharged_on=said["discharged_on"],
    )  # fmt: skip
    names = ("reason", "diagnosis", "diagnosis_code", "allergies", "consent")
    return service.send_down(
        plan=plan, receiver=receiver, written={name: said[name] for name in names} | {"history": said["summary"]},
        number=_number(said["slot"], house=at, day=said["follow_up_on"]), by=desk.request.user,
        consenter=said["consenter"],
        doctor=Practitioner.objects.filter(user=desk.request.user, active=True).first(),
        request_key=str(said["request_key"]), now=desk.now, deciding=clock.deciding(), **desk.source.asked,
    )  # fmt: skip


def _number(chosen, *, house: Organization, day: date) -> service.Number | None:
    """A number of another day or house than the plan's was on the page before: it has to be chosen anew."""
    if chosen is None:
        return None
    rows = Schedule.objects.select_related("service", "organization").filter(organization=house, day=day)
    row = rows.filter(pk=chosen.schedule).first()
    if row is None:
        raise errors.NumberNotOfPlan()
    return service.Number(row, chosen.start)


def _draw(desk: Desk, form: PlanForm, *, status: int = 200) -> HttpResponse:
    look = look_of(form)
    times = desk.times(look)
    chosen = look.slot if times and selectors.sitting_of(times, look.slot) else ""
    context = {"desk": desk, "form": form, "source": desk.source, "look": look, "times": times, "chosen": chosen}
    context["lost"] = bool(look.slot and not chosen)  # of another day, or taken by somebody else meanwhile
    return render(desk.request, "referrals/down/new.html", context, status=status)


@require_safe
@never_cache
@role_required(*READERS)
def slip(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan on paper, for a patient without a phone."""
    rows = scope.referrals_of(request.user, *READERS).filter(direction=Referral.Direction.DOWN)
    row = get_object_or_404(rows.select_related("patient", "origin", "receiver", "doctor"), pk=pk)
    shown = selectors.shown(row)
    if shown is None:
        raise Http404
    now = clock.now()
    audit.record(
        action="referral.plan_printed", actor=request.user, patient=row.patient, subject=f"referral:{row.pk}",
        now=now, request=request,
    )  # fmt: skip
    return render(request, "referrals/down/slip.html", {"shown": shown, "printed_at": now})
