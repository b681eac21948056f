"""The referral office's worklist and figures over a year of referrals, and how fast what happens reaches the systems
of both institutions."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from bench import table
from bench.seed import Ground
from bench.server import PROJECT
from bench.sizes import Sizes
from hospital import clock, outbox
from hospital.integration import webhooks
from hospital.models import Organization, RoleAssignment, RolePolicy, User, Webhook, WebhookDelivery
from referrals.models import Referral
from referrals.selectors import events, office

COMMUNITIES = 30
OPEN = 20
"""One in so many is still open: the latest."""

PAGE_TARGET, FIGURES_TARGET, PUSHED_TARGET = 300, 2_000, 20  # ms, ms, events a second

REFERRALS = """
INSERT INTO referrals_referral (direction, status, urgency, patient_id, origin_id, receiver_id, by_id, department_id,
       office_books, reason, diagnosis_code, diagnosis, history, medication, allergies, results, consent, consented_at,
       created_at, sent_at, due_at, answered_at, ended_at)
SELECT 'up', status, (ARRAY['routine', 'routine', 'routine', 'urgent'])[1 + n %% 4], %(first)s + n %% %(patients)s,
       (%(origins)s::bigint[])[1 + n %% %(communities)s], %(house)s, %(by)s,
       (SELECT min(id) FROM hospital_department WHERE organization_id = %(house)s), n %% 3 = 0, '血压控制不佳', 'I10',
       '高血压 3 级', '', '', '', '', 'patient', sent, sent, sent,
       CASE WHEN n <= %(open)s AND status <> 'seen' THEN sent + interval '2 days' END,
       CASE WHEN status NOT IN ('sent') THEN sent + interval '3 hours' END,
       CASE WHEN n > %(open)s THEN sent + interval '6 days' END
  FROM generate_series(1, %(many)s) n,
       LATERAL (SELECT %(now)s - n * interval '5 minutes' AS sent,
                       CASE WHEN n > %(open)s THEN (ARRAY['completed', 'returned', 'rejected'])[1 + n %% 3]
                            ELSE (ARRAY['sent', 'answered', 'asked', 'accepted', 'seen'])[1 + n %% 5] END AS status) s
 ORDER BY n DESC
"""
NUMBERS = """
INSERT INTO appointments_appointment (slot_id, schedule_id, patient_id, department_id, day, start, channel,
       self_service, counts, visit_type, status, extra, fee, note, created_at, confirmed_at, cancelled_at, partner_id)
SELECT s.id, s.schedule_id, r.patient_id, c.department_id, c.day, s.start, 'partner', false, true, 'first', 'cancelled',
       false, 20, r.id::text, r.sent_at, r.sent_at, r.sent_at + interval '1 hour', r.origin_id
  FROM referrals_referral r
  JOIN (SELECT *, row_number() OVER (ORDER BY id) AS place FROM appointments_slot) s
    ON s.place = 1 + r.id %% (SELECT count(*) FROM appointments_slot)
  JOIN appointments_schedule c ON c.id = s.schedule_id
 WHERE r.id %% 10 < 7 AND r.receiver_id = %(house)s
"""
"""Seven of ten got one, given back since: the numbers themselves stay free for the other measurements."""

STEPS = """
INSERT INTO referrals_referralevent (referral_id, kind, status, organization_id, by_id, text, detail, at)
SELECT r.id, kind, r.status, r.receiver_id, r.by_id, said,
       CASE kind WHEN 'booked' THEN jsonb_build_object('appointment', a.id) ELSE '{}' END, r.sent_at + after
  FROM referrals_referral r
  LEFT JOIN appointments_appointment a ON a.note = r.id::text AND a.partner_id = r.origin_id,
       (VALUES ('created', 1, '', interval '0'), ('sent', 1, '', '0'), ('asked', 4, '请补充近期化验结果。', '1 hour'),
               ('answered', 4, '已补充。', '2 hours'), ('booked', 1, '', '3 hours'), ('escalated', 10, '', '1 day'),
               ('redirected', 12, '改看专科', '5 hours'), ('rejected', 1, '资料不全', '2 days'),
               ('arrived', 2, '', '3 days'), ('seen', 2, '', '3 days')) step (kind, every, said, after)
 WHERE r.receiver_id = %(house)s AND r.id %% every = 0
   AND CASE kind WHEN 'booked' THEN a.id IS NOT NULL WHEN 'rejected' THEN r.status = 'rejected' ELSE true END
 ORDER BY r.sent_at + after
"""


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    """The pages in the process, through all middleware and templates; the events over plain HTTP to a receiver here."""
    house = Organization.objects.get(pk=ground.organization)
    user = _seed(sizes, ground, house)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    plan = _plan(house)
    rows = [
        _page(sizes, client, f"worklist of {sizes.referrals:,} referrals", PAGE_TARGET, note=plan),
        _page(sizes, client, "worklist: the overdue ones", PAGE_TARGET, turn="ours", late="on"),
        _page(sizes, client, "worklist: its 40th page", PAGE_TARGET, turn="ours", page="40"),
    ]
    today = clock.today(clock.now())
    year = {"first": f"{today - timedelta(days=364)}", "last": f"{today}"}
    rows.append(
        _page(sizes, client, f"figures of {sizes.referrals:,} referrals, a year", FIGURES_TARGET,
              address="referrals:referral_figures", **year)
    )  # fmt: skip
    return [*rows, _pushed(sizes, house)]


def _seed(sizes: Sizes, ground: Ground, house: Organization) -> User:
    RolePolicy.objects.update(second_factor=False)
    some = [
        Organization(code=f"RC{n}", name=f"测试社区{n}", kind="community", parent=house) for n in range(COMMUNITIES)
    ]
    origins = [row.pk for row in Organization.objects.bulk_create(some)]
    user = User.objects.create(username="bench-referrals", full_name="转诊办")
    RoleAssignment.objects.create(user=user, role="referral", organization=house)
    said = {
        "first": ground.patients[0], "patients": sizes.patients // 2,
        "origins": origins, "communities": COMMUNITIES, "house": house.pk,
        "by": user.pk, "open": sizes.referrals // OPEN, "many": sizes.referrals, "now": clock.now(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (REFERRALS, NUMBERS, STEPS):
            cursor.execute(statement, said)
        cursor.execute(
            "ANALYZE referrals_referral, referrals_referralevent, appointments_appointment, hospital_organization"
        )
    return user


def _page(sizes: Sizes, client: Client, name: str, target: int, *, note: str = "", address: str = "", **asked):
    url = reverse(address or "referrals:referral_office")
    queries = []

    def note_it(execute, sql, *rest):
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note_it):
        answer = client.get(url, asked)
    assert answer.status_code == 200, answer.status_code
    took = []
    for _look in range(max(1, sizes.looks)):
        began = time.perf_counter()
        client.get(url, asked)
        took.append((time.perf_counter() - began) * 1000)
    words = f"{len(queries)} queries{'; ' if note else ''}{note}"
    return table.measured(name, [median(took)], target=target, unit="ms", note=words)


def _plan(house: Organization) -> str:
    """What PostgreSQL does for the list itself."""
    rows = office.listed([house.pk], office.Wanted(), now=clock.now()).values_list("pk", flat=True)[:50]
    told = rows.explain(analyze=True)
    used = sorted(set(re.findall(r"Scan using (\w+)|Scan on (\w+)", told)))
    took = re.search(r"Execution Time: ([0-9.]+) ms", told)
    return f"list: {' and '.join(''.join(each) for each in used)}, {took[1]} ms in the database"


# ---- events ----


@contextlib.contextmanager
def _receiver() -> Iterator[str]:
    """Another system, in a process of its own."""
    command = [sys.executable, "-m", "bench.receiver"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/events"
        finally:
            process.kill()


def _pushed(sizes: Sizes, house: Organization) -> table.Row:
    """One sender; every event is built, signed, posted on a connection of its own and marked."""
    with _receiver() as url, override_settings(WEBHOOK_PLAIN_HTTP=True, WEBHOOK_NETWORKS=["127.0.0.0/8"]):
        hook = Webhook.objects.create(
            organization=house, name="bench", url=url, secret="bench", topics=list(events.TOPICS)
        )
        _happen(sizes, house)
        while outbox.fan_out(now=clock.now()):
            pass
        while outbox.deliver(now=clock.now()):
            pass
        waiting = WebhookDelivery.objects.filter(webhook=hook).count()
        began = time.perf_counter()
        sent = 0
        while more := webhooks.send_due():
            sent += more
        took = time.perf_counter() - began
        hook.active = False
        hook.save()
    assert sent == waiting, (sent, waiting)
    return table.measured(
        "referral events pushed to a receiver", [sent / took], target=PUSHED_TARGET, better="higher", unit="/s",
        note=f"{sent} events, one sender",
    )  # fmt: skip


def _happen(sizes: Sizes, house: Organization) -> None:
    rows = Referral.objects.filter(receiver=house, status="accepted").order_by("-pk")[: sizes.pushed]
    said = [
        (f"referral:{row.pk}", {"referral": row.pk, "status": row.status, "direction": "up", "origin": row.origin_id,
                                "receiver": row.receiver_id})
        for row in rows
    ]  # fmt: skip
    outbox.publish_many(topic="referral.accepted", facts=said, now=clock.now())
