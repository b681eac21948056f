"""患者账号: opened by the first right code of a phone, kept apart when the phone changed hands (O4, O5).

A phone is all that signs in, and phones are handed on. Nothing of an account is shown to a new browser after a long
quiet until a document number of one of its people was given; who says that the number is newly theirs gets a fresh
account, and the old one stays for the office, without a phone.
"""

import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from . import account_rules, audit, codes, devices, identity
from .errors import Refused
from .models import AccountPhone, AuditEvent, KnownDevice, Patient, PatientIdentifier, RelatedPerson, User

PERSON_REFUSED = "account.person_refused"
DAY = timedelta(days=1)


class PhoneTaken(Refused):
    """Only said to somebody who just answered a code on that phone, or to the desk."""

    code = "phone_taken"
    message = _("这个手机号已经是另一个账号的登录手机。")
    next_step = _("请退出后直接用这个手机号登录，再添加就诊人。")


class NotThisPerson(Refused):
    code = "not_this_person"
    status = 422
    message = _("证件号码与账号里的就诊人不一致，今天还可以试 %(left)d 次。")
    next_step = _("请对照证件重新输入完整号码。")


class TooManyPersons(Refused):
    code = "too_many_persons"
    status = 429
    message = _("今天核对证件的次数已用完。")
    next_step = _("请明天再试，或带证件到医院窗口办理。")


def by_phone(phone: str) -> User | None:
    row = AccountPhone.objects.filter(phone_hash=identity.phone_hash(phone)).select_related("user").first()
    return row.user if row else None


def phone_of(user: User) -> str:
    return AccountPhone.objects.values_list("phone", flat=True).filter(user=user).first() or ""


def open_account(*, phone: str, now: datetime, request=None) -> User:
    """The account of a phone that just proved itself. Two requests at once get the same one."""
    try:
        with transaction.atomic():
            user = User(username=f"p{secrets.token_hex(8)}")
            user.set_unusable_password()
            user.save()
            _attach(user, phone, now=now)
            audit.record(action="account.opened", actor=user, subject=f"user:{user.pk}", now=now, request=request)
            return user
    except IntegrityError:
        user = by_phone(phone)
        if user is None:
            raise
        return user


def change_phone(*, user: User, phone: str, by: User, now: datetime, request=None) -> None:
    """Another phone signs in from now on, and every browser has to sign in again. The people of the account that had
    its old phone are told things on the new one. Raises PhoneTaken."""
    old = AccountPhone.objects.filter(user=user).first()
    try:
        with transaction.atomic():
            AccountPhone.objects.filter(user=user).delete()
            _attach(user, phone, now=now)
            if old:
                _move_people(user, old.phone_hash, phone)
            _end_sessions(user)
            audit.record(action="account.phone_changed", actor=by, subject=f"user:{user.pk}", now=now, request=request)
    except IntegrityError:
        raise PhoneTaken from None


def give_phone(*, patient: Patient, phone: str, by: User, now: datetime, request=None) -> bool:
    """The desk has seen the person's document: the new phone of record, and of the person's own account if there is
    one. False: the phone already signs in to another account, which may add the person. Raises BadPhone.
    """
    phone = identity.read_phone(phone)
    with transaction.atomic():
        row = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        row.phone, row.phone_hash = phone, identity.phone_hash(phone)
        row.save(update_fields=["phone", "phone_hash"])
        audit.record(action="patient.phone_changed", actor=by, patient=row, now=now, request=request)
    own = RelatedPerson.objects.filter(patient=patient, relation=RelatedPerson.Relation.SELF, ended_at=None)
    own = own.exclude(proof=RelatedPerson.Proof.REGISTERED)  # whoever knew the number may have registered the person
    person = own.select_related("account").order_by("-since").first()
    if person is None or by_phone(phone) == person.account:
        return True
    try:
        change_phone(user=person.account, phone=phone, by=by, now=now, request=request)
    except PhoneTaken:
        return False
    return True


def is_unsure(*, user: User, device: str, now: datetime) -> bool:
    """May the phone have changed hands? An unknown browser, people to protect, and a long quiet."""
    if devices.is_known(user=user, device=device):
        return False
    if not RelatedPerson.objects.filter(account=user, ended_at=None).exists():
        return False
    quiet = timedelta(days=account_rules.in_force(now=now).quiet_days)
    return now - _last_used(user) > quiet


def check_person(*, user: User, number: str, now: datetime, request=None) -> None:
    """Is `number` the full document number of one of the account's people? Wrong ones are counted for a day, one at
    a time. Never inside a transaction. Raises NotThisPerson, TooManyPersons."""
    tries = account_rules.in_force(now=now).binding_tries
    with transaction.atomic(durable=True):
        codes.one_at_a_time(f"person:{user.pk}")
        refused = AuditEvent.objects.filter(subject=f"user:{user.pk}", action=PERSON_REFUSED, at__gt=now - DAY)
        left = tries - refused.count()
        right = left > 0 and _is_one_of_us(user, number)
        if left > 0 and not right:
            audit.record(action=PERSON_REFUSED, actor=None, subject=f"user:{user.pk}", now=now, request=request)
    if right:
        return
    if left > 1:
        raise NotThisPerson(left=left - 1)
    raise TooManyPersons


def release_phone(*, user: User, now: datetime, request=None) -> str:
    """The phone belongs to somebody else now: it leaves the account, its browsers are signed out, and its people are
    told nothing more on it. The account and what belongs to it stay for the office. The phone that left.
    """
    with transaction.atomic():
        row = AccountPhone.objects.select_for_update().get(user=user)
        phone = row.phone
        _move_people(user, row.phone_hash, "")
        row.delete()
        KnownDevice.objects.filter(user=user).delete()
        _end_sessions(user)
        audit.record(action="account.phone_released", actor=None, subject=f"user:{user.pk}", now=now, request=request)
    return phone


def forget_phone(*, user: User, patients: list[int] | None = None) -> None:
    """The account's phone goes from the records of its people, or of these only: they have none then."""
    row = AccountPhone.objects.filter(user=user).first()
    if row:
        _move_people(user, row.phone_hash, "", patients=patients)


def _attach(user: User, phone: str, *, now: datetime) -> None:
    AccountPhone.objects.create(user=user, phone=phone, phone_hash=identity.phone_hash(phone), verified_at=now)


def _move_people(user: User, old_hash: str, phone: str, *, patients: list[int] | None = None) -> None:
    """Those of the account's people (or of these) who were told things on its phone."""
    people = patients
    if people is None:
        people = RelatedPerson.objects.filter(account=user, ended_at=None).values("patient")
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=people, phone_hash=old_hash)
    for patient in rows.order_by("pk"):
        patient.phone, patient.phone_hash = phone, identity.phone_hash(phone)
        patient.save(update_fields=["phone", "phone_hash"])


def _end_sessions(user: User) -> None:
    """A new unusable password: every session carries a hash of it."""
    user.set_unusable_password()
    user.save(update_fields=["password"])


def _last_used(user: User) -> datetime:
    seen = KnownDevice.objects.filter(user=user).aggregate(at=Max("last_seen_at"))["at"]
    proved = AccountPhone.objects.values_list("verified_at", flat=True).filter(user=user).first()
    return max(at for at in (seen, proved, user.last_login, user.date_joined) if at)


def _is_one_of_us(user: User, number: str) -> bool:
    number = identity.one_form(number)
    hashes = [identity.document_hash(kind, number) for kind in PatientIdentifier.Kind.values]
    people = RelatedPerson.objects.filter(account=user, ended_at=None).values("patient")
    return bool(number) and PatientIdentifier.objects.filter(number_hash__in=hashes, patient__in=people).exists()
