"""短信验证码: counted, sent at once, checked, used once (O5: SMS codes fail closed).

Limits hold per phone, per browser and per network address. They are counted in PostgreSQL, under advisory locks, so
that parallel requests can't exceed them; a cache that may be away is no guard (hospital.cache). Whatever is missing,
a gateway, the database, a moment of quiet, ends in a sentence and in no code. allauth's own codes live in the session
and its limits in the cache: that is why they are not used (docs/decisions/0014).
"""

import hmac
import ipaddress
import secrets
import unicodedata
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import account_rules, identity
from .channels import sms
from .errors import Refused
from .fields import keyed_hash
from .models import AccountRule, CodeSent, KnownDevice

log = structlog.get_logger(__name__)

Purpose = CodeSent.Purpose
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

STRANGERS_SHARE = 0.8
"""Of the whole house's codes in an hour: a flood from new browsers leaves the rest to those that signed in before."""


class CodeTooSoon(Refused):
    code = "code_too_soon"
    status = 429
    message = gettext_lazy("还不能再要一条验证码。")
    next_step = gettext_lazy("请等 %(seconds)d 秒后再获取；已经要过的短信可能还在路上，请先看看手机。")


class TooManyCodes(Refused):
    """A limit of the phone, of the browser or of the network; the sentence doesn't say whose number it is."""

    code = "too_many_codes"
    status = 429
    message = gettext_lazy("获取验证码的次数太多了。")
    next_step = gettext_lazy("请%(when)s再试；急着看病请带证件到医院窗口办理。")


class CodeNotSent(Refused):
    """No gateway, or it didn't take the message. Nothing is pretended."""

    code = "code_not_sent"
    status = 503
    message = gettext_lazy("验证码没有发出去。")
    next_step = gettext_lazy("请过几分钟再试；一直收不到请带证件到医院窗口办理。")


class WrongCode(Refused):
    code = "wrong_code"
    status = 422
    message = gettext_lazy("验证码不对，还可以再试 %(left)d 次。")
    next_step = gettext_lazy("请对照最新一条短信重新输入 6 位数字。")


class CodeOver(Refused):
    """Used, too old, tried too often, or never asked for from this browser."""

    code = "code_over"
    status = 422
    message = gettext_lazy("这个验证码不能再用了。")
    next_step = gettext_lazy("请点“重新获取验证码”。")


def send(*, purpose: str, phone: str, device: str, address: str | None, now: datetime) -> int:
    """Send a code to `phone`; the id of its CodeSent row, which the asking session must bring back.

    Commits the count before it talks to the gateway: never inside a transaction. The same for known and unknown
    phones. Raises CodeNotSent, CodeTooSoon, TooManyCodes.
    """
    if not settings.SMS_GATEWAY:
        raise CodeNotSent
    rule, address = account_rules.in_force(now=now), _network(address)
    code = f"{secrets.randbelow(10**6):06d}"
    row = _count(purpose=purpose, phone=phone, device=device, address=address, code=code, rule=rule, now=now)
    text = _words(code, purpose=purpose, minutes=rule.code_minutes)
    try:
        sms.send_now(request_id=f"code:{row.pk}", to=phone, template="account.code", text=text, now=now)
    except Exception as error:  # whatever a gateway raises: no code then
        log.warning("code_not_sent", sent=row.pk, error=type(error).__name__)
        raise CodeNotSent from None
    return row.pk


def check(*, sent: int, purpose: str, phone: str, code: str, now: datetime) -> None:
    """Use up the code of row `sent`. Counts a wrong try for good: never inside a transaction.

    Raises CodeOver, WrongCode.
    """
    tries = account_rules.in_force(now=now).code_tries
    phone_hash = identity.phone_hash(phone)
    right, left = False, 0
    with transaction.atomic(durable=True):
        rows = CodeSent.objects.select_for_update().filter(pk=sent, purpose=purpose, phone_hash=phone_hash)
        row = _good(rows, tries=tries, now=now).first()
        if row:
            right = hmac.compare_digest(row.digest, _digest(typed(code), purpose=purpose, phone_hash=phone_hash))
            row.tries += 1
            row.digest = "" if right else row.digest
            row.save(update_fields=["tries", "digest"])
            left = tries - row.tries
    if right:
        return
    if left:
        raise WrongCode(left=left)
    raise CodeOver


def is_good(*, sent: int, phone: str, now: datetime) -> bool:
    """Whether the code of row `sent` can still be answered: not used, not too old, tries left."""
    tries = account_rules.in_force(now=now).code_tries
    rows = CodeSent.objects.filter(pk=sent, phone_hash=identity.phone_hash(phone))
    return _good(rows, tries=tries, now=now).exists()


def one_at_a_time(*keys: str) -> None:
    """Hold these keys until the transaction ends, always in one order, so that two requests never wait for each other
    crosswise."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(key) FROM "
            "(SELECT hashtextextended(k, 0) AS key FROM unnest(%s::text[]) AS k ORDER BY 1) AS keys",
            [list(keys)],
        )


@transaction.atomic(durable=True)
def _count(*, purpose, phone, device, address, code, rule: AccountRule, now: datetime) -> CodeSent:
    phone_hash = identity.phone_hash(phone)
    one_at_a_time(f"code:phone:{phone_hash}", f"code:device:{device}", f"code:address:{address}")
    to_phone = _same_allowance(phone_hash, device=device)
    _refuse_too_many(to_phone, phone_hash, rule=rule, device=device, address=address, now=now)
    _refuse_a_flood(phone_hash, rule=rule, device=device, now=now)
    return CodeSent.objects.create(
        purpose=purpose,
        phone_hash=phone_hash,
        device=device,
        address=address,
        sent_at=now,
        digest=_digest(code, purpose=purpose, phone_hash=phone_hash),
        expires_at=now + timedelta(minutes=rule.code_minutes),
    )


def _same_allowance(phone_hash: str, *, device: str):
    """The codes to this phone that count together: those that browsers asked for which signed in to its account
    before, or those of all others. A stranger with fresh browsers uses up the strangers' share, not the owner's."""
    sent = CodeSent.objects.filter(phone_hash=phone_hash)
    theirs = Q(device__in=_browsers_of(phone_hash).values("digest"))
    return sent.filter(theirs if _is_known(phone_hash, device=device) else ~theirs)


def _browsers_of(phone_hash: str):
    return KnownDevice.objects.filter(user__account_phone__phone_hash=phone_hash)


def _is_known(phone_hash: str, *, device: str) -> bool:
    """Has this browser signed in to the account of this very phone?"""
    return _browsers_of(phone_hash).filter(digest=device).exists()


def _refuse_too_many(
    to_phone, phone_hash: str, *, rule: AccountRule, device: str, address: str | None, now: datetime
) -> None:
    """The pause is for a code that may still be on its way: one that is used up keeps nobody waiting for the next.
    Thousands of phones share an address of their carrier: a full one stays open to browsers that signed in before."""
    last = to_phone.order_by("-sent_at", "-pk").first()
    wait = rule.codes_pause_seconds - (now - last.sent_at).total_seconds() if last else 0
    if wait > 0 and _good(to_phone.filter(pk=last.pk), tries=rule.code_tries, now=now).exists():
        raise CodeTooSoon(seconds=int(wait) + 1)
    if to_phone.filter(sent_at__gt=now - DAY).count() >= rule.codes_per_phone:
        raise TooManyCodes(when=_("明天"))
    if CodeSent.objects.filter(device=device, sent_at__gt=now - DAY).count() >= rule.codes_per_device:
        raise TooManyCodes(when=_("明天"))
    from_there = CodeSent.objects.filter(address=address, sent_at__gt=now - HOUR).count()
    if from_there >= rule.codes_per_address and not _is_known(phone_hash, device=device):
        raise TooManyCodes(when=_("一小时后"))


def _refuse_a_flood(phone_hash: str, *, rule: AccountRule, device: str, now: datetime) -> None:
    """Each SMS costs: beyond the house's ceiling none goes, from however many networks. Requests under way at once may
    pass it by one each. Whoever watches the log sees the code of the alarm, and no phone."""
    known = _is_known(phone_hash, device=device)
    most = rule.codes_per_hour if known else max(1, int(rule.codes_per_hour * STRANGERS_SHARE))
    sent = CodeSent.objects.filter(sent_at__gt=now - HOUR).count()
    if sent >= most:
        log.error("codes_ceiling_reached", sent=sent, ceiling=rule.codes_per_hour, known=known)
        raise TooManyCodes(when=_("一小时后"))


def _good(rows, *, tries: int, now: datetime):
    return rows.exclude(digest="").filter(expires_at__gt=now, tries__lt=tries)


def _network(address: str | None) -> str | None:
    """Whom the limit of addresses means: an IPv6 subscriber has a whole /64 of them to change between."""
    try:
        there = ipaddress.ip_address(address or "")
    except ValueError:
        return None  # those without a readable address share one limit
    return str(ipaddress.ip_network((there, 64), strict=False)[0]) if there.version == 6 else str(there)


def _digest(code: str, *, purpose: str, phone_hash: str) -> str:
    return keyed_hash(f"code-{purpose}", f"{phone_hash}:{code}")


def typed(code: str) -> str:
    """'１２３ 456' is 123456: full-width digits and blanks come from phone keyboards and from copying."""
    return "".join(unicodedata.normalize("NFKC", code).split())


def _words(code: str, *, purpose: str, minutes: int) -> str:
    return _(
        "验证码 %(code)s，用于%(purpose)s，%(minutes)d 分钟内有效。请不要告诉任何人，医院工作人员不会向您索要。"
    ) % {
        "code": code,
        "purpose": Purpose(purpose).label,
        "minutes": minutes,
    }
