"""操作留痕: the list of what was done, read only; the auditor's main page."""

from dataclasses import replace

from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments.forms.trail import AuditForm, written
from appointments.selectors import trail, trail_words
from hospital.models import AuditEvent, Organization
from hospital.permissions import role_required

from .reach import READERS, reach_of

PAGES: dict[str, tuple[str, ...]] = {
    "schedule": ("appointments:office_schedule",),
    "bulkact": ("appointments:office_act",),
    "stop": ("appointments:office_stop",),
    "draft": ("appointments:office_draft",),
    "template": ("appointments:office_template",),
    "importrun": ("appointments:office_import",),
    "partnergroup": ("appointments:office_partner_group",),
    "patientmerge": ("merge_undo",),
    "duplicatesuspect": ("duplicate",),
}
"""The address of a subject's page and what stands in it before the number. Apps above add theirs; `importrun.exams`:
of those subjects only whose event says this kind."""


@require_safe
@never_cache
@role_required(*READERS)
def audit(request: HttpRequest):
    mine = reach_of(request)
    asked = AuditForm(request.GET).asked(organizations=mine.organizations, departments=mine.departments)
    page = trail.page(asked)
    kept = {"who": asked.who, "action": asked.action, "subject": asked.subject, "day": asked.day or ""}
    context = {
        "page": replace(page, lines=[replace(line, url=_url(line.event)) for line in page.lines]),
        "asked": asked,
        "actions": sorted(_choices(), key=lambda choice: choice[1]),
        "filtered": any(kept.values()),
        "kept": urlencode({name: value for name, value in kept.items() if value}),
        "next": written(page.more.at, page.more.pk) if page.more else "",
        "organizations": Organization.objects.filter(pk__in=mine.organizations),
    }
    return render(request, "office/audit.html", context)


def _url(event: AuditEvent) -> str:
    """The page of what was done, where it has one."""
    kind, _colon, pk = event.subject.partition(":")
    said = event.detail.get("kind", "") if isinstance(event.detail, dict) else ""
    page = PAGES.get(f"{kind}.{said}") or PAGES.get(kind)
    return reverse(page[0], args=[*page[1:], pk]) if page and pk.isdecimal() else ""


def _choices() -> list[tuple[str, str]]:
    return [(name, str(word)) for name, word in {**trail_words.ACTIONS, **trail_words.BEGINNINGS}.items()] + [
        (f"bulk.{kind}", trail.action_of(f"bulk.{kind}")) for kind in trail.BulkAct.Kind.values
    ]
