"""Facts reach their handlers: in order per key, once with effect, and one failure stops only its own key."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from hospital import outbox
from hospital.models import AuditEvent, Delivery, Fact
from hospital.outbox import delivery, registry
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    """The registry holds only this test's handlers; what they heard, in order."""
    monkeypatch.setattr(registry, "_handlers", registry.defaultdict(dict))
    return []


def publish(key="a", topic="test.happened", **payload):
    return outbox.publish(topic=topic, key=key, payload=payload, now=NOW)


def run(now=NOW):
    """What the task does: fan out, then deliver until nothing is due."""
    outbox.fan_out(now=now)
    done = 0
    while step := outbox.deliver(now=now):
        done += step
    return done


def test_a_fact_reaches_every_handler_of_its_topic_and_no_other(heard):
    @outbox.handles("test.happened")
    def first(fact, now):
        heard.append(("first", fact.pk, now))

    @outbox.handles("test.happened", "test.other")
    def second(fact, now):
        heard.append(("second", fact.pk, now))

    fact, other, _unheard = publish(), publish(topic="test.other"), publish(topic="test.unheard")

    assert run() == 3
    assert sorted(heard) == sorted([("first", fact.pk, NOW), ("second", fact.pk, NOW), ("second", other.pk, NOW)])
    assert not Fact.objects.filter(fanned_out=False).exists()


def test_delivering_again_does_nothing(heard):
    @outbox.handles("test.happened")
    def handler(fact, now):
        heard.append(fact.pk)

    fact = publish()
    run()
    Fact.objects.update(fanned_out=False)  # as if the worker died between the two

    assert run() == 0
    assert heard == [fact.pk]


def test_facts_of_a_key_arrive_in_order(heard):
    @outbox.handles("test.happened")
    def handler(fact, now):
        heard.append((fact.key, fact.payload["n"]))

    for n in range(3):
        publish("a", n=n)
        publish("b", n=n)
    run()

    assert [n for key, n in heard if key == "a"] == [0, 1, 2]
    assert [n for key, n in heard if key == "b"] == [0, 1, 2]


def test_a_failing_fact_holds_back_its_key_but_nobody_else_and_is_tried_again_later(heard):
    down = [True]

    @outbox.handles("test.happened")
    def fragile(fact, now):
        if fact.key == "a" and down[0]:
            raise RuntimeError("李秀英 13800136210")
        heard.append((fact.key, fact.payload["n"]))

    for n in range(2):
        publish("a", n=n)
        publish("b", n=n)

    assert run() == 2
    assert heard == [("b", 0), ("b", 1)]
    failed = Delivery.objects.get(tries=1)
    assert (failed.last_error, failed.done_at) == ("RuntimeError", None)
    assert failed.next_try_at == NOW + timedelta(seconds=10)

    down[0] = False
    assert run(NOW + timedelta(seconds=9)) == 0
    assert run(NOW + timedelta(seconds=10)) == 2
    assert heard[2:] == [("a", 0), ("a", 1)]


def test_the_pause_doubles_up_to_an_hour(heard):
    @outbox.handles("test.happened")
    def broken(fact, now):
        raise ValueError

    publish()
    now, pauses = NOW, []
    for _n in range(11):
        run(now)
        following = Delivery.objects.get().next_try_at
        pauses.append((following - now).total_seconds())
        now = following

    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


def test_what_a_failing_handler_wrote_is_taken_back(heard):
    @outbox.handles("test.happened")
    def half_way(fact, now):
        AuditEvent.objects.create(at=now, action="half way")
        raise RuntimeError

    publish()
    run()

    assert not AuditEvent.objects.exists()


def test_one_failing_handler_does_not_hold_back_another_of_the_same_fact(heard):
    @outbox.handles("test.happened")
    def broken(fact, now):
        raise RuntimeError

    @outbox.handles("test.happened")
    def sound(fact, now):
        heard.append(fact.payload["n"])

    publish(n=1)
    publish(n=2)
    run()

    assert heard == [1, 2]


def test_a_handler_that_hits_a_database_error_backs_off_like_any_other(heard):
    """A lock that is never to be had must not stop the facts behind it."""

    @outbox.handles("test.happened")
    def locked_out(fact, now):
        if fact.key == "a":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '1ms'")
                cursor.execute("SELECT pg_sleep(1)")
        heard.append(fact.key)

    publish("a")
    publish("b")
    run()

    assert heard == ["b"]
    assert Delivery.objects.get(done_at=None).last_error == "OperationalError"


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work_and_neither_overtakes(heard):
    """A second worker passes by what the first is at, and does not touch the key's next fact."""
    working, go_on = Event(), Event()

    @outbox.handles("test.happened")
    def slow(fact, now):
        heard.append((fact.key, fact.payload["n"]))
        if (fact.key, fact.payload["n"]) == ("a", 0):
            working.set()
            go_on.wait(10)

    for n in range(2):
        publish("a", n=n)
    publish("b", n=0)
    outbox.fan_out(now=NOW)

    def first_worker():
        try:
            outbox.deliver(now=NOW, limit=1)
        finally:
            connection.close()

    thread = Thread(target=first_worker)
    thread.start()
    assert working.wait(10)
    assert outbox.deliver(now=NOW) == 1
    assert heard == [("a", 0), ("b", 0)]
    go_on.set()
    thread.join()
    assert outbox.deliver(now=NOW) == 1
    assert heard == [("a", 0), ("b", 0), ("a", 1)]


def test_a_younger_fact_is_not_claimed_before_an_older_one_of_its_key_even_when_it_was_listed(heard):
    @outbox.handles("test.happened")
    def handler(fact, now):
        heard.append(fact.payload["n"])

    publish(n=0)
    publish(n=1)
    outbox.fan_out(now=NOW)
    older, younger = Delivery.objects.order_by("fact").values_list("pk", flat=True)

    assert not delivery._deliver_one(younger, now=NOW)
    assert delivery._deliver_one(older, now=NOW)
    assert delivery._deliver_one(younger, now=NOW)
    assert heard == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_fanning_out_is_one_workers_work_at_a_time(heard):
    outbox.handles("test.happened")(lambda fact, now: None)
    publish()
    held, go_on = Event(), Event()

    def other_worker():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fan_out'))")
                held.set()
                go_on.wait(10)
        finally:
            connection.close()

    thread = Thread(target=other_worker)
    thread.start()
    assert held.wait(10)
    assert outbox.fan_out(now=NOW) == 0
    go_on.set()
    thread.join()
    assert outbox.fan_out(now=NOW) == 1


def test_a_long_backlog_is_looked_through_by_index(heard):
    """What was done long ago must cost nothing: both parts of the look stand in indexes of undone rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO hospital_fact (topic, key, payload, happened_at, fanned_out)
               SELECT 'test.happened', 'k' || n % 5000, '{}', now(), true FROM generate_series(1, 20000) n"""
        )
        cursor.execute(
            """INSERT INTO hospital_delivery (fact_id, handler, key, next_try_at, tries, last_error, done_at)
               SELECT id, 'h', key, %s, 0, '', CASE WHEN id %% 2 = 0 THEN happened_at END FROM hospital_fact""",
            [NOW],
        )
        cursor.execute("ANALYZE hospital_delivery")
        cursor.execute("EXPLAIN " + delivery.DUE, {"now": NOW, "limit": 500})
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "delivery_in_order" in plan, plan
    assert "Seq Scan" not in plan, plan
