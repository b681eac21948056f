"""转诊 at the consult room's desk (R2, R3): a mark in the queue, the dossier with one key, and what follows from it."""

from collections.abc import Iterable
from functools import cached_property

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.errors import PatientChanged
from appointments.models import Appointment
from appointments.views.consult import draw, page_of, pressed
from appointments.views.consult_context import Page
from appointments.views.consult_neighbours import Mark, Neighbour, join
from hospital import clock
from hospital.errors import Refused
from hospital.models import Role
from hospital.permissions import role_required
from referrals.models import Referral
from referrals.policies.allergies import names_one
from referrals.selectors import room as selectors
from referrals.selectors import scope
from referrals.selectors.attachments import of_referral
from referrals.services import answering

KIND = "referral"
TONES = {Referral.Urgency.GREEN: "bad", Referral.Urgency.URGENT: "warn"}


class Panel:
    """The middle of the page: the referral that brought the patient, and the others of this house."""

    def __init__(self, page: Page):
        self.page = page
        self.refusal: Refused | None = None

    @cached_property
    def known(self) -> selectors.Known:
        return selectors.known(
            self.page.current, patient=self.page.patient, organization_id=self.page.doctor.organization_id,
            now=self.page.now,
        )  # fmt: skip

    @property
    def dossier(self) -> selectors.Dossier | None:
        return self.known.first

    @property
    def down_url(self) -> str:
        """下转 with a plan: of the referral, else of this consultation."""
        if self.dossier and self.dossier.may_go_down:
            return reverse("referrals:down_referral", args=[self.dossier.referral.pk]) + "?from=consult"
        return reverse("referrals:down_encounter", args=[self.page.current.pk]) + "?from=consult"

    @property
    def may_go_down(self) -> bool:
        """Without a referral up, or with one that is open for it; a community's doctor has nobody below."""
        if self.page.current.schedule.organization.kind != "hospital":
            return False
        up = self.dossier and self.dossier.referral.direction == Referral.Direction.UP
        return self.dossier.may_go_down or self._completed if up else True

    @property
    def _completed(self) -> bool:
        """Completed by a slip, or treated to the end and then sent down after all: this visit's own plan. One that was
        sent before is opened by the address."""
        return self.dossier.here and self.dossier.referral.status == Referral.Status.COMPLETED

    @property
    def exams_url(self) -> str:
        return self.page.href(kind="exams", department=None, level=None, role=None, team=None)


def panel_of(page: Page) -> Panel:
    """One per request, so that what an act says of it is what is drawn."""
    if not hasattr(page, "referral_panel"):
        page.referral_panel = Panel(page)
    return page.referral_panel


class Referrals(Neighbour):
    kind = KIND
    label = gettext_lazy("转诊")
    stylesheets = ("css/referrals-files.css", "css/referrals-office.css", "css/referrals-down.css")

    def count(self, page: Page) -> int:
        return len([mark for mark in page.current_marks if mark.kind == KIND])

    def marks(self, visits: Iterable[Appointment], *, organization_id: int) -> dict[int, Mark]:
        named = selectors.named_in(visits, organization_id=organization_id)
        return {pk: _mark(row) for pk, row in named.items()}

    def middle(self, page: Page) -> tuple[str, object]:
        return "referrals/down/consult/_work.html", panel_of(page)


def _mark(row: Referral) -> Mark:
    sort = _("上转") if row.direction == Referral.Direction.UP else _("下转")
    urgent = f" {row.get_urgency_display()}" if row.urgency != Referral.Urgency.ROUTINE else ""
    return Mark(
        kind=KIND,
        label=f"{sort}{urgent} {row.origin.short_name or row.origin.name}",
        tone=TONES.get(row.urgency, "brand"),
        allergies=row.allergies if names_one(row.allergies) else "",
    )


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def complete(request: HttpRequest) -> HttpResponse:
    """完成: treated here, nobody goes back. About the patient whom the page showed and who is still in the room."""
    page = page_of(request, address=QueryDict(f"kind={KIND}"))
    if not page.current or str(page.current.pk) != request.POST.get("encounter", ""):
        page.refusal = PatientChanged()
        return draw(page, status=PatientChanged.status)
    house = frozenset({page.doctor.organization_id})
    pk = request.POST.get("referral", "")
    rows = scope.referrals_at(house).filter(patient=page.patient, receiver__in=house)
    row = get_object_or_404(rows, pk=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 12 else 0)
    try:
        answering.complete(referral=row, by=request.user, note=request.POST.get("note", "")[:300], now=clock.now())
    except Refused as refusal:
        panel_of(page).refusal = refusal
        return _again(page, status=refusal.status)
    done = page_of(request, address=QueryDict(f"kind={KIND}"))
    done.notice = _("转诊已完成，转出机构能看到。")
    return _again(done)


def _again(page: Page, *, status: int = 200) -> HttpResponse:
    if not page.request.htmx:
        return draw(page, status=status)
    response = render(
        page.request, "referrals/down/consult/_work.html", {"page": page, "work": panel_of(page)}, status=status
    )
    if status >= 400:
        response["HX-Retarget"], response["HX-Reswap"] = "#work", "outerHTML"
    return response


@require_safe
@never_cache
@role_required(Role.DOCTOR, Role.WARD)
def results(request: HttpRequest) -> HttpResponse:
    """What the patient in the room brought along by referral: for whoever is about to ask for an exam again (E6)."""
    page = page_of(request)
    dossier = panel_of(page).dossier if page.patient else None
    files = of_referral(dossier.referral) if dossier else []
    if dossier is None or not (dossier.referral.results or files):
        return HttpResponse(status=200)
    context = {"referral": dossier.referral, "files": files}
    return render(request, "referrals/down/consult/_results.html", context)


join(Referrals())
