"""个人信息请求: asked by the account, answered by a person, kept as proof that it was.

Erasure is decided by the security administrator (安全管理员), who answers for accounts and gains nothing from keeping
them; correction by the office (号源管理), who can have the document shown at the window.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from hospital import audit, family, messages
from hospital.errors import Refused
from hospital.models import AccountPhone, DataRequest, Patient, User
from hospital.permissions import may_decide_on

from .copies import Copy, copy_of
from .erasure import close_account

Kind, Status = DataRequest.Kind, DataRequest.Status
TEMPLATES = {
    (Kind.ERASURE, Status.DONE): "data.erased",
    (Kind.ERASURE, Status.REFUSED): "data.erasure_refused",
    (Kind.CORRECTION, Status.DONE): "data.corrected",
    (Kind.CORRECTION, Status.REFUSED): "data.correction_refused",
}


class AlreadyAsked(Refused):
    code = "already_asked"
    message = _("您已经提出过同样的申请，正在处理。")
    next_step = _("我们在 15 个工作日内答复，请留意消息；不需要再次提交。")


class AlreadyDecided(Refused):
    code = "already_decided"
    message = _("这个申请已经处理过了。")
    next_step = _("请刷新页面查看结果。")


class AnswerMissing(Refused):
    code = "answer_missing"
    status = 422
    message = _("不同意申请时必须写明理由。")
    next_step = _("请填写答复，它会原样发给申请人。")


class NotYoursToDecide(Refused):
    code = "not_yours_to_decide"
    status = 403
    message = _("这类申请不由您的岗位处理。")
    next_step = _("删除与注销由安全管理员处理，更正由号源管理处理。")


def ask(
    *, account: User, kind: str, now: datetime, text: str = "", patient: Patient | None = None, request=None
) -> DataRequest:
    """Raises AlreadyAsked while one of the same kind and person is open."""
    try:
        with transaction.atomic():
            row = DataRequest.objects.create(account=account, kind=kind, patient=patient, text=text, asked_at=now)
            _trace("personal_data.asked", row, actor=account, now=now, request=request)
    except IntegrityError:
        raise AlreadyAsked from None
    return row


def drop(*, row: DataRequest, now: datetime, request=None) -> None:
    """The person thinks again. Nothing was done yet."""
    with transaction.atomic():
        row = _open(row)
        _close(row, status=Status.REFUSED, answer=str(_("本人撤回申请。")), by=row.account, now=now)
        _trace("personal_data.dropped", row, actor=row.account, now=now, request=request)


def decide(*, row: DataRequest, agreed: bool, answer: str, by: User, now: datetime, request=None) -> DataRequest:
    """Answer a request and carry it out, in one transaction; the person is told.

    A correction is made at the window beforehand, with the document in hand (`correct`).
    Raises AlreadyDecided, AnswerMissing, NotYoursToDecide.
    """
    if not may_decide_on(by, row.kind):
        raise NotYoursToDecide
    if not agreed and not answer.strip():
        raise AnswerMissing
    with transaction.atomic():
        row = _open(row)
        _close(row, status=Status.DONE if agreed else Status.REFUSED, answer=answer.strip(), by=by, now=now)
        _trace("personal_data.decided", row, actor=by, now=now, request=request)
        phone = AccountPhone.objects.filter(user=row.account).first()
        language = next((row.patient.language for row in family.people_of(row.account)), None)
        if agreed and row.kind == Kind.ERASURE:
            close_account(account=row.account, by=by, now=now, request=request)
        messages.tell(
            user=row.account,
            to=phone.phone if phone else "",
            template=TEMPLATES[row.kind, row.status],
            params={"language": language, **({"answer": row.answer} if row.status == Status.REFUSED else {})},
            dedupe=f"request:{row.pk}",
            now=now,
        )
    return row


def carry_out_export(*, account: User, now: datetime, request=None) -> Copy:
    """A copy, at once: whoever proved the phone a moment ago needs no clerk. Each leaves a request and a trace."""
    with transaction.atomic():
        row = DataRequest.objects.create(
            account=account,
            kind=Kind.EXPORT,
            status=Status.DONE,
            asked_at=now,
            decided_at=now,
            decided_by=account,
        )
        _trace("personal_data.exported", row, actor=account, now=now, request=request)
        return copy_of(account, now=now)


def _open(row: DataRequest) -> DataRequest:
    row = DataRequest.objects.select_for_update(no_key=True, of=["self"]).select_related("account").get(pk=row.pk)
    if row.status != Status.ASKED:
        raise AlreadyDecided
    return row


def _close(row: DataRequest, *, status: str, answer: str, by: User, now: datetime) -> None:
    row.status, row.answer, row.decided_by, row.decided_at = status, answer, by, now
    row.save(update_fields=["status", "answer", "decided_by", "decided_at"])


def _trace(action: str, row: DataRequest, *, actor: User, now: datetime, request) -> None:
    audit.record(
        action=action,
        actor=actor,
        patient=row.patient,
        subject=f"datarequest:{row.pk}",
        detail={"kind": row.kind, "status": row.status},
        now=now,
        request=request,
    )
