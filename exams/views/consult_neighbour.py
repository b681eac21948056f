"""检查 at the consult room's desk: its kind, its lines in the basket, its word before the next patient."""

from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.views.consult_context import Page
from appointments.views.consult_neighbours import Confirmed, Neighbour, NeighboursLine, join
from appointments.views.consult_options import milliseconds
from exams.errors import UnaskedExams
from exams.models import ExamBooking
from exams.selectors import consult as selectors
from exams.services import booking
from hospital import clock
from hospital.errors import Refused
from hospital.models import Organization, Patient, User

from .consult_draft import KEY, Draft
from .consult_panel import Panel

KIND = "exams"
State = ExamBooking.Status


def panel_of(page: Page) -> Panel:
    """One per request, so that what an act says of it is what is drawn."""
    if not hasattr(page, "exam_panel"):
        page.exam_panel = Panel(page)
    return page.exam_panel


class Exams(Neighbour):
    kind = KIND
    label = gettext_lazy("检查检验")
    stylesheets = ("css/exams-consult.css", "css/exams-reports.css")
    banner = "exams:critical_banner"

    def count(self, page: Page) -> int:
        """What is chosen and not asked for. Read from the session: no query."""
        kept = page.request.session.get(KEY) or {}
        return len(kept.get("lines", ())) if page.current and kept.get("encounter") == page.current.pk else 0

    def middle(self, page: Page) -> tuple[str, object]:
        return "exams/consult/_work.html", panel_of(page)

    def lines(self, page: Page) -> list[NeighboursLine]:
        rows = selectors.in_basket(patient=page.patient, basket=page.basket)
        lines = [_line(row, now=page.now) for row in rows]
        standing = {line.line.request_id for line in lines if line.state != "lapsed"}
        again = set()
        kept = []
        for line in lines:
            if line.state == "lapsed" and (line.line.request_id in standing | again or not _open(line.line)):
                continue
            again.add(line.line.request_id)
            kept.append(line)
        return kept

    def known(self, page: Page) -> tuple[str, object]:
        known = selectors.known(patient=page.patient, organization_id=page.doctor.organization_id, now=page.now)
        return "exams/consult/_known.html", known

    def confirm(self, page: Page, *, by: User) -> Confirmed:
        held = page_held(page)
        if not held:
            return Confirmed()
        try:
            booking.confirm(basket=page.basket, by=by, now=clock.deciding())
        except Refused as refusal:
            return Confirmed(refusal=refusal)
        return Confirmed(count=len(held), words=_("检查%(count)s项") % {"count": len(held)})

    def refusal_to_leave(self, page: Page) -> Refused | None:
        chosen = len(Draft.of(page.request, page.current).lines)
        return UnaskedExams(count=chosen) if chosen else None

    def on_slip(
        self, *, basket: UUID, organization: Organization, now: datetime
    ) -> tuple[Patient, str, list[ExamBooking]] | None:
        rows = selectors.booked_in(basket=basket, organization_id=organization.pk)
        return (rows[0].patient, "exams/consult/_slip.html", rows) if rows else None


def page_held(page: Page) -> list[ExamBooking]:
    """Pending lines of this basket, also those that have just run out: whoever confirms hears of it."""
    return [
        line.line for line in page.theirs if isinstance(line.line, ExamBooking) and line.line.status == State.PENDING
    ]


def _open(row: ExamBooking) -> bool:
    return row.request.status in selectors.STANDING


def _line(row: ExamBooking, *, now: datetime) -> NeighboursLine:
    pending = row.status == State.PENDING
    held = pending and row.hold_until > now
    state = "held" if held else "lapsed" if pending or row.status == State.CANCELLED else "confirmed"
    labels = {"held": _("待确认"), "lapsed": _("已过期"), "confirmed": row.get_status_display()}
    return NeighboursLine(
        pk=row.pk,
        line=row,
        state=state,
        label=labels[state],
        template="exams/consult/_line.html",
        drop_url=reverse("exams:consult_drop"),
        undo_url=reverse("exams:consult_drop_plan"),
        taken_at=row.created_at,
        until_ms=milliseconds(row.hold_until) if held else 0,
    )


join(Exams())
