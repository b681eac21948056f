"""Which referrals a token reaches: those of its own institution (P10), by the same scope as the pages."""

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from hospital.api.errors import Invalid
from hospital.models import CareTeam, Department, PractitionerRole
from hospital.tokens import Caller
from referrals.models import Attachment, Referral, ReferralEvent
from referrals.policies.moves import Act, refusal
from referrals.selectors import scope

BRIEF = ("patient", "origin", "receiver", "department", "role__practitioner", "team", "appointment")


def own(caller: Caller):
    """What its institution sent, and what was sent to it."""
    return scope.referrals_at(frozenset({caller.organization_id})).select_related(*BRIEF)


def in_full(rows):
    files = Attachment.objects.filter(removed_at=None).select_related("organization").order_by("pk")
    events = ReferralEvent.objects.select_related("organization")
    return rows.select_related("plan__follow_up_at").prefetch_related(
        "patient__identifiers", Prefetch("attachments", files, to_attr="files"), Prefetch("events", events)
    )


def may(referral: Referral, act: Act, caller: Caller) -> None:
    """Raises NotTheirTurn, ReferralOver: also where the institution is on the other side."""
    side = scope.side_of(referral, frozenset({caller.organization_id}))
    refused = refusal(act, side=side, status=referral.status, direction=referral.direction)
    if refused:
        raise refused


def places(said: dict, *, origin: int, department: Department | None = None) -> dict:
    """Ids of department, doctor and team as rows that belong together. Raises Invalid."""
    found = {name: said[name] for name in said.keys() - {"department", "doctor", "team", "patient", "person"}}
    if "department" in said:
        rows = Department.objects.exclude(organization=origin).select_related("organization")
        department = found["department"] = rows.filter(pk=said["department"]).first()
        if department is None:
            raise Invalid({"department": [_("没有这个科室，或它是本机构自己的。")]})
    for name, field, model in (("doctor", "role", PractitionerRole), ("team", "team", CareTeam)):
        if name in said:
            found[field] = _place(name, model, said[name], department)
    if found.get("role") and found.get("team"):
        raise Invalid({"team": [_("医生和团队只能选一个。")]})
    return found


def _place(name: str, model, pk: int | None, department: Department | None):
    if pk is None:
        return None
    row = model.objects.filter(pk=pk, department=department).first() if department else None
    if row is None:
        raise Invalid({name: [_("不在这个科室。")]})
    return row
