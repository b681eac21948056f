"""注销账号 (个人信息保护法 article 47): what goes at once, and what the law keeps.

Gone: the phone (also as the contact of the account's people), family bindings, devices, keys of programs, sessions,
messages to come. Consents end. Medical rows of the persons stay for their time (RetentionRule) and are no longer
reached through this account.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from hospital import accounts, audit, consents
from hospital.models import AccountPhone, ApiToken, DataRequest, KnownDevice, Message, RelatedPerson, User


@transaction.atomic
def close_account(*, account: User, by: User, now: datetime, request=None) -> bool:
    """Erase the account's own data. Safe to repeat: False when it was done before.

    A new password mark and `is_active` end every session of the account at its next request.
    """
    account = User.objects.select_for_update(no_key=True).get(pk=account.pk)
    if not account.is_active and not AccountPhone.objects.filter(user=account).exists():
        return False
    accounts.forget_phone(user=account)
    gone = {
        "family": RelatedPerson.objects.filter(account=account, ended_at=None).update(ended_at=now),
        "consents": consents.withdraw_all(account=account, now=now),
        "devices": KnownDevice.objects.filter(user=account).delete()[0],
        "tokens": ApiToken.objects.filter(user=account, revoked_at=None).update(revoked_at=now),
        "messages": Message.objects.filter(user=account, status=Message.Status.WAITING).update(
            status=Message.Status.DROPPED, to=""
        ),
        "phone": AccountPhone.objects.filter(user=account).delete()[0],
    }
    _settle_requests(account, by=by, now=now)
    account.is_active = False
    account.full_name = account.first_name = account.last_name = account.email = ""
    account.set_unusable_password()
    account.save()
    audit.record(action="account.erased", actor=by, subject=f"user:{account.pk}", detail=gone, now=now, request=request)
    return True


def _settle_requests(account: User, *, by: User, now: datetime) -> None:
    asked = DataRequest.objects.filter(account=account, status=DataRequest.Status.ASKED)
    decided = {"decided_at": now, "decided_by": by}
    asked.filter(kind=DataRequest.Kind.ERASURE).update(status=DataRequest.Status.DONE, **decided)
    asked.update(status=DataRequest.Status.REFUSED, answer=_("账号已注销，这个申请随之结束。"), **decided)
