"""操作留痕 of the exams (O10): every act has words, says by name what it was done to, and opens its page."""

import re
from pathlib import Path

import pytest

from appointments.selectors import trail
from hospital.models import RoleAssignment
from tests.exams.devices.test_downtime import House

EXAMS = Path(__file__).parents[2] / "exams"
ACT = r"""["']((?:exam|exams|exam_[a-z]+|device|downtime|examzone|walkingtime|staffteam|report)\.[a-z_]+)["']"""


def acts():
    """Literal actions of audit.record and the house's own `trace` functions, which pass theirs on."""
    for path in EXAMS.rglob("*.py"):
        text = path.read_text()
        if "demo" in path.parts or "audit" not in text and "trace(" not in text:
            continue
        for call in re.findall(r"(?:audit\.record|_trace|\btrace)\((.{0,160})", text, re.DOTALL):
            yield from re.findall(ACT, call.partition("subject=")[0].partition("publish")[0])


def test_every_act_has_a_word():
    found = set(acts())
    built = {f"device.day_{what}" for what in ("closed", "reopened", "added", "released")}
    built |= {f"{kind}.kept" for kind in ("examzone", "walkingtime", "staffteam")}
    built |= {f"exam_{kind}.{act}" for kind in ("item", "set") for act in ("written", "changed")}
    built |= {f"exam_signed.{act}" for act in ("written", "approved", "retired", "discarded")}
    built |= {"exam.requested_on_paper", "report.released", "report.corrected", "report.withdrawn"}

    assert {"device.taken_down", "exam.withdrawn", "exam_case.called", "report.registered"} <= found
    assert {act for act in found | built if trail.action_of(act) == act} == set()


@pytest.mark.django_db
def test_a_downtime_is_said_by_its_device_and_opens_its_page(client, django_assert_max_num_queries):
    house = House(booked=1)
    down = house.take_down()
    RoleAssignment.objects.create(user=house.by, role="office", organization=house.device.organization)
    client.force_login(house.by)

    with django_assert_max_num_queries(14):
        response = client.get("/office/audit/", {"action": "device.taken_down"})

    [line] = response.context["page"].lines
    assert (line.what, line.url) == ("设备停机", f"/office/exams/downtimes/{down.pk}/")
    assert line.about.startswith(f"{house.device.name} ")
    said = dict(line.more)
    assert (said["设备"], said["事由"], said["改约患者数"], said["原因"]) == (house.device.name, "故障", "1", "球管")
    assert "device.taken_down" in response.content.decode()  # one of the choices, by its word
    assert ">设备停机</option>" in response.content.decode()
