"""A done exam, its doctor, small PDFs of every kind."""

import io
import zlib
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from exams.models import ExamRequest
from exams.policies.reports import Measured
from exams.services.reports import Says, register, release
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    DepartmentFactory,
    ExamRequestFactory,
    PractitionerFactory,
    RelatedPersonFactory,
    RoleFactory,
    StaffFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

HGB = Measured(name="血红蛋白", value="58", unit="g/L", low="115", high="150")
WBC = Measured(name="白细胞", value="11.2", unit="10^9/L", low="3.5", high="9.5")
SAYS = Says(findings="肝脏形态正常。", conclusion="脂肪肝（轻度）。", measurements=[HGB, WBC])


def a_doctor(**more):
    """With an account, and the role that opens the consult room."""
    user = StaffFactory(roles="doctor", full_name="张医生")
    doctor = PractitionerFactory(user=user, name="张医生", **more)
    RoleFactory(practitioner=doctor, department=DepartmentFactory())
    return doctor


def done_exam(*, doctor=None, account=None, patient=None, status="done", variant=None, **more):
    """Examined an hour ago."""
    asked = {"patient": patient} if patient else {}
    request = ExamRequestFactory(variant=variant or exam_variant(name="腹部超声"), requester=doctor, **asked)
    if account:
        RelatedPersonFactory(account=account, patient=request.patient)
    times = {"started_at": NOW - timedelta(minutes=80), "finished_at": NOW - timedelta(hours=1)}
    times = times if status == "done" else {"started_at": NOW} if status == "running" else {}
    device = open_device(request.variant, days=())
    row = exam_booking_row(
        request=request, session=device_session(device, day=TODAY), status="booked", by=account, **more
    )  # fmt: skip
    for step in {"done": ["arrived", "running", "done"], "running": ["arrived", "running"]}.get(status, []):
        row.status = step
        if step in ("running", "done"):
            row.started_at = times["started_at"]
        if step == "done":
            row.finished_at = times["finished_at"]
        row.save()
    if status == "done":
        ExamRequest.objects.filter(pk=request.pk).update(status="done", ended_at=NOW)
    return row


def reporter():
    return StaffFactory(roles="exam", full_name="报告员")


def draft(booking=None, *, by=None, says=SAYS, now=NOW):
    return register(booking=booking or done_exam(), says=says, by=by or reporter(), now=now)


def released(booking=None, *, by=None, says=SAYS, now=NOW):
    by = by or reporter()
    return release(version=draft(booking, by=by, says=says, now=now), by=by, now=now)


def family_account(booking):
    """An account that a window bound to the patient."""
    account = AccountFactory()
    RelatedPersonFactory(account=account, patient=booking.patient)
    return account


# ---- files ----


def pdf(*, pages=1, more=b"", trailer=b"", text=b"") -> bytes:
    """A whole PDF: catalogue, pages, table of objects."""
    kids = b" ".join(b"%d 0 R" % (10 + n) for n in range(pages))
    objects = [
        (1, b"<< /Type /Catalog /Pages 2 0 R %s >>" % more),
        (2, b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)),
    ]
    objects += [
        (10 + n, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>") for n in range(pages)
    ]  # fmt: skip
    return built(objects, trailer=trailer, text=text)


def built(objects, *, trailer=b"", text=b"") -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + text)
    for number, body in objects:
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    at = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R /Size 3 %s >>\n" % trailer)
    out.write(b"startxref\n%d\n%%%%EOF\n" % at)
    return out.getvalue()


def stream(body: bytes, dictionary: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), dictionary, body)


def packed(inside: bytes, extra: bytes = b"") -> bytes:
    """With an object stream, as PDF 1.5 writes them."""
    body = zlib.compress(inside)
    objects = [
        (1, b"<< /Type /Catalog /Pages 2 0 R >>"),
        (2, b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>"),
        (10, b"<< /Type /Page /Parent 2 0 R >>"),
        (20, stream(body, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode " + extra)),
    ]
    return built(objects)


def upload(content=None, name="报告.pdf"):
    return SimpleUploadedFile(name, pdf() if content is None else content, content_type="application/pdf")
