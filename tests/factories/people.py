"""Patients, those who look after them, and what they agreed to."""

from datetime import date

import factory

from hospital.fields import keyed_hash
from hospital.models import AccountPhone, Consent, Notice, Patient, PatientIdentifier, RelatedPerson

from .base import NOW, Factory
from .house import UserFactory


class PatientFactory(Factory):
    class Meta:
        model = Patient
        skip_postgeneration_save = True

    medical_number = factory.Sequence(lambda n: f"M{n:08d}")
    name = factory.Sequence(lambda n: f"李秀英{n}")
    pinyin = "lixiuying"
    initials = "lxy"
    sex = "F"
    birth_date = date(1959, 3, 1)
    phone = "13800136210"
    phone_hash = factory.LazyAttribute(lambda patient: keyed_hash("phone", patient.phone) if patient.phone else "")

    @factory.post_generation
    def account(patient, create, user, **_kwargs):  # noqa: N805
        """`account=user`: that account looks after this patient."""
        if create and user:
            RelatedPersonFactory(account=user, patient=patient)


class AccountFactory(UserFactory):
    """A patient's account: signs in by phone, has no roles and no password."""

    username = factory.Sequence(lambda n: f"p{n:08d}")
    full_name = ""
    password = "!"

    @factory.post_generation
    def phone(user, create, number, **_kwargs):  # noqa: N805
        if create:
            number = number or f"138{user.pk:08d}"
            AccountPhone.objects.create(
                user=user, phone=number, phone_hash=keyed_hash("phone", number), verified_at=NOW
            )


class RelatedPersonFactory(Factory):
    class Meta:
        model = RelatedPerson

    account = factory.SubFactory(AccountFactory)
    patient = factory.SubFactory(PatientFactory)
    relation = factory.LazyAttribute(lambda row: "other" if row.account.family.exists() else "self")
    proof = "desk"
    place = factory.LazyAttribute(lambda row: 1 + row.account.family.filter(ended_at=None).count())
    since = NOW


class NoticeFactory(Factory):
    """告知书 in force since long; a test that asks for consents publishes its own."""

    class Meta:
        model = Notice

    kind = "privacy"
    version = factory.LazyAttribute(lambda notice: 1 + Notice.objects.filter(kind=notice.kind).count())
    title = factory.LazyAttribute(lambda notice: f"{notice.kind}告知")
    title_en = factory.LazyAttribute(lambda notice: f"Notice on {notice.kind}")
    text = "第一段。\n\n# 标题\n第二段。"
    text_en = "First paragraph.\n\n# Heading\nSecond paragraph."
    published_on = date(2026, 1, 1)


class ConsentFactory(Factory):
    class Meta:
        model = Consent

    account = factory.SubFactory(AccountFactory)
    notice = factory.SubFactory(NoticeFactory)
    patient = None
    given_at = NOW


class IdentifierFactory(Factory):
    class Meta:
        model = PatientIdentifier

    patient = factory.SubFactory(PatientFactory)
    kind = "id_card"
    number = "11010519491231002X"
    number_hash = factory.LazyAttribute(lambda row: keyed_hash(row.kind, row.number))
    last4 = factory.LazyAttribute(lambda row: row.number[-4:])
    checked = True
