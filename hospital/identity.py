"""Documents and phones of real persons: normalised, checked, ready to be stored and looked up.

A number alone is no proof (scalpers generate valid ones): `checked` says that its own check digit holds,
the desk still sees the document at check-in.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import phonenumbers
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric

from .errors import Refused
from .fields import keyed_hash
from .models import Patient, PatientIdentifier

Kind = PatientIdentifier.Kind

PERMIT_PLACES = ("810000", "820000", "830000")  # Hong Kong, Macao, Taiwan
CARDS = frozenset({Kind.ID_CARD, Kind.RESIDENCE_PERMIT, Kind.FOREIGN_PERMANENT})
"""Kinds with 18 characters, a birth date inside and a check digit by ISO 7064 MOD 11-2."""

LOOSE = {
    Kind.PASSPORT: r"[A-Z0-9]{5,20}",
    Kind.HOUSEHOLD: r"[A-Z0-9]{6,20}",
    Kind.TRAVEL_PERMIT: r"[A-Z0-9]{6,15}",
    Kind.SOCIAL_CARD: r"[A-Z0-9]{8,20}",
    Kind.HEALTH_CARD: r"[A-Z0-9]{8,64}",
}
"""Kinds without a public check digit: only the form is looked at."""


class BadDocument(Refused):
    code = "bad_document"
    status = 422
    message = _("证件号码不对：%(reason)s。")
    next_step = _("请对照证件重新输入。")


class BadPhone(Refused):
    code = "bad_phone"
    status = 422
    message = _("手机号码不对。")
    next_step = _("请输入 11 位手机号；境外号码请以 + 和国家代码开头。")


@dataclass(frozen=True)
class Document:
    """A document's number in its one written form, and what the number itself says of its holder."""

    kind: str
    number: str
    checked: bool
    birth_date: date | None = None
    sex: str | None = None

    @property
    def hash(self) -> str:
        return document_hash(self.kind, self.number)

    @property
    def last4(self) -> str:
        return self.number[-4:]


def document_hash(kind: str, number: str) -> str:
    """What a stored document is looked up by. `number` must be in its one written form."""
    return keyed_hash(kind, number)


def phone_hash(phone: str) -> str:
    return keyed_hash("phone", phone) if phone else ""


def one_form(text: str) -> str:
    """Full-width, spaced and lower-case numbers become one: ' １１０１05-1949…x' → '1101051949…X'."""
    return re.sub(r"[\s\-‐–—_.()（）]", "", unicodedata.normalize("NFKC", text)).upper()


def read_document(*, kind: str, number: str) -> Document:
    """Normalise and check a document's number. Raises BadDocument with the reason in words."""
    number = one_form(number)
    if kind in CARDS:
        return _read_card(kind, number)
    if not re.fullmatch(LOOSE[kind], number):
        raise BadDocument(reason=_("长度或字符不符合这种证件"))
    return Document(kind=kind, number=number, checked=False)


def _read_card(kind: str, number: str) -> Document:
    if re.fullmatch(r"\d{15}", number):
        raise BadDocument(reason=_("15 位旧号码已停用，请用 18 位号码"))
    if not re.fullmatch(r"\d{17}[\dX]", number):
        raise BadDocument(reason=_("应为 18 位，末位可以是 X"))
    if number[-1] != ric.calc_check_digit(number):
        raise BadDocument(reason=_("校验位不符，可能输错了一位"))
    if _card_kind(number) != kind:
        raise BadDocument(reason=_("这个号码属于另一种证件：%(kind)s") % {"kind": Kind(_card_kind(number)).label})
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise BadDocument(reason=_("号码里的出生日期不存在")) from None
    sex = Patient.Sex.MALE if int(number[16]) % 2 else Patient.Sex.FEMALE
    return Document(kind=kind, number=number, checked=True, birth_date=born, sex=sex)


def _card_kind(number: str) -> str:
    if number.startswith(PERMIT_PLACES):
        return Kind.RESIDENCE_PERMIT
    return Kind.FOREIGN_PERMANENT if number.startswith("9") else Kind.ID_CARD


def read_phone(text: str) -> str:
    """'+86 138-0013-6210' → '13800136210'; foreign numbers keep their +code. Raises BadPhone."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), "CN")
    except phonenumbers.NumberParseException:
        raise BadPhone from None
    if not phonenumbers.is_possible_number(number):
        raise BadPhone
    if number.country_code != 86:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.national_significant_number(number)
    if re.fullmatch(r"1[3-9]\d{9}", national):
        return national
    if re.fullmatch(r"(10|2\d|[3-9]\d{2})\d{7,8}", national):  # a fixed line is written with its trunk 0
        return f"0{national}"
    raise BadPhone


def is_mobile(phone: str) -> bool:
    """A mainland mobile, in its one written form: the only phones that are sent codes."""
    return bool(re.fullmatch(r"1[3-9]\d{9}", phone))


def read_name(text: str) -> str:
    """One written form of a person's name: no stray spaces, the middle dot of minority names always '·'."""
    name = re.sub(r"[•・‧∙.．]", "·", unicodedata.normalize("NFC", text).strip())
    name = re.sub(r"\s+", " ", name)
    has_han = re.search(r"[\u3400-\u9fff]", name)
    return name.replace(" ", "") if has_han else name
