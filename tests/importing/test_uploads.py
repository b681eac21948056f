"""The imports' page: what a person sees of a wrong file, a right one, a stale one, and of two at once (O2)."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from openpyxl import load_workbook

from appointments.models import ImportRun
from appointments.services.importing import state, uploads
from hospital.models import AuditEvent, Organization, Practitioner, RoleAssignment, Room
from hospital.workbook import writer
from hospital.workbook.opening import MOST_BYTES
from hospital.workbook.reader import read
from tests.factories import NOW, DepartmentFactory, OrganizationFactory, StaffFactory, UserFactory
from tests.importing.workbooks import cell_of, rows, spoil, workbook

pytestmark = pytest.mark.django_db
PAGE = "appointments:office_imports"


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def hospital():
    """The house that the small workbook speaks of, bare."""
    return Organization.objects.create(code="H", name="区医院", kind="hospital")


@pytest.fixture
def office(hospital):
    user = UserFactory()
    RoleAssignment.objects.create(user=user, role="office", organization=hospital)
    return user


@pytest.fixture
def upload(client, office, hospital, tmp_path):
    """Upload the small hospital with a change to its rows, or any bytes; returns the answer and the run."""
    client.force_login(office)

    def send(change=lambda rows: None, *, content=None, name="hospital.xlsx", **fields):
        content = workbook(tmp_path / "hospital.xlsx", change).read_bytes() if content is None else content
        data = {"kind": "hospital", "organization": hospital.pk, "file": SimpleUploadedFile(name, content), **fields}
        answer = client.post(reverse(PAGE), data)
        return answer, ImportRun.objects.order_by("-pk").first()

    return send


def page_of(client, run, **query) -> str:
    return client.get(reverse("appointments:office_import", args=[run.pk]), query).content.decode()


def press(client, run, what="apply", **data):
    return client.post(reverse(f"appointments:office_import_{what}", args=[run.pk]), data, follow=True)


def test_a_right_file_is_shown_then_applied_and_its_content_forgotten(client, upload, office):
    answer, run = upload()
    assert answer.status_code == 302
    assert (run.status, Room.objects.count()) == ("checked", 0)
    assert "确认执行" in page_of(client, run)
    with connection.cursor() as cursor:  # what lies on disk is cipher text
        cursor.execute("SELECT content FROM appointments_importrun WHERE id = %s", [run.pk])
        assert uploads.packed(uploads.content_of(run))[:40] not in cursor.fetchone()[0]

    press(client, run)

    run.refresh_from_db()
    assert (run.status, run.content, run.applied_by, Room.objects.count()) == ("applied", "", office, 4)
    assert AuditEvent.objects.get(action="import.applied").detail["new"] == run.report["counts"]["new"]
    assert run.report["counts"]["changed"] == 1  # the bare house became the workbook's
    assert "已执行" in client.get(reverse(PAGE)).content.decode()


def test_wrong_cells_are_told_in_place_with_their_cure_and_paged(client, upload):
    def many(rows):
        rows["template"][0]["numbers"] = -1
        rows["room"] += [{"code": f"R{n}", "name": "诊室", "campus": "无此"} for n in range(60)]

    _answer, run = upload(many)

    page = page_of(client, run)
    assert "文件有 61 处错误，什么都没有导入。" in page
    assert page.count("编码“无此”含有不允许的字符。") == 50
    last = page_of(client, run, page=2)
    assert "J 号数" in last
    assert "-1 超出范围。" in last
    assert "请填 1 到 300 之间的整数。" in last
    assert (run.status, run.content) == ("refused", "")
    assert client.get(reverse("appointments:office_import_report", args=[run.pk])).status_code == 200


def bomb() -> bytes:
    parcel = io.BytesIO()
    with zipfile.ZipFile(parcel, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("xl/workbook.xml", b"0" * (MOST_BYTES + 1))
    return parcel.getvalue()


def broken() -> bytes:
    """A workbook whose sheet breaks off in the middle."""
    content, torn = writer.packed(rows()), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(torn, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, part[: len(part) // 2] if "sheet" in name and name.endswith("1.xml") else part)
    return torn.getvalue()


BAD_FILES = [
    ("list.csv", b"a,b", 422, "这个文件不是 .xlsx"),
    ("empty.xlsx", b"", 422, "空的"),
    ("list.xlsx", b"a,b", 302, "这不是能读的 Excel 工作簿。"),
    ("locked.xlsx", bytes.fromhex("D0CF11E0A1B11AE1") + b"0" * 600, 302, "这个文件加了密码，或是旧的 .xls 格式。"),
    ("bomb.xlsx", bomb(), 302, "文件太大。"),
    ("torn.xlsx", broken(), 302, "这不是能读的 Excel 工作簿。"),
]


@pytest.mark.parametrize(("name", "content", "status", "said"), BAD_FILES, ids=[bad[0] for bad in BAD_FILES])
def test_whatever_is_uploaded_is_answered_in_words(client, upload, name, content, status, said):
    answer, run = upload(content=content, name=name)

    assert answer.status_code == status
    assert said in (answer.content.decode() if status == 422 else page_of(client, run))
    assert not Room.objects.exists()


def test_a_body_without_end_is_refused_unread(client, office):
    client.force_login(office)
    answer = client.post(reverse(PAGE), {}, CONTENT_LENGTH=str(2**40))
    assert answer.status_code == 413
    assert "最大 10 MB" in answer.content.decode()


def test_hidden_rows_and_sheets_are_said_and_not_imported(upload, tmp_path):
    def hide(paper):
        paper.row_dimensions[3].hidden = True
        paper.sheet_state = "hidden"

    path = spoil(workbook(tmp_path / "hidden.xlsx"), "room", hide)
    _answer, run = upload(content=path.read_bytes())

    told = {(one["row"], one["wrong"]) for one in run.report["problems"] if one["sheet"] == "诊室"}
    assert told == {(3, "从这一行起有 %(count)s 行被隐藏或筛掉了，看不见的行不导入。"), (None, "这张表被隐藏了。")}


def test_a_preview_that_no_longer_holds_is_refused_with_a_fresh_one(client, upload):
    _answer, run = upload()
    press(client, run)
    _answer, run = upload(lambda rows: rows["doctor"][0].update(name="王建军"))
    Practitioner.objects.filter(code="2").update(title="主治医师")

    answer = press(client, run)

    assert "上次查看以后，系统里的数据变了，所以没有执行。" in answer.content.decode()
    assert Practitioner.objects.get(code="1").name == "王建国"
    press(client, run)
    assert Practitioner.objects.get(code="1").name == "王建军"
    assert Practitioner.objects.get(code="2").title == "主任医师"


def test_what_the_workbook_lacks_is_put_out_of_use_only_when_that_was_shown(client, upload):
    _answer, run = upload()
    press(client, run)
    _answer, run = upload(lambda rows: rows["room"].pop(3) and rows["template"].pop(4))
    press(client, run, "again", retire_missing="1")
    assert "停用（工作簿里没有）" in page_of(client, run)

    press(client, run)

    assert not Room.objects.get(code="L1").active


def test_it_is_decided_once(client, upload):
    _answer, run = upload()
    press(client, run, "discard")
    run.refresh_from_db()
    assert (run.status, run.content) == ("discarded", "")

    answer = press(client, run)

    assert answer.status_code == 409
    assert "这次导入已经是“已放弃”" in answer.content.decode()
    assert not Room.objects.exists()


def test_a_preview_that_nobody_decides_on_is_given_up_after_a_day(upload):
    _answer, run = upload()
    uploads.forget_old(now=NOW + timedelta(days=1, seconds=1))
    run.refresh_from_db()
    assert (run.status, run.content) == ("discarded", "")


def test_another_house_is_not_touched(client, upload):
    OrganizationFactory(code="Z", name="别家医院")
    _answer, run = upload(lambda rows: rows["organization"].append({"code": "Z", "name": "改名", "kind": "医院"}))
    assert "您的岗位不包括这家机构。" in page_of(client, run)


def test_the_office_of_one_department_and_readers_do_not_import(client, upload, hospital):
    _answer, run = upload()
    user = UserFactory()
    mine = DepartmentFactory(organization=hospital, campus=None)
    RoleAssignment.objects.create(user=user, role="office", organization=hospital, department=mine)
    client.force_login(user)
    assert client.get(reverse(PAGE)).status_code == 403
    assert press(client, run).status_code == 403

    auditor = UserFactory()
    RoleAssignment.objects.create(user=auditor, role="auditor", organization=hospital)
    client.force_login(auditor)
    assert "上传并查看结果" not in client.get(reverse(PAGE)).content.decode()
    assert "确认执行" not in page_of(client, run)
    assert press(client, run).status_code == 403
    client.force_login(StaffFactory(roles="office"))  # of another house
    assert client.get(reverse("appointments:office_import", args=[run.pk])).status_code == 404


def test_the_present_state_brought_in_again_changes_nothing(client, upload, hospital):
    _answer, run = upload(lambda rows: rows["template"][0].update(minutes=10))
    press(client, run)

    present = client.get(reverse("appointments:office_import_present")).content
    _answer, run = upload(content=present)

    assert run.report.get("problems") is None, run.report["problems"]
    assert (run.status, run.report["changes"]) == ("checked", [])
    assert "和系统一致" in page_of(client, run)
    houses = Organization.objects.values_list("pk", flat=True)
    assert sum(len(sheet) for sheet in state.rows_of(houses).values()) == run.rows - 0


def test_a_name_that_looks_like_a_formula_stays_a_name(client, upload):
    _answer, run = upload()
    press(client, run)
    Practitioner.objects.filter(code="1").update(name="=1+1")
    present = client.get(reverse("appointments:office_import_present")).content
    paper = load_workbook(io.BytesIO(present))["医生"]
    assert (cell_of(paper, 2, "姓名").value, cell_of(paper, 2, "姓名").data_type) == ("=1+1", "s")


@pytest.mark.parametrize("kind", ["hospital", "cutover"])
def test_the_blank_workbook_can_be_taken_along(client, office, kind):
    client.force_login(office)
    answer = client.get(reverse("appointments:office_import_blank", args=[kind]))
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert len(load_workbook(io.BytesIO(answer.content)).sheetnames) == (10 if kind == "hospital" else 3)


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_do_it_once(upload, office):
    _answer, run = upload()

    def act(_):
        try:
            return uploads.apply(
                run=ImportRun.objects.get(pk=run.pk), organizations=frozenset([run.organization_id]), by=office, now=NOW
            )
        except Exception as error:
            return getattr(error, "code", error)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pair:
        assert sorted(map(str, pair.map(act, range(2)))) == ["True", "import_decided"]
    assert AuditEvent.objects.filter(action="hospital.imported").count() == 1


def test_imported_templates_need_no_draft(client, upload):
    _answer, run = upload()
    press(client, run)
    from appointments.models import ScheduleTemplate

    assert set(ScheduleTemplate.objects.values_list("published_at", flat=True)) == {NOW}


def test_columns_of_minutes_are_read_and_held_against_the_half_day(tmp_path):
    path = workbook(tmp_path / "w.xlsx", lambda rows: rows["template"][0].update(minutes=12))
    assert read(path)["template"][0].minutes == 12
