"""The ports to the outside: who takes money for us, the insurance, who gives receipts numbers; and which are there.

No database in an adapter, and no HTTP in a service: a service commits what it is going to ask, asks, and writes the
answer in another transaction. Every call carries our own number, so that asking again is the same act. Amounts are
yuan. An adapter raises Away where it can't know what happened (time-out, 5xx, broken answer), and Refuses where the
other side said no for good. Neither texts nor names of persons leave an adapter.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from billing.errors import NoGateway
from billing.policies.paying import CURRENCY


class Away(Exception):
    """No answer, or none that says what happened: find out later, by our number."""


class Refuses(Exception):
    """The other side said no. `code` is its own, for the office; never its text."""

    def __init__(self, code: str = ""):
        self.code = code
        super().__init__(code)


class Forged(Exception):
    """A callback whose signature, certificate or age is not right."""


# ---- payment ----


class State(StrEnum):
    WAITING = "waiting"  # nobody has paid yet; a refund: under way
    DONE = "done"
    CLOSED = "closed"  # can't be paid any more; a refund: refused for good
    UNKNOWN = "unknown"  # the gateway has never heard of this number


@dataclass(frozen=True)
class Order:
    """What is asked of a gateway. `subject` is shown on the payer's phone: no illness, no name in it. `payer_ip`: of
    the phone that will open the page (some gateways insist on it); it is passed on and kept nowhere."""

    order: str
    amount: Decimal
    subject: str
    way: str
    expires_at: datetime
    payer_ip: str = ""


@dataclass(frozen=True)
class Created:
    """How the patient pays: a text for a QR code, or an address to go to."""

    qr: str = ""
    url: str = ""


@dataclass(frozen=True)
class News:
    """What became of an order or a refund, as the gateway says it."""

    order: str
    state: State
    amount: Decimal | None = None
    reference: str = ""
    at: datetime | None = None
    currency: str = CURRENCY
    code: str = ""  # why it was refused


@dataclass(frozen=True)
class Notice:
    """A callback that was verified. `body` is what may be kept: without the payer."""

    message: str  # the gateway's own number of this notice; the same when it is sent again
    kind: str  # "payment" or "refund"
    news: News
    body: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What a gateway wants to hear when it has told us something."""

    status: int
    kind: str
    body: str


@dataclass(frozen=True)
class BillLine:
    kind: str  # "payment" or "refund"
    order: str
    reference: str
    amount: Decimal
    fee: Decimal
    at: datetime | None


class PaymentGateway(Protocol):
    """One merchant's account with WeChat Pay or Alipay (or whatever takes money and can be asked about it)."""

    code: str  # as in Payment.gateway, e.g. "wechat"
    account: str  # whose money it is there: houses may share one, and its bill

    def create(self, order: Order) -> Created:
        """Twice with one number is once. Raises Away, Refuses."""
        ...

    def query(self, order: str) -> News:
        """Raises Away. A number it never heard of is News(state=UNKNOWN)."""
        ...

    def close(self, order: str) -> None:
        """Nobody can pay it from now on. Raises Away; Refuses where it is paid already."""
        ...

    def refund(self, order: str, *, refund: str, amount: Decimal, total: Decimal) -> News:
        """Of the order's `total`. Twice with one refund number is once. Raises Away, Refuses."""
        ...

    def query_refund(self, order: str, *, refund: str) -> News:
        """Raises Away."""
        ...

    def bill(self, day: date) -> Iterable[BillLine]:
        """Of the hospital's day; read as it comes. Raises Away (too early, or not there)."""
        ...

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify and decrypt a callback. Raises Forged."""
        ...

    def reply(self, *, received: bool) -> Reply:
        """The answer to a callback. Not received: it is sent again."""
        ...


# ---- insurance ----


@dataclass(frozen=True)
class Answer:
    """`numbers`: the references it gave (mdtrt_id, setl_id …). Of presettle and settle also the split, as it was said:
    whether it adds up the caller looks at."""

    numbers: dict = field(default_factory=dict)
    total: Decimal | None = None
    fund: Decimal | None = None
    account: Decimal | None = None
    cash: Decimal | None = None


@dataclass(frozen=True)
class Insured:
    """Whom it is about: the document that was shown (kind as PatientIdentifier's), the kind of insurance (employee,
    resident), and from the person check on the insurance's own number (psn_no)."""

    document_kind: str
    document: str
    insurance: str
    number: str = ""


@dataclass(frozen=True)
class Detail:
    """费用明细 of one line, by the national code of what it is."""

    number: str  # feedetl_sn: our own, per settlement
    code: str  # our price code
    national_code: str
    name: str
    price: Decimal
    quantity: int
    amount: Decimal
    klass: str
    own_percent: Decimal = Decimal(0)


class InsurancePort(Protocol):
    """The national interface's outpatient steps, one call each. `message` (msgid) is ours and the same on every try;
    each raises Away and Refuses. `visit`: ours at the registration (ipt_otp_no), theirs (mdtrt_id) from then on."""

    code: str

    def check_person(self, *, message: str, person: Insured) -> Answer:
        """1101: numbers psn_no. Refuses("NOT_INSURED") where the person has no such insurance in force."""
        ...

    def register(self, *, message: str, person: Insured, visit: str, at: datetime) -> Answer:
        """2201: numbers mdtrt_id."""
        ...

    def unregister(self, *, message: str, person: Insured, visit: str) -> Answer: ...  # 2202

    def describe(self, *, message: str, person: Insured, visit: str, at: datetime) -> Answer: ...  # 2203

    def upload(
        self, *, message: str, person: Insured, visit: str, details: list[Detail], at: datetime
    ) -> Answer: ...  # 2204

    def take_back(self, *, message: str, person: Insured, visit: str) -> Answer: ...  # 2205

    def presettle(
        self, *, message: str, person: Insured, visit: str, total: Decimal, use_account: bool
    ) -> Answer: ...  # 2206

    def settle(self, *, message: str, person: Insured, visit: str, total: Decimal, use_account: bool) -> Answer:
        """2207: numbers setl_id."""
        ...

    def unsettle(self, *, message: str, person: Insured, visit: str, number: str) -> Answer: ...  # 2208

    def find(self, *, message: str, person: Insured, visit: str) -> Answer | None:
        """5203: the settlement that stands for the visit; None: there is none (it never arrived, or was reversed)."""
        ...


# ---- receipts ----


@dataclass(frozen=True)
class Numbered:
    code: str
    number: str
    check_code: str = ""


@dataclass(frozen=True)
class Paper:
    """What a receipt says. `payer` is a name: an e-invoice is made out to somebody."""

    request: str
    kind: str  # einvoice, receipt
    payer: str
    total: Decimal
    fund: Decimal
    account: Decimal
    cash: Decimal
    lines: list[dict]  # name, price, quantity, amount
    at: datetime


class ReceiptPort(Protocol):
    """The finance platform's numbers. `request` is ours, the same on every try. Raises Away, Refuses."""

    code: str

    def issue(self, paper: Paper) -> Numbered: ...

    def void(self, *, request: str, code: str, number: str, why: str) -> str:
        """冲红: gives the number of the red one."""
        ...


# ---- which are there ----

_there: dict[tuple[str, str, int | None], object] = {}
_houses: list[Callable[[int], Mapping[str, PaymentGateway]]] = []
_insurances: list[Callable[[int], InsurancePort | None]] = []
_platforms: list[Callable[[int], ReceiptPort | None]] = []


def register(port: str, adapter, *, organization: int | None = None) -> None:
    """`port`: "payment", "insurance" or "receipt". For one house, or for all that have none of their own."""
    _there[port, adapter.code, organization] = adapter


def forget(port: str, code: str, *, organization: int | None = None) -> None:
    _there.pop((port, code, organization), None)


def payments_from(gateways: Callable[[int], Mapping[str, PaymentGateway]]) -> None:
    """Where else the gateways of a house are found, by code (gateways.merchants): what is registered goes before."""
    _houses.append(gateways)


def payment(code: str, *, organization: int) -> PaymentGateway:
    """Raises NoGateway."""
    try:
        return _of("payment", code, organization)
    except NoGateway:
        for gateways in _houses:
            if found := gateways(organization).get(code):
                return found
        raise


def insurance_from(links: Callable[[int], InsurancePort | None]) -> None:
    """Where else the insurance of a house is found (gateways.links): what is registered goes before."""
    _insurances.append(links)


def insurance(*, organization: int, code: str = "national") -> InsurancePort:
    """Raises NoGateway."""
    try:
        return _of("insurance", code, organization)
    except NoGateway:
        for links in _insurances:
            if found := links(organization):
                return found
        raise


def receipts_from(platforms: Callable[[int], ReceiptPort | None]) -> None:
    """Where else the finance platform of a house is found (gateways.platforms): what is registered goes before."""
    _platforms.append(platforms)


def receipts(*, organization: int, code: str = "finance") -> ReceiptPort:
    """Raises NoGateway."""
    try:
        return _of("receipt", code, organization)
    except NoGateway:
        for platforms in _platforms:
            if found := platforms(organization):
                return found
        raise


def payments_at(organization: int) -> list[str]:
    """The codes of the gateways that may be offered there."""
    found = {code for port, code, house in _there if port == "payment" and house in (None, organization)}
    return sorted(found.union(*(gateways(organization) for gateways in _houses)))


def _of(port: str, code: str, organization: int):
    adapter = _there.get((port, code, organization)) or _there.get((port, code, None))
    if adapter is None:
        raise NoGateway()
    return adapter
