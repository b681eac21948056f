"""R7, O1: the systems of both institutions hear of each step, in order, even after a day away; never whose it is."""

import json
from datetime import timedelta

import pytest

from hospital import clock, patient_index
from hospital.integration import webhooks
from hospital.models import Organization, Webhook, WebhookDelivery
from referrals.models import Referral
from referrals.policies.moves import Side
from referrals.selectors import events, merges
from referrals.services import answering, numbers, writing
from tests.factories import (
    NOW,
    CommunityFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)
from tests.integration.ends import End
from tests.integration.hooks import due_again, fan_out, send, webhook

from .conftest import WRITTEN, program_of, stopped_clock  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.of_today]


@pytest.fixture
def ends(tmp_path):
    """The community's receiver and the hospital's."""
    both = []
    for name in ("community", "hospital"):
        (tmp_path / name).mkdir()
        both.append(End(tmp_path / name).start())
    yield both
    for end in both:
        end.stop()


@pytest.fixture
def hooks(ends):
    return [
        webhook(end.url, topics=events.TOPICS, organization=house)
        for end, house in zip(ends, (CommunityFactory(), OrganizationFactory()), strict=True)
    ]


def referred():
    """Drafted and sent up, asked back and answered, booked by the office."""
    community, house = CommunityFactory(), OrganizationFactory()
    doctor, office = StaffFactory(roles="partner", roles__at=community), StaffFactory(roles="referral")
    row = writing.draft(
        patient=PatientFactory(name="周志明"), origin=community, receiver=house, direction="up", by=doctor,
        department=DepartmentFactory(), now=NOW, **WRITTEN,
    )  # fmt: skip
    writing.send(referral=row, by=doctor, now=NOW)
    answering.ask_back(referral=row, question="近期肾功能？", by=office, now=NOW)
    writing.answer(referral=row, text="肌酐 86", by=doctor, now=NOW)
    number = appointment_row(open_schedule(), row.patient)
    return numbers.take(referral=row, appointment=number, by=office, side=Side.RECEIVER, now=NOW)


def test_both_sides_hear_each_step_in_order_after_a_day_away(ends, hooks):
    community, house = ends
    community.stop()
    row = referred()
    fan_out()
    assert send() == 4  # the hospital's
    gone_at = moment = clock.now()
    for minutes in webhooks.MINUTES[:9]:  # the community's receiver is away
        moment += timedelta(minutes=minutes)
        assert webhooks.send_due(now=lambda at=moment: at) == 0
    away = WebhookDelivery.objects.filter(webhook=hooks[0])
    assert set(away.values_list("status", flat=True)) == {"waiting"}
    assert away.earliest("fact").next_try_at > gone_at + timedelta(days=1)
    community.start()
    due_again()
    assert send() == 5
    steps = ["referral.sent", "referral.asked", "referral.answered", "referral.booked"]
    assert [event["topic"] for event in community.events()] == ["referral.created", *steps]  # a draft is its writer's
    assert [event["topic"] for event in house.events()] == steps
    booked = house.events()[-1]
    assert booked["organization"] == row.receiver.code
    assert booked["data"] | {"start": None} == {
        "referral": row.pk, "number": row.number, "status": "booked", "direction": "up", "urgency": "routine",
        "origin": "SQ1", "receiver": row.receiver.code, "department": None, "appointment": row.appointment_id,
        "start": None, "why": None,
    }  # fmt: skip
    told = json.dumps([*community.events(), *house.events()], ensure_ascii=False)
    assert not [word for word in ("周志明", "肌酐", "肾功能", *WRITTEN.values()) if len(word) > 3 and word in told]


def test_a_third_institution_hears_of_it_only_when_it_is_redirected_there(ends, hooks):
    other = Organization.objects.create(code="YD2", name="二院", kind="hospital")
    elsewhere = webhook(ends[0].url, topics=events.TOPICS, organization=other)
    row = referred()
    fan_out()
    assert not WebhookDelivery.objects.filter(webhook=elsewhere).exists()
    office = StaffFactory(roles="referral")
    there = DepartmentFactory(organization=other, code="NEW")
    answering.redirect(referral=row, reason="床位已满", by=office, department=there, receiver=other, now=NOW)
    fan_out()
    delivered = WebhookDelivery.objects.filter(fact__topic="referral.redirected")
    assert delivered.count() == 3  # both sides and the one it goes to
    said = events.data_of(delivered.first().fact)
    assert (said["receiver"], said["department"]) == ("YD2", "NEW")


def test_a_draft_that_is_thrown_away_was_never_anybody_elses(ends, hooks):
    community, house = CommunityFactory(), OrganizationFactory()
    doctor = StaffFactory(roles="partner", roles__at=community)
    row = writing.draft(patient=PatientFactory(), origin=community, receiver=house, direction="up", by=doctor, now=NOW)
    writing.withdraw(referral=row, reason="", by=doctor, now=NOW)
    fan_out()
    assert set(WebhookDelivery.objects.values_list("webhook", flat=True)) == {hooks[0].pk}
    assert Referral.objects.get(pk=row.pk).status == "withdrawn"


def test_who_knows_a_record_hears_into_which_it_was_merged_and_its_id_still_refers(ends, hooks, stopped_clock):  # noqa: F811
    """P10: the community that referred the second record, the house that received it; nobody else."""
    Webhook.objects.update(topics=[*events.TOPICS, *merges.TOPICS])
    elsewhere = Organization.objects.create(code="SQ8", name="别的社区", kind="community")
    webhook(ends[0].url, topics=merges.TOPICS, organization=elsewhere)
    row, by, kept = referred(), StaffFactory(roles="counter"), PatientFactory()
    merge = patient_index.merge(kept=kept, merged=row.patient, reason="同一身份证", by=by, now=NOW)
    fan_out()
    told = WebhookDelivery.objects.filter(fact__topic="patient.merged")
    assert set(told.values_list("webhook", flat=True)) == {hook.pk for hook in hooks}
    assert merges.data_of(told[0].fact) == {"kept": kept.pk, "merged": row.patient_id}
    said = {"patient": row.patient_id, "department": DepartmentFactory(code="D7").pk}
    drafted = program_of(CommunityFactory()).post("/referrals/", said)
    assert (drafted.status_code, drafted.json()["patient"]["id"]) == (201, kept.pk)
    patient_index.undo(merge=merge, reason="认错了人", by=by, now=NOW)
    fan_out()
    assert WebhookDelivery.objects.filter(fact__topic="patient.unmerged").count() == 2
