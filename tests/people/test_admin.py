"""后台: support staff look at much and change little (O5, O10)."""

from datetime import date

import pytest
from django.contrib import admin
from django.urls import reverse

from appointments.models import (
    Appointment,
    BookingRule,
    ChannelRule,
    ConsultLevelRule,
    Encounter,
    Schedule,
    Slot,
    SupplyRule,
)
from appointments.services.defaults import ensure_defaults
from hospital.models import AccountRule, AuditEvent, Delivery, Fact, Message, Role, RoleAssignment, RolePolicy, User
from tests.factories import (
    NOW,
    EncounterFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db

READ_ONLY = [Slot, Schedule, Appointment, Encounter, Fact, Delivery, Message, AuditEvent]


def address(model, act, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{act}", args=args)


def signed_in(client, *roles):
    user = StaffFactory(roles=list(roles))
    client.force_login(user)
    return user


@pytest.fixture
def visit():
    """A checked-in visit with everything around it."""
    patient = PatientFactory(name="周志明")
    appointment = appointment_row(open_schedule(), patient, status="arrived")
    encounter = EncounterFactory(appointment=appointment)
    fact = Fact.objects.create(topic="appointment.booked", key="appointment:1", happened_at=NOW)
    Delivery.objects.create(fact=fact, handler="h", key=fact.key, next_try_at=NOW)
    Message.objects.create(
        patient=patient, channel="sms", template="booked", params={"name": "周志明"}, dedupe="1",
        created_at=NOW, next_try_at=NOW,
    )  # fmt: skip
    AuditEvent.objects.create(at=NOW, action="patient.seen.desk", patient=patient)
    return encounter


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_numbers_bookings_facts_and_trail_are_looked_at_and_never_changed(client, visit, model):
    signed_in(client, *Role.values)
    row = model.objects.first()
    before = list(model.objects.filter(pk=row.pk).values())

    assert client.get(address(model, "changelist")).status_code == 200
    page = client.get(address(model, "change", row.pk))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.post(address(model, "change", row.pk), {"status": "free", "action": "x"}).status_code == 403
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert list(model.objects.filter(pk=row.pk).values()) == before


def test_every_page_of_the_admin_opens_and_shows_no_full_name_of_a_patient(client, visit):
    signed_in(client, *Role.values)
    for model in admin.site._registry:
        page = client.get(address(model, "changelist"))
        assert page.status_code == 200, model
        assert "周志明" not in page.content.decode(), model
        row = model.objects.first()
        if row is not None:
            page = client.get(address(model, "change", row.pk))
            assert page.status_code == 200, model
            assert "周志明" not in page.content.decode(), model
            assert client.get(address(model, "history", row.pk)).status_code == 200


def test_opening_a_patients_row_in_the_admin_leaves_a_trace(client, visit):
    user = signed_in(client, "office")
    page = client.get(address(Appointment, "change", visit.appointment_id)).content.decode()
    assert "周*明" in page
    seen = AuditEvent.objects.get(action="patient.seen.admin")
    assert (seen.actor, seen.patient) == (user, visit.patient)


def test_a_change_of_a_rule_is_in_history_and_trail(client):
    user = signed_in(client, "secadmin")
    rule = AccountRule.objects.create(effective_from=date(2026, 1, 1))
    page = client.get(address(AccountRule, "change", rule.pk))
    form = page.context["adminform"].form
    data = {name: form.initial.get(name) or "" for name in form.fields} | {"family_limit": 4}
    response = client.post(address(AccountRule, "change", rule.pk), data)

    assert response.status_code == 302, response.context["errors"]
    rule.refresh_from_db()
    assert rule.family_limit == 4
    trace = AuditEvent.objects.get(action="admin.changed")
    assert (trace.actor, trace.subject, trace.detail) == (user, f"accountrule:{rule.pk}", {"fields": ["family_limit"]})
    history = client.get(address(AccountRule, "history", rule.pk)).content.decode()
    assert "一个账号最多几位就诊人" in history
    assert str(user) in history


@pytest.mark.parametrize("model", [SupplyRule, BookingRule, ChannelRule, ConsultLevelRule], ids=lambda m: m.__name__)
def test_rules_of_numbers_are_written_on_the_offices_pages_only(client, model):
    """The admin would go round what those pages check: a start in the past, shares, the trail with its reason."""
    signed_in(client, *Role.values)
    ensure_defaults(OrganizationFactory())
    row = model.objects.first()
    assert client.get(address(model, "change", row.pk)).status_code == 200
    assert client.post(address(model, "change", row.pk), {"effective_from": "2020-01-01"}).status_code == 403
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_roles_are_given_by_the_security_administrator_and_not_to_oneself(client):
    user = signed_in(client, "secadmin")
    other, hospital = StaffFactory(), OrganizationFactory()

    def give(to):
        return client.post(
            address(RoleAssignment, "add"), {"user": to.pk, "role": "doctor", "organization": hospital.pk}
        ).status_code

    assert give(other) == 302
    assert give(user) == 200
    assert not RoleAssignment.objects.filter(user=user, role="doctor").exists()
    assert client.get(address(User, "add")).status_code == 403


def test_accounts_are_made_by_the_system_administrator_who_gives_no_roles(client):
    signed_in(client, "sysadmin")
    data = {
        "username": "newdoctor",
        "full_name": "新医生",
        "password1": "purple river 88",
        "password2": "purple river 88",
    }
    response = client.post(address(User, "add"), {**data, "usable_password": "true"})
    assert response.status_code == 302, response.context["errors"]
    assert client.get(address(RoleAssignment, "add")).status_code == 403
    assert client.post(address(RolePolicy, "add"), {"role": "doctor"}).status_code == 403
    page = client.get(address(User, "change", User.objects.get(username="newdoctor").pk)).content.decode()
    assert "is_superuser" not in page


def test_the_system_administrator_unlocks_an_account_and_takes_off_a_lost_second_factor(client):
    from tests.people.test_sign_in import sign_in, with_second_factor

    doctor = StaffFactory(roles="doctor")
    with_second_factor(doctor)
    for _ in range(5):
        sign_in(client, doctor, password="wrong wrong wrong")
    signed_in(client, "sysadmin")
    for action in ("unlock", "remove_second_factor"):
        client.post(address(User, "changelist"), {"action": action, "_selected_action": doctor.pk})
    client.post("/accounts/logout/")

    assert sign_in(client, doctor).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert AuditEvent.objects.filter(subject=f"user:{doctor.pk}", action="admin.second_factor_removed").exists()


@pytest.mark.parametrize("role", ["doctor", "triage", "counter", "phone", "partner", "finance"])
def test_other_roles_do_not_get_in(client, role):
    signed_in(client, role)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403


def test_the_admin_has_no_door_of_its_own(client):
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    response = client.post("/admin/login/?next=/admin/", {"username": "x", "password": "y"})
    assert response.headers["Location"].startswith("/accounts/login/?next=")


def test_the_trail_itself_is_only_for_auditor_and_security(client):
    signed_in(client, "office")
    assert client.get(address(AuditEvent, "changelist")).status_code == 403
    signed_in(client, "auditor")
    assert client.get(address(AuditEvent, "changelist")).status_code == 200


def test_the_admin_is_left_by_its_own_button_and_not_by_a_link(client):
    signed_in(client, "office")
    assert client.get("/admin/logout/").headers["Location"] == "/accounts/logout/"
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/logout/").headers["Location"] == "/accounts/login/"
    assert client.get("/admin/").status_code == 302
    assert AuditEvent.objects.filter(action="account.signed_out").count() == 1
