"""Rows of the office that must never be: layouts, bulk acts, stops, imports, partners. For test_constraints."""

from datetime import date, time
from itertools import count

from django.db import connection

from appointments.models import (
    BulkAct,
    ImportLine,
    ImportRun,
    LayoutDraft,
    PartnerGroup,
    StopCase,
    StopOffer,
    Substitution,
    SupplyRule,
    SupplyShare,
    Suspension,
)
from hospital.models import Organization
from tests.factories import (
    NOW,
    TODAY,
    OrganizationFactory,
    PatientFactory,
    RoleFactory,
    RoomFactory,
    TemplateFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

_tokens = count()
BACKWARDS = {"first_day": date(2026, 2, 1), "last_day": date(2026, 1, 31)}


def house() -> Organization:
    return OrganizationFactory()


def twice(make, **fields):
    """At once, also what the database would only ask about at the end."""
    make(**fields)
    make(**fields)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def kept_for(**whose):
    rule = SupplyRule.objects.create(organization=house(), effective_from=TODAY)
    SupplyShare.objects.create(rule=rule, percent=100, opens_days=7, opens_time=time(7), **whose)


def run(**fields) -> ImportRun:
    given = {"kind": "cutover", "name": "a.xlsx", "status": "checked", "by": UserFactory(), "created_at": NOW}
    return ImportRun.objects.create(**{**given, **fields})


def line(**fields):
    ImportLine.objects.create(**{"run": run(), "place": 1, "row": 2, "outcome": "imported", **fields})


def draft(**fields):
    days = {"first_day": TODAY, "last_day": TODAY}
    given = {"organization": house(), "by": UserFactory(), "created_at": NOW, **days}
    LayoutDraft.objects.create(**{**given, **fields})


def act(**fields):
    BulkAct.objects.create(
        **{"organization": house(), "kind": "recall", "by": UserFactory(), "created_at": NOW, **fields}
    )


def stop(**fields) -> Suspension:
    given = {
        "organization": house(), "status": "active", "cause": "illness", "practitioner": RoleFactory().practitioner,
        "first_day": TODAY, "last_day": TODAY, "asked_by": UserFactory(), "asked_at": NOW, "decided_at": NOW,
    }  # fmt: skip
    return Suspension.objects.create(**{**given, **fields})


def session(**fields) -> Substitution:
    given = {"suspension": fields.pop("suspension", None) or stop()}
    given["schedule"] = fields.pop("schedule", None) or open_schedule()
    return Substitution.objects.create(**{**given, **fields})


def case(**fields) -> StopCase:
    if "substitution" not in fields:
        fields["substitution"] = session()
    if "appointment" not in fields:
        fields["appointment"] = appointment_row(fields["substitution"].schedule, PatientFactory())
    given = {"patient": fields["appointment"].patient, "token_hash": f"t{next(_tokens)}", "deadline": NOW}
    return StopCase.objects.create(**{**given, "opened_at": NOW, **fields})


def asked_twice():
    first = case()
    case(appointment=first.appointment)


def one_case_twice():
    first = case(answer="gone", answered_at=NOW)
    case(appointment=first.appointment, substitution=first.substitution)


def offered_twice():
    standing = session()
    slot = standing.schedule.slots.first()
    twice(StopOffer.objects.create, substitution=standing, slot=slot, pool=slot.pool)


def booked_by_an_institution_on_the_web():
    row = appointment_row(open_schedule(), PatientFactory())
    row.partner = house()
    row.save()


OFFICE_ROWS = {
    "template_sensible_minutes": lambda: TemplateFactory(minutes=0),
    "template_doctor_once_a_half_day": lambda: twice(TemplateFactory, role=RoleFactory()),
    "template_room_once_a_half_day": lambda: twice(TemplateFactory, room=RoomFactory()),
    "partnergroup_one_name": lambda: twice(PartnerGroup.objects.create, organization=house(), name="医联体"),
    "supplyshare_only_partner_shares_have_a_partner": lambda: kept_for(kind="public", partner=house()),
    "appointment_partner_books_as_partner": booked_by_an_institution_on_the_web,
    "importrun_keeps_no_file_once_decided": lambda: run(status="discarded", content="x"),
    "importrun_applied_has_a_time": lambda: run(status="applied"),
    "importline_once": lambda: twice(line, run=run()),
    "importline_refused_has_a_reason": lambda: line(outcome="refused"),
    "layoutdraft_days_in_order": lambda: draft(**BACKWARDS),
    "layoutdraft_decided_has_a_time": lambda: draft(status="published"),
    "bulkact_status_has_its_times": lambda: act(status="done"),
    "stop_has_a_scope": lambda: stop(practitioner=None),
    "stop_days_in_order": lambda: stop(**BACKWARDS),
    "stop_decided_has_a_time": lambda: stop(decided_at=None),
    "stop_undone_has_a_time": lambda: stop(status="undone"),
    "one_stop_stands_per_session": lambda: twice(session, schedule=open_schedule()),
    "stop_once_per_session": lambda: twice(
        session, suspension=stop(), schedule=open_schedule(), stands=False, ended_at=NOW
    ),
    "stop_ended_has_a_time": lambda: session(stands=False),
    "stopcase_one_question_at_a_time": asked_twice,
    "stopcase_once_per_appointment_and_session": one_case_twice,
    "stopcase_answered_has_a_time": lambda: case(answer="move"),
    "stopoffer_once": offered_twice,
}
