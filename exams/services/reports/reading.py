"""Every reading leaves a row: which version, by whom, which way, the page or the file."""

from datetime import datetime

from exams.models import ReportAccess, ReportLink, ReportVersion
from hospital import audit
from hospital.models import User

Way = ReportAccess.Way


def read(
    *,
    version: ReportVersion,
    way: str,
    now: datetime,
    user: User | None = None,
    link: ReportLink | None = None,
    file: bool = False,
) -> ReportAccess:
    """Before the answer goes out. A member of staff also leaves a trace at the patient."""
    if way == Way.STAFF:
        audit.saw_patient(patient=version.report.patient, actor=user, where="report", now=now)
    return ReportAccess.objects.create(version=version, way=way, user=user, link=link, file=file, at=now)
