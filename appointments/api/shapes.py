"""What the hot endpoints and the verbs take and give, in msgspec: the document is made from these very classes."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from hospital.api.errors import Invalid

YEARS = range(2000, 2200)
"""What can be a day here at all: reckoning with the year 9999 overflows."""

Row = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Number = Annotated[int, Meta(ge=1, le=2**15 - 1, description="序号 on the schedule.")]
Moment = Annotated[datetime, Meta(tz=True)]
Money = Annotated[str, Meta(pattern=r"^\d+\.\d\d$", description="Yuan.", examples=["20.00"])]
Status = Literal["pending", "booked", "arrived", "fulfilled", "cancelled", "noshow"]
State = Literal["open", "few", "unreleased", "full", "stopped", "gated", "offline"]
Half = Literal["am", "pm", "ev", "all"]  # by the hours: all is both halves of the day


class Choice(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A `number`, or a slice's `start`; neither: the lowest number that fits the patient's day."""

    number: Number | None = None
    start: Annotated[datetime, Meta(description="A slice's start, with offset: any zone.")] | None = None

    def check(self) -> None:
        """What a schema does not say. Raises Invalid."""
        if self.start is not None and self.start.tzinfo is None:
            raise Invalid({"start": [_("start 必须带时区，例如 2026-12-21T08:30:00+08:00。")]})
        if self.start is not None and self.start.year not in YEARS:
            raise Invalid({"start": ["2000 … 2199"]})
        if self.number is not None and self.start is not None:
            raise Invalid({"number": [_("number 和 start 只填一个。")]})


class BookingRequest(Choice):
    """A patient, and a number or a slice's start; neither: the lowest number that fits the patient's day."""

    patient: Row


class RescheduleRequest(Choice):
    """The schedule to move to, and a number or a slice's start on it; neither: the lowest that fits."""

    schedule: Row


class CancelRequest(msgspec.Struct, forbid_unknown_fields=True):
    """An empty body will do."""

    reason: Annotated[str, Meta(max_length=200, pattern="^[^\\x00]*$")] = ""


class ConfirmRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing to say; an empty body will do."""


class WaitRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who waits, and for which schedule."""

    patient: Row
    schedule: Row


class Booked(msgspec.Struct, kw_only=True):
    """锁号: what a booking gave. It is `pending` until it is confirmed, at `hold_until` the number goes back."""

    appointment: int
    status: Status
    number: int
    start: Moment
    minutes: int
    hold_until: Moment | None
    fee: Money


class DoctorRef(msgspec.Struct):
    id: int
    name: str
    title: str


class TeamRef(msgspec.Struct):
    id: int
    name: str


class Offer(msgspec.Struct, kw_only=True):
    """One schedule (出诊单元) and what this token's channel could take of it at this moment."""

    schedule: int
    day: date
    half: Half
    starts_at: Moment
    ends_at: Moment
    doctor: DoctorRef | None
    team: TeamRef | None
    service: str
    level: Annotated[str, Meta(examples=["general"])]
    fee: Money | None
    state: Annotated[
        State,
        Meta(
            description="open 有号, few 号少, unreleased 未放号 (see opens_at), full 满号, stopped 停诊, "
            "gated: by a team's referral only, offline: not for this channel."
        ),
    ]
    left: Annotated[int, Meta(description="Numbers that could be taken now.")]
    of: Annotated[int, Meta(description="Numbers open to this channel and still ahead, the taken ones too.")]
    opens_at: Annotated[Moment | None, Meta(description="When more free numbers open to this channel.")]


class Availability(msgspec.Struct, kw_only=True):
    """A department's schedules on some days, by their start."""

    department: int
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    schedules: list[Offer]


class SliceOut(msgspec.Struct, kw_only=True):
    """时段: book it with its `start`, or one of its `numbers`."""

    start: Moment
    end: Moment
    left: int
    of: int
    numbers: Annotated[list[int], Meta(description="Numbers of this slice that could be taken now.")]


class Slices(msgspec.Struct, kw_only=True):
    """A schedule and its slices of at most 30 minutes; none unless numbers are open to this channel."""

    offer: Offer
    slices: list[SliceOut]
