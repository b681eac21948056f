"""查阅与复制 (个人信息保护法 articles 44, 45): all that is held of an account and its people, in words and as data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hospital import account_rules, clock, family, masking, messages, patient_index
from hospital.family_policies import is_child
from hospital.models import (
    AccountPhone,
    ApiToken,
    AuditEvent,
    Condition,
    Consent,
    DataRequest,
    KnownDevice,
    Message,
    Patient,
    PatientIdentifier,
    RelatedPerson,
    SignedResident,
    User,
)

from .acts import words_for


@dataclass(frozen=True)
class Field:
    """One fact: `code` for machines, `label` for people. Times are aware."""

    code: str
    label: str
    value: str | int | bool | date | datetime | None

    @property
    def words(self) -> str:
        if isinstance(self.value, bool):
            return _("是") if self.value else _("否")
        if isinstance(self.value, datetime):
            return f"{self.value.astimezone(clock.ZONE):%Y-%m-%d %H:%M}"
        if isinstance(self.value, date):
            return date_format(self.value, "Y-m-d")
        return "–" if self.value in {None, ""} else str(self.value)


Entry = list[Field]


@dataclass(frozen=True)
class Section:
    code: str
    title: str
    entries: list[Entry]


@dataclass(frozen=True)
class PersonCopy:
    patient: Patient
    whole: bool  # own data, or a child's by its guardian; of other adults only what the account itself deals with
    sections: list[Section]


@dataclass(frozen=True)
class Copy:
    made_at: datetime
    sections: list[Section]
    people: list[PersonCopy]

    def as_data(self) -> dict:
        """For JSON: codes and ISO times."""
        people = [
            {"medical_number": person.patient.medical_number, "complete": person.whole, **_data(person.sections)}
            for person in self.people
        ]
        return {"made_at": self.made_at.isoformat(), **_data(self.sections), "people": people}


def _data(sections: list[Section]) -> dict:
    return {
        section.code: [{field.code: _plain(field.value) for field in entry} for entry in section.entries]
        for section in sections
    }


def _plain(value):
    return value.isoformat() if isinstance(value, date) else value


Holder = Callable[[Patient, bool, User | None], Section]
Ahead = Callable[[list[int], datetime, User | None], list[str]]
_holders: list[Holder] = []
_aheads: list[Ahead] = []


def holds(holder: Holder) -> Holder:
    """Register what an app holds of one patient: holder(patient, whole, by) -> Section; `by`: its own acts only."""
    if holder not in _holders:
        _holders.append(holder)
    return holder


def lies_ahead(question: Ahead) -> Ahead:
    """Register what is still to come for some patients: question(patient ids, now, account) -> lines for people;
    `account`: only what it may see."""
    if question not in _aheads:
        _aheads.append(question)
    return question


def ahead_of(patients: Iterable[int], *, now: datetime, account: User | None = None) -> list[str]:
    ids = list(patients)
    return [line for question in _aheads for line in question(ids, now, account)] if ids else []


def copy_of(account: User, *, now: datetime) -> Copy:
    """A whole copy for the account: itself, and each of its people as far as they are its to see.

    A child's data goes to its guardian only (article 31), while it is a child; of another adult what is booked,
    not the records: those are that person's to ask for. Of whom neither a phone nor a window proved, there is only what
    this account did itself.
    """
    rule, day = account_rules.in_force(now=now), clock.today(now)
    people = []
    for row in family.people_of(account):
        proved = row.proof != RelatedPerson.Proof.REGISTERED
        child = is_child(row.patient.birth_date, rule=rule, day=day)
        if child and not row.guardian:
            continue
        whole = proved and (child or row.relation == RelatedPerson.Relation.SELF)
        by = None if proved else account
        people.append(PersonCopy(row.patient, whole, _of_person(row.patient, whole, by)))
    return Copy(made_at=now, sections=_of_account(account), people=people)


def _of_account(account: User) -> list[Section]:
    phone = AccountPhone.objects.filter(user=account).first()
    consents = Consent.objects.filter(account=account).select_related("notice", "patient").order_by("pk")
    bound = RelatedPerson.objects.filter(account=account).select_related("patient").order_by("pk")
    asked = DataRequest.objects.filter(account=account).order_by("pk")
    own = Message.objects.filter(user=account, channel=Message.Channel.INAPP).order_by("pk")
    acts = AuditEvent.objects.filter(actor=account).order_by("at", "pk")
    return [
        Section("account", _("账号"), [_account(account, phone)]),
        Section("family", _("家属关系"), [_relation(row) for row in bound]),
        Section("consents", _("同意记录"), [_consent(row) for row in consents]),
        Section("requests", _("个人信息请求"), [_request(row) for row in asked]),
        Section("messages", _("消息"), [_message(row) for row in own]),
        Section("devices", _("登录过的设备"), [_device(row) for row in KnownDevice.objects.filter(user=account)]),
        Section("tokens", _("接口令牌"), [_token(row) for row in ApiToken.objects.filter(user=account)]),
        Section("trail", _("账号操作记录"), [_act(row) for row in acts]),
    ]


def _account(account: User, phone: AccountPhone | None) -> Entry:
    return [
        Field("phone", _("登录手机"), phone.phone if phone else None),
        Field("verified_at", _("手机验证时间"), phone.verified_at if phone else None),
        Field("created_at", _("注册时间"), account.date_joined),
        Field("last_login", _("上次登录"), account.last_login),
    ]


def _relation(row: RelatedPerson) -> Entry:
    return [
        Field("patient", _("就诊人"), row.patient.medical_number),
        Field("relation", _("关系"), row.get_relation_display()),
        Field("guardian", _("监护人"), row.guardian),
        Field("proof", _("依据"), row.get_proof_display()),
        Field("since", _("绑定时间"), row.since),
        Field("ended_at", _("解除时间"), row.ended_at),
    ]


def _consent(row: Consent) -> Entry:
    return [
        Field("notice", _("告知书"), row.notice.get_kind_display()),
        Field("version", _("版本"), row.notice.version),
        Field("patient", _("就诊人"), row.patient.medical_number if row.patient_id else None),
        Field("given_at", _("同意时间"), row.given_at),
        Field("withdrawn_at", _("撤回时间"), row.withdrawn_at),
        Field("address", _("来源地址"), row.address),
    ]


def _request(row: DataRequest) -> Entry:
    return [
        Field("kind", _("种类"), row.get_kind_display()),
        Field("text", _("说明"), row.text),
        Field("asked_at", _("提出时间"), row.asked_at),
        Field("status", _("状态"), row.get_status_display()),
        Field("decided_at", _("处理时间"), row.decided_at),
        Field("answer", _("答复"), row.answer),
    ]


def _message(row: Message) -> Entry:
    wording = messages.wording_of(row)
    return [
        Field("created_at", _("时间"), row.created_at),
        Field("title", _("标题"), wording.title),
        Field("text", _("内容"), wording.body),
        Field("status", _("状态"), row.get_status_display()),
        Field("read_at", _("阅读时间"), row.read_at),
    ]


def _device(row: KnownDevice) -> Entry:
    return [
        Field("first_seen_at", _("第一次登录"), row.first_seen_at),
        Field("last_seen_at", _("最近登录"), row.last_seen_at),
    ]


def _token(row: ApiToken) -> Entry:
    return [
        Field("name", _("用途"), row.name),
        Field("created_at", _("建立时间"), row.created_at),
        Field("expires_at", _("到期"), row.expires_at),
        Field("revoked_at", _("吊销"), row.revoked_at),
    ]


def _act(row: AuditEvent) -> Entry:
    return [
        Field("at", _("时间"), row.at),
        Field("action", _("动作"), words_for(row.action)),
        Field("address", _("来源地址"), row.address),
    ]


def _of_person(patient: Patient, whole: bool, by: User | None) -> list[Section]:
    sections = [
        Section("person", _("基本信息"), [_person(patient, whole)]),
        Section("documents", _("证件"), [_document(row, whole) for row in patient.identifiers.order_by("pk")]),
        Section("signed", _("家庭医生签约"), [_signed(row) for row in _contracts(patient, whole, by)]),
        *(holder(patient, whole, by) for holder in _holders),
    ]
    if not whole:
        return sections
    conditions = Condition.objects.filter(patient=patient).order_by("pk")
    told = Message.objects.filter(Q(patient=patient), channel=Message.Channel.INAPP).select_related("patient")
    trail = AuditEvent.objects.filter(patient__in=patient_index.records_of(patient.pk)).order_by("at", "pk")
    return [
        *sections,
        Section("conditions", _("过敏与诊断"), [_condition(row) for row in conditions]),
        Section("messages", _("消息"), [_message(row) for row in told.order_by("pk")]),
        Section("trail", _("被查看和修改的记录"), [_seen(row) for row in trail]),
    ]


def _person(patient: Patient, whole: bool) -> Entry:
    return [
        Field("medical_number", _("门诊号"), patient.medical_number),
        Field("name", _("姓名"), patient.name),
        Field("sex", _("性别"), patient.get_sex_display()),
        Field("birth_date", _("出生日期"), patient.birth_date),
        Field("phone", _("联系电话"), patient.phone if whole else masking.phone(patient.phone)),
        Field("insurance", _("医保"), patient.get_insurance_display()),
        Field("special", _("优待"), patient.get_special_display()),
        Field("registered_at", _("建档时间"), patient.registered_at),
    ]


def _document(row: PatientIdentifier, whole: bool) -> Entry:
    return [
        Field("kind", _("证件类型"), row.get_kind_display()),
        Field("number", _("证件号码"), row.number if whole else masking.document(row.last4)),
        Field("seen_at", _("现场核验时间"), row.seen_at),
    ]


def _contracts(patient: Patient, whole: bool, by: User | None):
    """Who somebody's family doctor is, is theirs to ask for."""
    rows = SignedResident.objects.filter(patient=patient) if whole and by is None else SignedResident.objects.none()
    return rows.select_related("organization", "doctor").order_by("effective_from", "pk")


def _signed(row: SignedResident) -> Entry:
    return [
        Field("organization", _("签约机构"), row.organization.name),
        Field("doctor", _("家庭医生"), row.doctor.name if row.doctor else None),
        Field("effective_from", _("签约日"), row.effective_from),
        Field("effective_to", _("到期日"), row.effective_to),
        Field("note", _("服务包"), row.note),
    ]


def _condition(row: Condition) -> Entry:
    return [
        Field("kind", _("类型"), row.get_kind_display()),
        Field("text", _("内容"), row.text),
        Field("noted_on", _("记录日"), row.noted_on),
    ]


def _seen(row: AuditEvent) -> Entry:
    """Who it was stays with the hospital: the staff's names are not the patient's data."""
    return [Field("at", _("时间"), row.at), Field("action", _("动作"), words_for(row.action))]
