"""Who hears what of a referral (R4): the office whose turn it is, the sender, the patient. The words are templates.

Messages name the referral, never what is written in it: that is read behind the sign-in.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from hospital import messages
from hospital.models import Fact, Role, User
from referrals.models import Referral, ReferralEvent

Kind = ReferralEvent.Kind
Status = Referral.Status

TO_OFFICE = "referral.to_office"
TO_SENDER = "referral.to_sender"
TO_PATIENT = "referral.to_patient"
GREEN = "referral.green"

OFFICE_HEARS = (Kind.SENT, Kind.ANSWERED, Kind.REDIRECTED, Kind.LOST, Kind.WITHDRAWN, Kind.ESCALATED)
SENDER_HEARS = (
    Kind.ASKED, Kind.ACCEPTED, Kind.REJECTED, Kind.REDIRECTED, Kind.BOOKED, Kind.LOST, Kind.COMPLETED, Kind.RETURNED,
    Kind.ESCALATED,
)  # fmt: skip
PATIENT_HEARS = (Kind.ACCEPTED, Kind.REDIRECTED, Kind.REJECTED)
"""That a number was booked, moved or cancelled the patient hears from the number itself."""

HEARD = tuple(f"referral.{kind}" for kind in dict.fromkeys((*OFFICE_HEARS, *SENDER_HEARS, *PATIENT_HEARS)))
RELATED = ("origin", "receiver", "department", "patient", "by", "doctor__user", "appointment")


def tell(fact: Fact, *, now: datetime) -> None:
    """What a step of the trail means to the others. Whoever did it hears nothing of it."""
    kind = fact.topic.partition(".")[2]
    row = Referral.objects.select_related(*RELATED).get(pk=fact.payload["referral"])
    said = params_of(row, kind=kind, why=fact.payload.get("why", ""))
    if kind == Kind.ACCEPTED:  # as it was then: the office may have booked since
        said["has_number"] = fact.payload["status"] == Status.BOOKED
    but = {fact.actor_id}
    if row.sent_at is None:
        return  # a draft is its writer's alone, also one that is given up
    rings = kind == Kind.ESCALATED and fact.payload.get("why") == "green"  # the office hears that by the call's own
    if kind in OFFICE_HEARS and not rings and not _booked_itself(row, kind):
        _say_to_office(row, template=TO_OFFICE, params=said, dedupe=f"fact:{fact.pk}", but=but, now=now)
    if kind in SENDER_HEARS:
        say(senders_of(row), template=TO_SENDER, params=said, dedupe=f"fact:{fact.pk}:s", but=but, now=now)
    if kind in PATIENT_HEARS and row.direction == Referral.Direction.UP:
        messages.tell(
            patient=row.patient, template=TO_PATIENT, params=said, about=f"referral:{row.pk}",
            dedupe=f"fact:{fact.pk}", now=now,
        )  # fmt: skip


def tell_of_green(fact: Fact, *, now: datetime) -> None:
    """The office by a message besides the page that rings; its leaders, too, when nobody answered. Once it is taken,
    and whenever what is kept free changes, the sender and the team that was asked for."""
    row = Referral.objects.select_related(*RELATED, "green").get(pk=fact.payload["referral"])
    kind = fact.topic.partition(".")[2]
    if row.ended_at is not None or (kind in ("rang", "late") and row.green.acknowledged_at):
        return
    said = params_of(row, kind=kind) | {"state": fact.payload.get("state", ""), "until": row.green.due_at.isoformat()}
    said["phone"] = row.receiver.phone if kind in ("taken", "capacity") else row.origin.phone
    dedupe, but = f"fact:{fact.pk}", {fact.actor_id}
    if kind in ("taken", "capacity"):
        say(senders_of(row), template=GREEN, params=said, dedupe=dedupe, but=but, now=now)
        coming = {**said, "kind": "coming", "phone": row.origin.phone}
        say(team_of(row), template=GREEN, params=coming, dedupe=f"{dedupe}:t", but=but, now=now)
        return
    told = _say_to_office(row, template=GREEN, params=said, dedupe=dedupe, but=but, now=now)
    if kind == "late":
        but |= {user.pk for user in told}
        say(leaders_of(row.receiver_id), template=GREEN, params=_unlinked(said), dedupe=dedupe, but=but, now=now)


def say(
    users: Iterable[User], *, template: str, params: dict, dedupe: str, but: Iterable[int | None] = (), now: datetime
) -> None:
    """To each of them in the app."""
    about = f"referral:{params.get('referral') or params['of']}"
    for user in users:
        if user.pk not in but:
            messages.tell(
                user=user, template=template, params=params, about=about,
                dedupe=f"{dedupe}:{user.pk}", now=now,
            )  # fmt: skip


def _say_to_office(row: Referral, *, params: dict, **how) -> list[User]:
    """Where everybody of the referral office has left, the leaders hear: never nobody."""
    people = office_of(row.receiver_id)
    if not people:
        people, params = leaders_of(row.receiver_id), _unlinked(params)
    say(people, params=params, **how)
    return people


def _unlinked(params: dict) -> dict:
    """For who may not read the letter: its number and whom to call, but no way into it."""
    return {name: value for name, value in params.items() if name != "referral"} | {"of": params["referral"]}


def params_of(row: Referral, *, kind: str, why: str = "") -> dict:
    return {
        "referral": row.pk,
        "number": row.number,
        "kind": kind,
        "why": why,
        "urgency": row.urgency,
        "status": row.status,
        "has_number": row.appointment is not None and row.appointment.live,
        "hospital": row.receiver.short_name or row.receiver.name,
        "origin": row.origin.short_name or row.origin.name,
        "phone": row.origin.phone if kind == Kind.REJECTED else row.receiver.phone,
        "department": row.department.name if row.department_id else "",
        **({"until": row.due_at.isoformat()} if row.due_at else {}),
    }


def office_of(organization_id: int) -> list[User]:
    """The referral office; of a lower institution, which has none, whoever sends and receives there."""
    return _holding(organization_id, Role.REFERRAL) or _holding(organization_id, Role.PARTNER)


def senders_of(row: Referral) -> list[User]:
    """Who wrote it and for whom; where both have left, their institution."""
    wrote = {user.pk: user for user in (row.by, row.doctor.user if row.doctor_id else None) if user and user.is_active}
    return list(wrote.values()) or office_of(row.origin_id)


def team_of(row: Referral) -> list[User]:
    """Whose patient it will be: the wished doctor, or the team's members. Of a department alone the office calls
    whoever is on duty, and writes down whom (GreenCall.team_told)."""
    wished = Q(practitioner__roles=row.role_id) if row.role_id else Q()
    if row.team_id:
        wished = Q(practitioner__roles__teams__team=row.team_id, practitioner__roles__teams__active=True)
    rows = User.objects.filter(wished, practitioner__active=True, is_active=True) if wished else User.objects.none()
    return list(rows.distinct().order_by("pk"))


def leaders_of(organization_id: int) -> list[User]:
    """Whom an emergency that nobody answered goes to."""
    return _holding(organization_id, Role.OFFICE)


def _holding(organization_id: int, role: str) -> list[User]:
    """Once each, however many assignments."""
    rows = User.objects.filter(
        role_assignments__organization=organization_id, role_assignments__role=role, is_active=True
    )
    return list(rows.distinct().order_by("pk"))


def _booked_itself(row: Referral, kind: str) -> bool:
    """Sent together with a number of the sender's own pool: it stands in the list, nothing waits for the office."""
    return kind == Kind.SENT and row.status == Status.BOOKED


def still_waits(message) -> bool:
    """Asked right before sending: what the office is to do may be done already."""
    if message.params["kind"] == Kind.WITHDRAWN:
        return True
    pk = message.params.get("referral") or message.params["of"]
    return Referral.objects.filter(pk=pk, ended_at=None).exists()
