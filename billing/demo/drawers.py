"""The two windows of the demo: opened in the morning, counted and closed in the evening, at times a few yuan off."""

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from billing.models import CashierShift, Payment
from billing.selectors import drawers
from billing.services import shifts
from hospital import clock
from hospital.models import Organization, User

WINDOWS = (("shoufei", "1号窗口", time(7, 32)), ("shouyin", "2号窗口", time(7, 38)))
OVER = time(17, 40)
CHANGE = Decimal(300)
BEFORE = timedelta(minutes=2)
OFF = 0.06
"""Of the evenings on which the drawer is not what it should be."""


class Drawers:
    """Of one day. A window opens with its first customer; today's stay open until they are counted by hand."""

    def __init__(self, house: Organization, users: dict[str, User], *, day: date, dice: random.Random, now: datetime):
        self.house, self.users, self.day, self.dice, self.now = house, users, day, dice, now
        self.open: dict[str, CashierShift] = {}

    def one(self, at: datetime) -> CashierShift:
        """For who comes at that moment: an early one finds the window opened a little before its hour."""
        name, window, opens = self.dice.choice(WINDOWS)
        if name not in self.open:
            self.open[name] = shifts.open_(
                organization=self.house, cashier=self.users[name], window=window, change=CHANGE,
                now=min(clock.at(self.day, opens), at - BEFORE),
            )  # fmt: skip
        return self.open[name]

    def close(self) -> None:
        at = clock.at(self.day, OVER)
        if at > self.now:
            return
        for shift in self.open.values():
            off = Decimal(self.dice.choice((-5, -1, 1, 10))) if self.dice.random() < OFF else Decimal(0)
            cheques = Payment.objects.filter(shift=shift, means="cheque", status="succeeded").count()
            counted = drawers.expected_cash(shift) + off
            shifts.count(shift=shift, counted=counted, cheques=cheques, by=shift.cashier, now=at)
            note = "找零差错，已复点" if off else ""
            shifts.close(shift=shift, note=note, by=self.users["caiwu"], now=at)
