"""候补 on the patient's pages: from the full half-day to the line, the offer, the success card (B9)."""

import gzip
import re
from datetime import timedelta

import pytest
import time_machine

from appointments.models import Appointment, WaitlistEntry
from appointments.selectors import rules
from appointments.views.patient.addresses import slots_page
from hospital.models import RelatedPerson
from tests.bookings.scenes import account_with, add_person, people, text_of
from tests.factories import NOW, AccountFactory, NoticeFactory, PatientFactory
from tests.waitlist.scenes import DAY, EVE, full, give_back, join, work

from .pages import department_page, words
from .test_budget import MOST_BYTES, assets

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def mine(client, db):
    rules.forget()
    client.user = account_with()
    client.person = people(client.user)[0]
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def door(schedule) -> str:
    return f"/book/waitlist/?schedule={schedule.pk}"


def press(client, schedule, patient):
    return client.post(door(schedule), {"patient": patient.pk})


def act(client, entry, what):
    return client.post(f"/waiting/{entry.pk}/", {"act": what})


def offered(mine, *, numbers=2):
    """The person's entry, a number offered to it."""
    schedule = full(numbers)
    entry = join(schedule, mine.person, by=mine.user)
    give_back(schedule)
    work()
    entry.refresh_from_db()
    assert entry.status == "offered"
    return entry


def plain(response) -> str:
    assert response.status_code < 500
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text_of(response)))


# ---- the way in ----


def test_a_full_half_day_is_no_dead_end(mine):
    """B9: in words on the doctors' list, a link on the page of slices; after the cut-off neither."""
    schedule = full(day=DAY - timedelta(days=1))
    link = f'href="{door(schedule)}"'

    assert link in text_of(mine.get(slots_page(schedule)))
    assert "上午：满号可候补" in words(department_page(schedule.department, day=schedule.day))
    with time_machine.travel(EVE - timedelta(days=1), tick=False):
        assert link not in text_of(mine.get(slots_page(schedule)))
        assert "可候补" not in words(department_page(schedule.department, day=schedule.day))


def test_a_half_day_with_numbers_or_that_was_stopped_has_no_line(mine):
    schedule, stopped = full(), full(day=DAY - timedelta(days=2), status="stopped")
    schedule.slots.filter(number=1).update(status="free")

    assert "可候补" not in text_of(mine.get(slots_page(schedule)))
    assert "可候补" not in text_of(mine.get(slots_page(stopped)))


def test_whoever_is_not_signed_in_comes_back_to_the_same_half_day(client):
    schedule = full()
    there = client.get(door(schedule))

    assert there.status_code == 302
    assert f"schedule%3D{schedule.pk}" in there.url


@pytest.mark.parametrize("query", ["", "?schedule=x", "?schedule=0", f"?schedule={10**30}", "?schedule=99999999"])
def test_a_half_day_that_there_is_not_leads_to_the_departments(mine, query):
    assert mine.get(f"/book/waitlist/{query}").url == "/book/departments/"


# ---- joining ----


def test_the_page_says_whom_where_and_the_rule_in_force(mine):
    schedule = full()
    join(schedule)
    page = plain(mine.get(door(schedule)))

    for said in (
        "加入候补",
        "11月30日 周一 上午",
        "已有1位在候补",
        "周*明",
        "2小时内",
        "11月29日 18:00",
        "最多候补3个",
    ):
        assert said in page, said
    assert "周志明" not in page


def test_one_press_joins_the_line_and_a_second_is_the_same_entry(mine):
    schedule = full()
    first, second = (press(mine, schedule, mine.person) for _n in range(2))

    entry = WaitlistEntry.objects.get()
    assert first.url == second.url == f"/waiting/{entry.pk}/"
    assert (entry.patient, entry.by, entry.channel) == (mine.person, mine.user, "web")
    page = plain(mine.get(first.url))
    assert "下一个就轮到" in page
    assert "候补第1位" in page


def test_who_waits_already_is_said_with_the_way_to_the_entry(mine):
    schedule = full()
    entry = join(schedule, mine.person, by=mine.user)
    page = text_of(mine.get(door(schedule)))

    assert f'href="/waiting/{entry.pk}/"' in page
    assert "已经在候补这个半天" in page
    assert "disabled" in page


def test_a_person_waits_for_three_half_days_at_most(mine):
    """B9."""
    for ahead in range(3):
        join(full(day=DAY - timedelta(days=ahead)), mine.person, by=mine.user)
    schedule = full(day=DAY + timedelta(days=1))

    assert "最多候补3个半天" in plain(mine.get(door(schedule)))
    answer = press(mine, schedule, mine.person)
    assert answer.status_code == 409
    assert "取消一个不需要的候补" in plain(answer)
    assert WaitlistEntry.objects.count() == 3


def test_who_has_a_number_of_that_day_and_department_has_none_to_wait_for(mine):
    schedule = full()
    Appointment.objects.filter(schedule=schedule, slot__number=1).update(patient=mine.person)

    assert "同一天同一科室已有预约" in plain(mine.get(door(schedule)))
    assert press(mine, schedule, mine.person).status_code == 409
    assert not WaitlistEntry.objects.exists()


def test_numbers_that_came_back_meanwhile_lead_to_them(mine):
    schedule = full()
    mine.get(door(schedule))
    schedule.slots.filter(number=1).update(status="free")
    Appointment.objects.filter(slot__number=1).update(status="cancelled", cancelled_at=NOW)

    for ask in (lambda: press(mine, schedule, mine.person), lambda: mine.get(door(schedule))):
        answer = ask()
        assert answer.url.startswith(slots_page(schedule))
        page = plain(mine.get(answer.url))
        assert "现在还有1个号，不用候补。" in page
        assert "余1" in page
    assert not WaitlistEntry.objects.exists()


def test_after_the_cut_off_nobody_joins_and_it_says_when_it_was(mine):
    schedule = full(day=DAY - timedelta(days=6))
    with time_machine.travel(clock_after(schedule), tick=False):
        mine.force_login(mine.user, backend="django.contrib.auth.backends.ModelBackend")
        answer = press(mine, schedule, mine.person)
        assert "候补已在11月23日 18:00截止" in plain(mine.get(answer.url))
    assert not WaitlistEntry.objects.exists()


def clock_after(schedule):
    return EVE - (DAY - schedule.day) + timedelta(minutes=1)


@pytest.mark.parametrize("sent", [{}, {"patient": "x"}, {"patient": ""}, {"patient": 10**30}])
def test_a_press_without_a_person_asks_for_one(mine, sent):
    answer = mine.post(door(full()), sent)

    assert answer.status_code == 422
    assert 'role="alert"' in text_of(answer)


def test_somebody_elses_person_is_not_put_in_a_line(mine):
    answer = press(mine, full(), PatientFactory())

    assert answer.status_code == 422
    assert not WaitlistEntry.objects.exists()


def test_the_notice_is_agreed_to_before_anybody_waits(mine):
    """O4: what is accepted later is a booking."""
    NoticeFactory(kind="health", version=9)
    schedule = full()
    answer = press(mine, schedule, mine.person)

    assert answer.status_code == 409
    assert "告知书" in plain(answer)
    assert not WaitlistEntry.objects.exists()


# ---- my bookings, and the offer ----


def test_my_bookings_show_the_place_in_line_and_the_way_out(mine):
    schedule = full()
    join(schedule, PatientFactory(birth_date=mine.person.birth_date), now=NOW - HOUR)
    entry = join(schedule, mine.person, by=mine.user)
    page = plain(mine.get("/bookings/"))
    assert "候补第2位" in page
    assert "退出候补" in page

    sure = mine.get(f"/waiting/{entry.pk}/?sure=1")
    assert "位次不保留" in plain(sure)
    assert act(mine, entry, "leave").url == f"/waiting/{entry.pk}/"
    assert "已退出候补" in plain(mine.get(f"/waiting/{entry.pk}/"))
    assert "候补" not in plain(mine.get("/bookings/"))
    entry.refresh_from_db()
    assert entry.status == "withdrawn"


def test_an_offer_stands_first_with_its_deadline_and_is_no_second_card(mine):
    entry = offered(mine)
    page = plain(mine.get("/bookings/"))

    assert page.index("请在11月23日 12:00前接受") < page.index("要去看的")
    assert page.count("11月30日") == 1
    held = entry.offers.get().appointment_id
    assert mine.get(f"/bookings/{held}/").url == f"/waiting/{entry.pk}/"


def test_accepting_leads_to_the_success_card_and_twice_is_once(mine):
    """B9."""
    entry = offered(mine)
    first, second = (act(mine, entry, "accept") for _n in range(2))

    held = entry.offers.get().appointment_id
    assert first.url == second.url == f"/bookings/{held}/done/"
    assert "约好了" in plain(mine.get(first.url))
    assert "候补成功" in plain(mine.get(f"/waiting/{entry.pk}/"))
    assert "待接受" not in plain(mine.get("/bookings/"))


def test_a_number_that_is_given_up_goes_to_the_next(mine):
    entry = offered(mine)
    other = join(entry.schedule)
    assert act(mine, entry, "leave").status_code == 302
    work()
    other.refresh_from_db()

    assert other.status == "offered"
    assert "放弃候补到的号" in plain(mine.get(f"/waiting/{entry.pk}/"))


def test_an_offer_whose_time_is_over_is_refused_and_says_so_before_the_worker_does(mine):
    entry = offered(mine)
    with time_machine.travel(NOW + 2 * HOUR + timedelta(seconds=1), tick=False):
        mine.force_login(mine.user, backend="django.contrib.auth.backends.ModelBackend")
        assert "没有在时限内确认" in plain(mine.get(f"/waiting/{entry.pk}/"))
        answer = act(mine, entry, "accept")
        assert answer.status_code == 409
        assert "已让给下一位" in plain(answer)


def test_what_was_confirmed_on_another_page_is_filled_before_the_worker_has_written_so(mine):
    entry = offered(mine)
    mine.post(f"/bookings/{entry.offers.get().appointment_id}/confirm/")

    assert "候补成功" in plain(mine.get(f"/waiting/{entry.pk}/"))
    assert act(mine, entry, "accept").url.endswith("/done/")


def test_nothing_is_accepted_before_the_notice_is_agreed_to(mine):
    entry = offered(mine)
    NoticeFactory(kind="health", version=9)

    assert act(mine, entry, "accept").url.startswith("/me/consents/") or "consent" in act(mine, entry, "accept").url
    entry.refresh_from_db()
    assert entry.status == "offered"


@pytest.mark.parametrize("sent", [{}, {"act": "x"}])
def test_a_press_of_no_button_changes_nothing(mine, sent):
    entry = offered(mine)

    assert mine.post(f"/waiting/{entry.pk}/", sent).status_code == 200
    entry.refresh_from_db()
    assert entry.status == "offered"


def test_the_message_in_the_app_leads_to_the_number(mine):
    """Of a person whom the account registered itself, too: it asked for the number."""
    RelatedPerson.objects.update(proof="registered")
    entry = offered(mine)

    assert f'href="/waiting/{entry.pk}/"' in text_of(mine.get("/messages/"))
    assert mine.get(f"/waiting/{entry.pk}/").status_code == 200


# ---- nobody else's ----


def test_another_accounts_entry_does_not_exist(mine):
    entry = join(full(), PatientFactory(), by=AccountFactory())

    assert mine.get(f"/waiting/{entry.pk}/").status_code == 404
    assert act(mine, entry, "leave").status_code == 404
    entry.refresh_from_db()
    assert entry.status == "waiting"


def test_of_a_person_it_registered_itself_an_account_sees_only_what_it_asked_for(mine):
    """B16: a name and a document number are for sale."""
    RelatedPerson.objects.update(proof="registered")
    entry = join(full(), mine.person, by=AccountFactory())

    assert mine.get(f"/waiting/{entry.pk}/").status_code == 404
    assert "候补" not in plain(mine.get("/bookings/"))


# ---- what it costs ----


@pytest.mark.parametrize("count", [1, 4])
def test_pages_ask_as_many_questions_for_a_large_family_as_for_one(mine, count, django_assert_max_num_queries):
    family = [mine.person, *(add_person(mine.user, f"周小{n}") for n in range(count - 1))]
    sessions = [full(day=DAY - timedelta(days=n)) for n in range(2)]
    for patient in family:
        for schedule in sessions:
            entry = join(schedule, patient, by=mine.user)
    another = full(day=DAY - timedelta(days=3))
    ceilings = {"/bookings/": 12, f"/waiting/{entry.pk}/": 7, door(another): 25, slots_page(another): 7}
    for path in ceilings:
        mine.get(path)
    for path, most in ceilings.items():
        with django_assert_max_num_queries(most):
            page = mine.get(path)
        assert page.status_code == 200
        weight = len(gzip.compress(page.content)) + sum(len(gzip.compress(body)) for _p, body in assets(text_of(page)))
        assert weight < MOST_BYTES, (path, weight)
