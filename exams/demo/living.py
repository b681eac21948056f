"""The exams of the demo hospital, in order."""

import random
from datetime import time, timedelta

from appointments.demo.neighbours import Scene
from appointments.demo.scale import SEED
from exams.services import starter
from exams.services.devices import ahead, lay_out
from hospital import clock

from . import house, month, shown
from .rows import Rows

DAYS = 30
"""How far the drawn exams go back, in the large hospital too."""


def live(scene: Scene) -> str:
    """Catalogue, devices, a month of exams up to now and the days booked ahead."""
    organization, now = scene.doctor.organization, scene.now
    today = clock.today(now)
    first_day = today - timedelta(days=DAYS)
    before = clock.at(first_day, time(0))
    large = scene.scale.workbook != "hospital.xlsx"
    starter.give(organization=organization, by=scene.users["haoyuan"], now=before)
    devices = house.build(organization, large=large, from_day=first_day)
    lay_out(organization=organization, first_day=first_day, last_day=ahead(organization, today=today), now=before)
    dice = random.Random(f"{SEED}exams")
    lived = month.begin(dice, devices=devices, first_day=first_day)
    rows = Rows(lived, dice=dice, centre=scene.users["jiancha"], now=now)
    for day in month.days(first_day, today):
        for visit in lived.live(day, until=now):
            rows.add(visit)
    written = rows.write()
    shown.live(lived, doctor=scene.doctor, centre=scene.users["jiancha"], now=now)
    return f"{len(devices)} devices, {written:,} exams booked"
