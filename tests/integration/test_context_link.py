"""The consult room opened by a signed link (O1): once, within a minute, by the right key, for exactly one visit."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test import Client

from appointments.models import Encounter
from hospital import clock
from hospital.integration import links, signing
from hospital.models import (
    AuditEvent,
    ExternalRecord,
    IntegrationKey,
    Patient,
    RoleAssignment,
    RolePolicy,
    UsedLink,
)
from tests.consult.rooms import bring_in, doctor_with_a_room
from tests.factories import NOW, OrganizationFactory, PractitionerFactory, StaffFactory, appointment_row

from .documented import write_examples
from .systems import System

pytestmark = pytest.mark.django_db
SECRET = "the hospital's and the workstation's"


@pytest.fixture
def room(db, stopped):
    """王建国's morning with two who wait; the other system knows them as 1001 with visit V1, and 1002 with V2."""
    room = doctor_with_a_room(waiting=2)
    IntegrationKey.objects.create(organization=OrganizationFactory(), system="his", secret=SECRET)
    for place, encounter in enumerate(room.waiting, 1):
        record("patient", f"100{place}", encounter.patient)
        record("visit", f"V{place}", encounter.patient, f"appointment:{encounter.appointment_id}")
    return room


def record(kind, number, patient, subject="", system="his"):
    return ExternalRecord.objects.create(
        system=system, kind=kind, number=number, patient=patient, subject=subject, digest=number,
        changed_at=NOW, received_at=NOW,
    )  # fmt: skip


def link(room, *, secret=SECRET, seconds=60, nonce="n" * 20, **changes):
    """What the workstation makes. `changes` are signed; tampering comes after."""
    fields = {
        "system": "his", "doctor": room.doctor.code, "patient": "1001", "visit": "V1",
        "exp": str(int((clock.now() + timedelta(seconds=seconds)).timestamp())), "nonce": nonce, **changes,
    }  # fmt: skip
    return {**fields, "signature": signing.link_signature(secret=secret, fields=fields)}


def open_(client, fields, **more):
    return client.get("/consult/open/", fields, **more)


def refusals():
    return [row["code"] for row in AuditEvent.objects.filter(action="link.refused").values_list("detail", flat=True)]


# ---- it opens ----


def test_a_good_link_signs_the_doctor_in_and_shows_exactly_that_patient(client, room):
    """O1: nobody types twice."""
    answer = open_(client, link(room))

    assert (answer.status_code, answer.headers["Location"]) == (302, "/consult/")
    page = client.get("/consult/")
    assert page.context["page"].patient == room.first
    assert page.wsgi_request.user == room.user
    assert Encounter.objects.get(pk=room.waiting[0].pk).status == "in_room"
    assert client.session.get_expire_at_browser_close()
    opened = AuditEvent.objects.get(action="link.opened")
    assert (opened.actor, opened.patient, opened.detail) == (room.user, room.first, {"system": "his"})


def test_one_whom_nobody_checked_in_is_here_when_the_doctor_opens_the_visit(client, room):
    patient = Patient.objects.create(name="郑国平", medical_number="M9")
    row = appointment_row(room.schedule, patient, number=9)
    record("patient", "1009", patient)
    record("visit", "V9", patient, f"appointment:{row.pk}")

    open_(client, link(room, patient="1009", visit="V9"))
    assert client.get("/consult/").context["page"].patient == patient


def test_opening_the_one_in_the_room_again_changes_nothing(client, room):
    bring_in(room)
    assert open_(client, link(room)).status_code == 302
    assert client.get("/consult/").context["page"].patient == room.first
    assert Encounter.objects.get(pk=room.waiting[0].pk).calls == 1


def test_another_patient_in_the_room_is_never_finished_silently_nor_mistaken(client, room):
    inside = bring_in(room)
    answer = open_(client, link(room, patient="1002", visit="V2"))

    assert answer.status_code == 409
    assert "诊室里还是李*英" in answer.content.decode()
    assert Encounter.objects.get(pk=inside.pk).status == "in_room"
    form = {"current": inside.pk, "encounter": room.waiting[1].pk}
    client.post("/consult/call/", form)
    assert client.get("/consult/").context["page"].patient == room.waiting[1].patient


def test_whoever_sat_there_before_is_signed_out(client, room):
    before = StaffFactory(roles="office")
    client.force_login(before)
    session = client.session
    session["kept"] = "of the one before"
    session.save()

    open_(client, link(room))
    page = client.get("/consult/")
    assert page.wsgi_request.user == room.user
    assert "kept" not in client.session


def test_a_session_that_was_idle_too_long_does_not_stand_in_the_way(client, room):
    client.force_login(room.user)
    client.get("/consult/")
    with time_machine.travel(NOW + timedelta(minutes=45), tick=False):
        assert open_(client, link(room)).headers["Location"] == "/consult/"
        page = client.get("/consult/")
        assert page.status_code == 200
        assert "已自动退出" not in page.content.decode()


def test_while_the_key_is_changed_both_hold(client, room):
    IntegrationKey.objects.create(organization=OrganizationFactory(), system="his", secret="new")
    assert open_(client, link(room, secret="new")).status_code == 302
    assert open_(client, link(room, nonce="m" * 20)).status_code == 302


# ---- it does not open ----


@pytest.mark.parametrize("name", [*signing.LINK_FIELDS, "signature"])
@pytest.mark.parametrize("how", ["changed", "missing", "twice", "empty", "line break"])
def test_a_link_that_was_tampered_with_in_any_part_opens_nothing(client, room, name, how):
    record("patient", "1001x", room.waiting[1].patient)
    fields = link(room)
    value = {"changed": fields[name] + "1", "empty": "", "line break": fields[name] + "\n"}.get(how, fields[name])
    pairs = [pair for pair in fields.items() if pair[0] != name]
    pairs += {"missing": [], "twice": [(name, value)] * 2}.get(how, [(name, value)])

    answer = client.get(f"/consult/open/?{urlencode(pairs)}")
    assert answer.status_code == 403
    assert "链接无效" in answer.content.decode()
    assert refusals() == ["bad_link"]
    assert not UsedLink.objects.exists()
    assert "_auth_user_id" not in client.session


def test_parts_that_change_places_are_not_the_same_link(client, room):
    fields = link(room)
    fields["patient"], fields["visit"] = fields["visit"], fields["patient"]
    assert open_(client, fields).status_code == 403


def test_an_unsigned_field_more_is_refused(client, room):
    assert open_(client, {**link(room), "next": "https://elsewhere"}).status_code == 403


@pytest.mark.parametrize("secret", ["", "another"])
def test_a_link_of_another_key_opens_nothing(client, room, secret):
    assert open_(client, link(room, secret=secret)).status_code == 403


def test_a_key_that_was_switched_off_opens_nothing(client, room):
    IntegrationKey.objects.update(active=False)
    assert open_(client, link(room)).status_code == 403


@pytest.mark.parametrize(("seconds", "status"), [(-6, 403), (-4, 302), (60, 302), (65, 302), (66, 403), (10**9, 403)])
def test_a_link_lives_a_minute_and_clocks_may_differ_by_five_seconds(client, room, seconds, status):
    answer = open_(client, link(room, seconds=seconds))
    assert answer.status_code == status
    assert refusals() == (["link_expired"] if status == 403 else [])


def test_a_link_opens_once(client, room):
    fields = link(room)
    open_(client, fields)
    again = open_(Client(), fields)

    assert (again.status_code, refusals()) == (403, ["link_used"])
    assert "已经打开过" in again.content.decode()
    assert "_auth_user_id" not in again.wsgi_request.session


def test_a_link_that_was_refused_for_what_it_names_is_used_up_too(client, room):
    fields = link(room, visit="V77")
    assert open_(client, fields).status_code == 404
    assert open_(client, fields).status_code == 403
    assert refusals() == ["link_unknown", "link_used"]


@pytest.mark.django_db(transaction=True)
def test_of_two_that_open_at_once_one_wins(room):
    fields = link(room)

    def race(_n):
        try:
            return open_(Client(), fields).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(race, range(6)))

    assert sorted(answers) == [302] + [403] * 5


@pytest.mark.parametrize("changes", [{"patient": "9999"}, {"visit": "V9"}, {"visit": "V2"}, {"doctor": "nobody"}])
def test_numbers_that_are_unknown_or_do_not_belong_together_open_nothing(client, room, changes):
    answer = open_(client, link(room, **changes))

    assert (answer.status_code, refusals()) == (404, ["link_unknown"])
    assert "_auth_user_id" not in client.session


def test_numbers_of_another_system_open_nothing(client, room):
    IntegrationKey.objects.create(organization=OrganizationFactory(), system="lis", secret="lis")
    assert open_(client, link(room, secret="lis", system="lis")).status_code == 404


def test_a_key_of_another_house_opens_nothing_here(client, room):
    """Its system's numbers might name a patient of ours: the visit is still not in its house."""
    away = OrganizationFactory(code="H2", name="第二医院")
    IntegrationKey.objects.create(organization=away, system="away", secret="away")
    PractitionerFactory(organization=away, code="P-1", user=StaffFactory())
    RoleAssignment.objects.create(user=StaffFactory(), role="doctor", organization=away)
    other = PractitionerFactory(organization=away, code="P-2", user=StaffFactory())
    RoleAssignment.objects.create(user=other.user, role="doctor", organization=away)
    record("patient", "1", room.first, system="away")
    record("visit", "1", room.first, f"appointment:{room.waiting[0].appointment_id}", system="away")
    fields = {"secret": "away", "system": "away", "patient": "1", "visit": "1"}

    assert open_(client, link(room, doctor="P-2", **fields)).status_code == 404
    assert open_(client, link(room, doctor="P-1", nonce="m" * 20, **fields)).status_code == 403  # no role there


def test_a_role_with_a_second_factor_signs_in_itself(client, room):
    RolePolicy.objects.create(role="doctor", second_factor=True)
    answer = open_(client, link(room))

    assert (answer.status_code, refusals()) == (403, ["own_sign_in"])
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("role", ["secadmin", "sysadmin", "office", "auditor", "triage", "counter", "cashier"])
def test_an_account_that_can_do_more_than_consult_signs_in_itself(client, room, role):
    RoleAssignment.objects.create(user=room.user, role=role, organization=OrganizationFactory())
    assert open_(client, link(room)).status_code == 403
    client.force_login(room.user)
    assert open_(client, link(room, nonce="m" * 20)).status_code == 302


def test_an_account_that_was_closed_is_not_opened(client, room):
    room.user.is_active = False
    room.user.save()
    assert open_(client, link(room)).status_code == 404


def test_a_patient_of_a_colleague_is_not_shown(client, room):
    other = doctor_with_a_room(waiting=0, name="陈医生")
    answer = open_(client, link(room, doctor=other.doctor.code))

    assert answer.status_code == 409
    assert "不是您的号" in answer.content.decode()
    assert Encounter.objects.get(pk=room.waiting[0].pk).status == "waiting"


@pytest.mark.parametrize("status", ["fulfilled", "cancelled"])
def test_a_visit_that_is_over_is_not_opened(client, room, status):
    patient = Patient.objects.create(name="郑国平", medical_number="M9")
    row = appointment_row(
        room.schedule, patient, number=9, status=status, cancelled_at=NOW if status == "cancelled" else None
    )
    record("patient", "1009", patient)
    record("visit", "V9", patient, f"appointment:{row.pk}")
    bring_in(room)

    answer = open_(client, link(room, patient="1009", visit="V9"))
    assert answer.status_code == 409
    assert "不能再打开" in answer.content.decode()
    assert "李" not in answer.content.decode()  # nor anybody else


@pytest.mark.parametrize("method", ["post", "head", "put", "options"])
def test_only_get_opens(client, room, method):
    fields = link(room)
    assert getattr(client, method)(f"/consult/open/?{urlencode(fields)}").status_code == 405
    assert open_(client, fields).status_code == 302


def test_neither_the_trail_nor_the_used_links_nor_the_logs_say_who(client, room, capfd):
    fields = link(room)
    open_(client, fields)
    open_(client, fields)
    kept = str(list(AuditEvent.objects.values_list("detail", "subject"))) + str(list(UsedLink.objects.values()))
    logged = "".join(capfd.readouterr())

    for word in (room.first.name, fields["nonce"], fields["signature"], SECRET):
        assert word not in kept + logged
    assert "V1" not in logged


def test_opening_costs_few_queries(client, room, django_assert_max_num_queries):
    with django_assert_max_num_queries(60):
        open_(client, link(room))


def test_used_links_are_forgotten_when_they_could_open_nothing_any_more(client, room):
    open_(client, link(room))
    assert links.forget_used(now=NOW + timedelta(hours=23)) == 0
    assert links.forget_used(now=NOW + timedelta(hours=25)) == 1


def test_a_system_is_one_house_s_and_its_number_one_visit(room, client):
    with pytest.raises(Exception, match="integrationkey_system_of_one_house"):
        IntegrationKey.objects.create(
            organization=OrganizationFactory(code="H2", name="第二医院"), system="his", secret="x"
        )


def test_a_token_s_system_is_one_house_s_too(his, client):
    with pytest.raises(Exception, match="apitoken_system_of_one_house"):
        System(client, organization=OrganizationFactory(code="H2", name="第二医院"))


# ---- the document's own examples ----


@pytest.mark.of_today
@pytest.mark.parametrize(("program", "name"), [(sys.executable, "link.py"), ("sh", "link.sh")])
def test_the_documents_examples_make_links_that_open(client, db, tmp_path, program, name):
    room = doctor_with_a_room(waiting=1)
    IntegrationKey.objects.create(organization=OrganizationFactory(), system="his", secret=SECRET)
    record("patient", "1001", room.first)
    record("visit", "V1", room.first, f"appointment:{room.waiting[0].appointment_id}")
    script = write_examples(tmp_path)[name]
    command = [program, str(script), "his", room.doctor.code, "1001", "V1", SECRET, "https://hospital.example"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    assert made.startswith("https://hospital.example/consult/open/?")
    assert client.get(made.removeprefix("https://hospital.example")).status_code == 302
    assert client.get("/consult/").context["page"].patient == room.first
