"""O2: people, bookings to come and running suspensions of the system before, with a report whose sums add up."""

import io
import json
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.urls import reverse
from openpyxl import load_workbook

from appointments import handlers
from appointments.models import Allotment, Appointment, ImportLine, ImportRun, PatientSuspension
from appointments.services import booking, changes, cutover
from appointments.services.importing.uploads import Upload
from hospital import clock
from hospital.models import AuditEvent, ExternalRecord, Fact, Message, Patient
from tests.cutover import files
from tests.factories import (
    NOW,
    IdentifierFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    add_numbers,
    open_schedule,
)

pytestmark = pytest.mark.django_db
DAY = clock.today(NOW) + timedelta(days=28)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def by():
    return StaffFactory(roles="office")


@pytest.fixture
def schedule():
    """Ten public numbers of 24 minutes from 08:00 on, which open in three weeks."""
    return open_schedule(numbers=10, opened=NOW + timedelta(days=21), minutes=24)


@pytest.fixture
def doctor(schedule):
    return schedule.role.practitioner.code


@pytest.fixture
def look(by):
    def run(people=(), bookings=(), suspensions=(), *, content=None):
        content = content or files.content(people, bookings, suspensions)
        house = OrganizationFactory()
        upload = Upload("旧系统.xlsx", content, house, frozenset([house.pk]))
        return cutover.look(upload=upload, system="", by=by, now=NOW)

    return run


@pytest.fixture
def bring(look, by):
    """Look, start, and let the worker finish."""

    def run(*args, limit=None, **kwargs):
        run = look(*args, **kwargs)
        if run.status == "checked":
            cutover.start(run=run, by=by, now=NOW)
            go_on(run, limit=limit)
            run.refresh_from_db()
        return run

    return run


def go_on(run, limit=None):
    return cutover.go_on(run=run, clock_now=lambda: NOW, deciding=lambda: NOW, limit=limit)


def outcomes(run) -> dict:
    """(sheet, row) → (outcome, code)."""
    places = ["patient", "booking", "suspension"]
    rows = ImportLine.objects.filter(run=run).order_by("place", "row").values_list("place", "row", "outcome", "code")
    return {(places[place], row): (outcome, code) for place, row, outcome, code in rows}


def test_people_bookings_and_suspensions_come_over_with_channel_and_times(bring, schedule, doctor):
    told = datetime(2026, 11, 20, 9, 15)  # noqa: DTZ001 - as Excel has it
    run = bring(
        [files.person(1)],
        [files.visit(1, doctor=doctor, day=DAY, slot=3, booked_at=told)],
        [{"patient": "OLD1", "first": date(2026, 11, 1), "last": date(2027, 1, 30), "reason": "爽约 3 次"}],
    )

    assert set(outcomes(run).values()) == {("imported", "")}
    row = Appointment.objects.get()
    assert (row.slot.number, row.channel, row.status, row.self_service) == (3, "web", "booked", True)
    assert Fact.objects.get(topic="appointment.booked").payload["channel"] == "web"
    assert row.created_at == row.confirmed_at == told.replace(tzinfo=clock.ZONE)
    assert row.slot.pool.kind == "public"  # the number rests in its pool, which was not open yet
    assert list(Allotment.objects.filter(schedule=schedule).values_list("pool__kind", flat=True)) == ["public"]
    patient = Patient.objects.get()
    assert ExternalRecord.objects.get(kind="visit").subject == f"appointment:{row.pk}"
    assert PatientSuspension.objects.get(patient=patient).ends_at == clock.at(date(2027, 1, 31), time())
    assert (run.status, run.content) == ("applied", "")


def test_whoever_booked_before_is_not_told_of_a_new_booking(bring, schedule, doctor):
    bring([files.person(1)], [files.visit(1, doctor=doctor, day=DAY, slot=3)])
    handlers.tell_booked(Fact.objects.get(topic="appointment.booked"), NOW)
    assert not Message.objects.exists()


def test_the_same_file_again_changes_nothing(bring, schedule, doctor):
    file = files.content(
        [files.person(1)],
        [files.visit(1, doctor=doctor, day=DAY, start=time(8, 30))],
        [{"patient": "OLD1", "first": DAY, "last": DAY, "reason": "爽约"}],
    )
    bring(content=file)
    row = Appointment.objects.get()

    run = bring(content=file)

    assert {outcome for outcome, _code in outcomes(run).values()} == {"there"}
    assert (Appointment.objects.get(), Patient.objects.count(), PatientSuspension.objects.count()) == (row, 1, 1)


def test_what_was_cancelled_here_meanwhile_does_not_come_back(bring, schedule, doctor, by):
    file = files.content([files.person(1)], [files.visit(1, doctor=doctor, day=DAY, slot=3)])
    bring(content=file)
    changes.cancel(appointment=Appointment.objects.get(), by=by, channel="counter", now=NOW)

    run = bring(content=file)

    assert outcomes(run)["booking", 2] == ("there", "")
    assert not Appointment.objects.exclude(status="cancelled").exists()


WRONG_PEOPLE = [
    ({"document": files.document(1)[:-1] + ("1" if files.document(1)[-1] != "1" else "2")}, "bad_document"),
    ({"document": None}, "empty"),
    ({"document": 110105194912310021}, "cell"),
    ({"document": "=A1"}, None),
    ({"kind": "户籍"}, "cell"),
    ({"phone": "123"}, "bad_phone"),
    ({"code": files.document(9)}, "bad_number"),
    ({"birth_date": date(2001, 1, 1)}, "differs_from_document"),
    ({"sex": "男"}, "differs_from_document"),
    ({"name": "  李 秀 英 "}, None),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG_PEOPLE)
def test_a_wrong_person_is_refused_by_a_code_and_the_others_come_over(bring, wrong, code):
    run = bring([files.person(1, **wrong), files.person(2)])

    assert outcomes(run)["patient", 3] == ("imported", "")
    if code:
        assert outcomes(run)["patient", 2] == ("refused", code)
    assert Patient.objects.filter(name="李秀英").count() == (2 if wrong.get("name") else 1)


def test_a_row_says_of_all_its_wrong_cells_what_may_stand_there(look):
    """O2: no second round for the second cell, and nothing of what stood there."""
    run = look(
        [files.person(1, insurance="公费", birth_date="四九年", name=None), files.person(2, insurance="公费")],
        [files.visit(2, doctor="D", day=DAY, start="九点", slot=1)],
    )

    person, insured, visit = cutover.refused_lines(run)
    assert person[2:4] == ("姓名、出生日期、医保", "这几格空着或填得不对。")
    for each in ("姓名（文字）", "出生日期（日期，例如 2026-11-21）", "医保（职工医保、居民医保、自费）"):
        assert each in person[4]
    assert (insured[2], insured[3]) == ("医保", "这一格填得不对。")
    assert "时间（时间，例如 08:30）" in visit[4]
    assert not any("公费" in said for said in (*person[2:], *insured[2:]))


def test_doubles_in_the_file_and_persons_known_here_are_told_apart(bring):
    known = PatientFactory(name="李秀英", birth_date=None)
    IdentifierFactory(patient=known, number=files.document(4))
    other = PatientFactory(name="王芳", birth_date=None)
    IdentifierFactory(patient=other, number=files.document(5))

    run = bring([
        files.person(1), files.person(1, document=files.document(2)), files.person(3),
        files.person(33, document=files.document(3)), files.person(4), files.person(5),
    ])  # fmt: skip

    assert list(outcomes(run).values()) == [
        ("refused", "same_number"),
        ("refused", "same_number"),
        ("refused", "same_person"),
        ("refused", "same_person"),
        ("there", ""),
        ("refused", "person_differs"),
    ]
    assert ExternalRecord.objects.get(number="OLD4").patient == known


def wrong_bookings(schedule, doctor):
    yield {"patient": "OLD99"}, "unknown_patient"
    yield {"actor": "nobody"}, "unknown_actor"
    yield {"slot": None}, "no_time"
    yield {"slot": 99}, "unknown_slot"
    yield {"slot": 1}, "number_taken"  # by somebody here
    yield {"slot": 2}, "number_taken"  # by the row above
    yield {"day": date(2026, 11, 20)}, "past"
    yield {"day": DAY + timedelta(days=1)}, "no_session"
    yield {"slot": 5, "start": time(11)}, "time_differs"
    yield {"slot": None, "start": time(6)}, "no_session"
    yield {"channel": "传真"}, "cell"
    yield {"actor_kind": "专家团队"}, "unknown_actor"


def test_a_booking_that_can_not_be_is_refused_by_its_reason(bring, schedule, doctor):
    booking.book(schedule=open_schedule(), patient=PatientFactory(), channel="web", by=None, request_key=None, now=NOW)
    Allotment.objects.update(opens_at=NOW - timedelta(days=1))
    booking.book(
        schedule=schedule, patient=PatientFactory(), channel="web", by=None, request_key=None, number=1, now=NOW
    )
    wrong = list(wrong_bookings(schedule, doctor))
    people = [files.person(n) for n in range(1, len(wrong) + 2)]
    rows = [files.visit(1, doctor=doctor, day=DAY, slot=2)]
    rows += [
        files.visit(n, doctor=doctor, day=DAY, slot=n + 1) | said for n, (said, _code) in enumerate(wrong, start=2)
    ]

    looked = bring(people, rows)

    told = outcomes(looked)
    assert told["booking", 2] == ("imported", "")
    assert [told["booking", 3 + place] for place in range(len(wrong))] == [("refused", code) for _said, code in wrong]


def test_one_person_is_never_in_two_places_nor_twice_a_day_in_a_department(bring, schedule, doctor):
    other = open_schedule(numbers=10, minutes=24)
    same = open_schedule(
        numbers=4, role__department=schedule.department, starts_at=clock.at(DAY, time(14)), half="pm",
        ends_at=clock.at(DAY, time(16)),
    )  # fmt: skip

    run = bring(
        [files.person(1)],
        [
            files.visit(1, doctor=doctor, day=DAY, slot=3),
            files.visit(1, code="Y2", doctor=other.role.practitioner.code, day=DAY, slot=3),
            files.visit(1, code="Y3", doctor=same.role.practitioner.code, day=DAY, slot=1),
            files.visit(1, code="Y4", doctor=same.role.practitioner.code, day=DAY, slot=1, channel="诊间"),
        ],
    )

    assert [code for _outcome, code in outcomes(run).values()] == ["", "", "time_conflict", "already_booked", ""]


def test_a_time_means_the_first_free_number_of_its_half_hour(bring, schedule, doctor):
    people = [files.person(n) for n in (1, 2, 3)]
    run = bring(people, [files.visit(n, doctor=doctor, day=DAY, start=time(8)) for n in (1, 2, 3)])

    assert sorted(Appointment.objects.values_list("slot__number", flat=True)) == [1, 2]
    assert outcomes(run)["booking", 4] == ("refused", "no_number_left")


def test_a_suspended_patient_keeps_the_booking_of_before_and_books_no_new_one(bring, schedule, doctor):
    suspension = {"patient": "OLD1", "first": date(2026, 11, 1), "last": date(2027, 1, 30), "reason": "爽约"}
    bring([files.person(1)], [], [suspension])

    run = bring([files.person(1)], [files.visit(1, doctor=doctor, day=DAY, slot=3)], [suspension])

    assert [outcome for outcome, _code in outcomes(run).values()] == ["there", "imported", "there"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"last": date(2026, 11, 22)}, "over"),
        ({"first": date(2027, 2, 1)}, "dates"),
        ({"patient": "X"}, "unknown_patient"),
    ],
)
def test_a_suspension_that_does_not_run_is_refused(bring, said, code):
    row = {"patient": "OLD1", "first": date(2026, 11, 1), "last": date(2027, 1, 30), "reason": "爽约"} | said
    assert outcomes(bring([files.person(1)], [], [row]))["suspension", 2] == ("refused", code)


def test_a_worker_that_dies_half_way_is_followed_by_one_that_goes_on(bring, by, doctor, schedule, monkeypatch):
    people = [files.person(n) for n in range(1, 6)]
    rows = [files.visit(n, doctor=doctor, day=DAY, slot=n) for n in range(1, 6)]
    run = bring(people, rows, limit=7)
    assert (run.status, Appointment.objects.count()) == ("running", 2)

    with monkeypatch.context() as torn:  # dies in the middle of a row: neither the booking nor its line
        torn.setattr("appointments.services.cutover.running._say", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            go_on(run)
    assert Appointment.objects.count() == 2
    assert go_on(run) == 3

    run.refresh_from_db()
    assert (run.status, Appointment.objects.count(), Patient.objects.count()) == ("applied", 5, 5)
    for sums in cutover.reconciliation(run):
        assert sums.in_file == sums.imported + sums.there + sums.refused
    assert AuditEvent.objects.get(action="import.applied").detail["imported"] == 10


def test_a_row_that_somebody_holds_for_too_long_waits_for_the_next_round(look, by, monkeypatch):
    run = look([files.person(1), files.person(2)])
    cutover.start(run=run, by=by, now=NOW)
    with monkeypatch.context() as held:
        held.setattr("hospital.integration.persons.upsert", lambda **_said: (_ for _ in ()).throw(OperationalError))
        assert go_on(run) == 0
    run.refresh_from_db()
    assert run.status == "running"

    cutover.continue_all(clock_now=lambda: NOW, deciding=lambda: NOW)

    assert set(outcomes(run).values()) == {("imported", "")}


def test_nothing_of_a_person_is_kept_with_the_run(bring, caplog, doctor, schedule):
    """Not even when the row of headers is missing, and a person stands in its place."""
    run = bring([files.person(1, phone="123"), files.person(2)], [files.visit(2, doctor=doctor, day=DAY, slot=1)])
    book = load_workbook(io.BytesIO(files.content([files.person(1)])))
    book["就诊人"].delete_rows(1)
    book.create_sheet("李秀英")
    headless = io.BytesIO()
    book.save(headless)
    refused = bring(content=headless.getvalue())

    kept = json.dumps([run.report, refused.report, *outcomes(run).values()], ensure_ascii=False, default=str)
    kept += caplog.text + json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)), ensure_ascii=False)
    assert refused.status == "refused"
    for secret in ("李秀英", "OLD1", files.document(1), "123,", "13800000002"):
        assert secret not in kept


def test_the_page_walks_from_upload_to_report(client, by, doctor, schedule):
    """By the page alone, and the report can be taken along."""
    client.force_login(by)
    file = SimpleUploadedFile(
        "old.xlsx",
        files.content([files.person(1), files.person(2, phone="9")], [files.visit(1, doctor=doctor, day=DAY, slot=1)]),
    )
    house = OrganizationFactory().pk
    answer = client.post(
        reverse("appointments:office_imports"), {"kind": "cutover", "organization": house, "file": file}, follow=True
    )
    page = answer.content.decode()
    assert "手机号码不对。" in page
    assert "李秀英" not in page
    run = ImportRun.objects.get()

    page = client.post(reverse("appointments:office_import_apply", args=[run.pk]), follow=True).content.decode()
    assert "every 3s" in page
    go_on(run)

    page = client.get(reverse("appointments:office_import", args=[run.pk])).content.decode()
    assert "every 3s" not in page
    report = client.get(reverse("appointments:office_import_report", args=[run.pk]))
    book = load_workbook(io.BytesIO(b"".join(report.streaming_content)))
    assert [cell.value for cell in book["核对"][2]] == ["就诊人", 2, 0, 1, 0, 1]
    assert [cell.value for cell in book["未导入明细"][2]][:4] == ["就诊人", 3, "手机", "手机号码不对。"]


def test_the_look_at_a_file_asks_no_more_the_longer_it_is(look, schedule, doctor, django_assert_max_num_queries):
    add_numbers(schedule, count=50, opened=NOW)
    people = [files.person(n) for n in range(1, 40)]
    rows = [files.visit(n, doctor=doctor, day=DAY, slot=n) for n in range(1, 40)]
    with django_assert_max_num_queries(22):
        run = look(people, rows)
    assert {outcome for outcome, _code in outcomes(run).values()} == {"waiting"}
