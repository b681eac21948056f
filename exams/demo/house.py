"""Rooms, zones, teams and devices of the demo hospital, with their hours and reserves."""

from dataclasses import dataclass
from datetime import date, time

from appointments.models import Pool
from exams.models import (
    Device,
    DeviceAbility,
    DeviceHours,
    DeviceReserve,
    ExamVariant,
    ExamZone,
    Modality,
    StaffTeam,
    WalkingTime,
)
from hospital import pinyin
from hospital.models import Campus, Organization, Room

ULTRASOUND, IMAGING, SCOPES, FUNCTION, NUCLEAR, BLOOD = (
    "超声检查区",
    "影像检查区",
    "内镜中心",
    "功能检查区",
    "核医学检查区",
    "采血区",
)
ZONES = {  # name: floor, place
    ULTRASOUND: ("2层", "门诊楼 2 层东侧"),
    IMAGING: ("1层", "医技楼 1 层"),
    SCOPES: ("3层", "医技楼 3 层"),
    FUNCTION: ("2层", "门诊楼 2 层西侧"),
    NUCLEAR: ("负1层", "医技楼地下 1 层"),
    BLOOD: ("1层", "门诊楼 1 层"),
}
WALKS = {(ULTRASOUND, FUNCTION): 5, (ULTRASOUND, BLOOD): 5, (IMAGING, SCOPES): 5, (IMAGING, NUCLEAR): 5}
TEAMS = {"超声一组": 2, "内镜麻醉组": 1}

OFFICE = ((time(8), time(12)), (time(13, 30), time(17, 30)))
LONG = ((time(7, 30), time(12)), (time(13), time(18)))
MORNING = ((time(8), time(12)),)
EARLY = ((time(7), time(10, 30)),)
WORKDAYS, SATURDAY, WEEKEND = range(1, 6), (6,), (6, 7)


@dataclass(frozen=True)
class Made:
    code: str
    name: str
    modality: str
    zone: str
    hours: tuple = OFFICE
    campus: str = "BB"
    team: str = ""
    reserves: bool = False


SMALL = (
    Made("US1", "彩超1号机", Modality.ULTRASOUND, ULTRASOUND, team="超声一组"),
    Made("US2", "彩超2号机", Modality.ULTRASOUND, ULTRASOUND, team="超声一组", reserves=True),
    Made("US3", "彩超3号机", Modality.ULTRASOUND, ULTRASOUND, team="超声一组"),
    Made("CT1", "CT 1号机", Modality.CT, IMAGING, hours=LONG, reserves=True),
    Made("MR1", "磁共振1号机", Modality.MRI, IMAGING, hours=LONG, reserves=True),
    Made("XR1", "数字X线1号机", Modality.XRAY, IMAGING),
    Made("ES1", "内镜1室", Modality.ENDOSCOPY, SCOPES, hours=MORNING, team="内镜麻醉组"),
    Made("EC1", "心电图1室", Modality.ECG, FUNCTION),
    Made("TM1", "运动平板室", Modality.TREADMILL, FUNCTION, hours=MORNING),
    Made("PF1", "肺功能室", Modality.LUNG, FUNCTION, hours=MORNING),
    Made("NM1", "核医学显像室", Modality.NUCLEAR, NUCLEAR, hours=MORNING),
    Made("LB1", "采血1号窗", Modality.LAB, BLOOD, hours=EARLY),
    Made("LB2", "采血2号窗", Modality.LAB, BLOOD, hours=EARLY),
)
LARGE = (
    *SMALL,
    Made("US4", "彩超4号机", Modality.ULTRASOUND, ULTRASOUND),
    Made("US5", "彩超5号机", Modality.ULTRASOUND, ULTRASOUND),
    Made("CT2", "CT 2号机", Modality.CT, IMAGING, hours=LONG),
    Made("MR2", "磁共振2号机", Modality.MRI, IMAGING, hours=LONG),
    Made("XR2", "数字X线2号机", Modality.XRAY, IMAGING),
    Made("ES2", "内镜2室", Modality.ENDOSCOPY, SCOPES, hours=MORNING),
    Made("EC2", "心电图2室", Modality.ECG, FUNCTION),
    Made("LB3", "采血3号窗", Modality.LAB, BLOOD, hours=EARLY),
    Made("US6", "滨湖彩超1号机", Modality.ULTRASOUND, ULTRASOUND, campus="BH"),
    Made("US7", "滨湖彩超2号机", Modality.ULTRASOUND, ULTRASOUND, campus="BH"),
    Made("CT3", "滨湖CT", Modality.CT, IMAGING, hours=LONG, campus="BH"),
    Made("MR3", "滨湖磁共振", Modality.MRI, IMAGING, hours=LONG, campus="BH"),
    Made("XR3", "滨湖数字X线", Modality.XRAY, IMAGING, campus="BH"),
    Made("EC3", "滨湖心电图室", Modality.ECG, FUNCTION, campus="BH"),
    Made("LB4", "滨湖采血窗", Modality.LAB, BLOOD, hours=EARLY, campus="BH"),
)


def build(organization: Organization, *, large: bool, from_day: date) -> dict[str, Device]:
    """Everything of the house that exams are done in, by the device's code."""
    campuses = {campus.code: campus for campus in Campus.objects.filter(organization=organization)}
    wanted = [made for made in (LARGE if large else SMALL) if made.campus in campuses]
    zones = _zones(wanted, campuses)
    teams = {
        name: StaffTeam.objects.create(organization=organization, name=name, size=size) for name, size in TEAMS.items()
    }
    variants = list(ExamVariant.objects.filter(item__organization=organization).select_related("item"))
    devices = {}
    for made in wanted:
        device = devices[made.code] = _device(made, organization, campuses[made.campus], zones, teams)
        DeviceAbility.objects.bulk_create(
            DeviceAbility(device=device, variant=each) for each in variants if each.item.modality == made.modality
        )
        _open(device, made, from_day=from_day)
    return devices


def _zones(wanted: list[Made], campuses: dict[str, Campus]) -> dict[tuple[str, str], ExamZone]:
    zones = {}
    for campus, name in dict.fromkeys((made.campus, made.zone) for made in wanted):
        zones[campus, name] = ExamZone.objects.create(campus=campuses[campus], name=name, location=ZONES[name][1])
    for campus in campuses:
        for (one, other), minutes in WALKS.items():
            if (campus, one) in zones and (campus, other) in zones:
                near = sorted((zones[campus, one], zones[campus, other]), key=lambda zone: zone.pk)
                WalkingTime.objects.create(one=near[0], other=near[1], minutes=minutes)
    return zones


def _device(made: Made, organization, campus, zones, teams) -> Device:
    floor, _place = ZONES[made.zone]
    room = Room.objects.create(campus=campus, code=f"JC-{made.code}", name=f"{made.name}检查室", floor=floor)
    sounds, initials = pinyin.of_thing(made.name)
    return Device.objects.create(
        organization=organization, code=made.code, name=made.name, pinyin=sounds, initials=initials,
        modality=made.modality, room=room, zone=zones[made.campus, made.zone], team=teams.get(made.team),
    )  # fmt: skip


def _open(device: Device, made: Made, *, from_day: date) -> None:
    """On workdays and Saturday mornings; blood and CT on Sunday mornings, too."""
    mornings = WEEKEND if made.modality in (Modality.LAB, Modality.CT) else SATURDAY
    stretches = [(day, *stretch) for day in WORKDAYS for stretch in made.hours]
    stretches += [(day, *made.hours[0]) for day in mornings]
    for day, starts, ends in stretches:
        hours = DeviceHours.objects.create(
            device=device, weekday=day, starts=starts, ends=ends, effective_from=from_day
        )
        if made.reserves and day in WORKDAYS:
            _reserve(hours)


def _reserve(hours: DeviceHours) -> None:
    """The morning's last hour for inpatients, until a day before; the day's last for emergencies, until two hours."""
    morning = hours.starts < time(12)
    ends = hours.ends
    DeviceReserve.objects.create(
        hours=hours, kind=Pool.Kind.INPATIENT if morning else Pool.Kind.EMERGENCY,
        starts=ends.replace(hour=ends.hour - 1), ends=ends, shared_minutes=1440 if morning else 120,
    )  # fmt: skip
