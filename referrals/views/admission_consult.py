"""住院 at the consult room's desk: ask for an admission of the patient in the room, and see what is under way."""

from functools import cached_property

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.errors import PatientChanged
from appointments.views.consult import draw, page_of, pressed
from appointments.views.consult_context import Page
from appointments.views.consult_neighbours import Neighbour, join
from hospital import clock
from hospital.errors import Refused
from hospital.models import Department, Role
from hospital.permissions import role_required
from referrals.forms.admission import AskForm
from referrals.models import AdmissionRequest
from referrals.selectors import admissions as selectors
from referrals.services import admission as service

KIND = "admission"


class Panel:
    """The middle of the page: what is under way, and a request to be filled in."""

    def __init__(self, page: Page):
        self.page = page
        self.bound: QueryDict | None = None
        self.refusal: Refused | None = None

    @cached_property
    def form(self) -> AskForm:
        encounter = self.page.current
        place: Department = encounter.schedule.department
        return AskForm(
            self.bound, house=self.page.doctor.organization_id, today=self.page.today,
            department=place if place.organization_id == self.page.doctor.organization_id else None,
        )  # fmt: skip

    @cached_property
    def open(self) -> list[AdmissionRequest]:
        return selectors.open_of(self.page.patient, organization_id=self.page.doctor.organization_id)

    @property
    def url(self) -> str:
        return reverse("referrals:admission_consult")

    @property
    def exams_url(self) -> str:
        """开检查 at this desk; the kind is another app's."""
        return self.page.href(kind="exams", department=None, level=None, role=None, team=None)


def panel_of(page: Page) -> Panel:
    """One per request, so that what an act says of it is what is drawn."""
    if not hasattr(page, "admission_panel"):
        page.admission_panel = Panel(page)
    return page.admission_panel


class Admission(Neighbour):
    kind = KIND
    label = gettext_lazy("住院 日间手术")
    stylesheets = ("css/referrals-files.css", "css/referrals-admission.css")

    def middle(self, page: Page) -> tuple[str, object]:
        return "referrals/admission/consult/_work.html", panel_of(page)

    def known(self, page: Page) -> tuple[str, object] | None:
        rows = panel_of(page).open
        return ("referrals/admission/consult/_known.html", rows) if rows else None


@pressed
@role_required(Role.DOCTOR, Role.WARD)
def ask(request: HttpRequest) -> HttpResponse:
    """申请, about the patient whom the page showed and who is still in the room."""
    page = page_of(request, address=QueryDict(f"kind={KIND}"))
    shown = request.POST.get("encounter", "")
    if not page.current or str(page.current.pk) != shown:
        page.refusal = PatientChanged()
        return draw(page, status=PatientChanged.status)
    panel = panel_of(page)
    panel.bound = request.POST
    if not panel.form.is_valid():
        return _again(panel, status=422)
    try:
        service.ask(
            patient=page.patient, encounter=page.current, doctor=page.doctor, by=request.user, now=clock.now(),
            **panel.form.says,
        )  # fmt: skip
    except Refused as refusal:
        panel.refusal = refusal
        return _again(panel, status=refusal.status)
    done = panel_of(page_of(request, address=QueryDict(f"kind={KIND}")))
    done.page.notice = _("已申请，住院办审核后会安排日期并通知患者。")
    return _again(done)


def _again(panel: Panel, *, status: int = 200) -> HttpResponse:
    page = panel.page
    if not page.request.htmx:
        return draw(page, status=status)
    context = {"page": page, "work": panel}
    response = render(page.request, "referrals/admission/consult/_work.html", context, status=status)
    if status >= 400:
        response["HX-Retarget"], response["HX-Reswap"] = "#work", "outerHTML"
    return response


join(Admission())
