"""患者登录 (O5, O4): phone, code, in. One door for patients, another for staff."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital import accounts
from hospital.fields import keyed_hash
from hospital.models import AccountPhone, AccountRule, AuditEvent, CodeSent, KnownDevice, RoleAssignment, User
from tests.factories import NOW, AccountFactory, OrganizationFactory, PatientFactory, StaffFactory

from .acts import PHONE, answer, ask, last_code, other_than, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def is_in(client) -> bool:
    return client.get("/me/").status_code == 200


def test_a_new_phone_is_in_after_its_code_and_has_an_account_without_password(client):
    """O5: the first right code opens the account."""
    assert ask(client).headers["Location"] == "/sign-in/code/"
    assert User.objects.count() == 0
    assert answer(client).headers["Location"] == "/"

    account = User.objects.get()
    assert (account.has_usable_password(), account.account_phone.phone) == (False, PHONE)
    assert PHONE not in account.username
    assert is_in(client)


def test_a_known_phone_comes_back_to_its_own_account(client):
    account = AccountFactory(phone=PHONE)
    sign_in(client)
    assert client.session["_auth_user_id"] == str(account.pk)
    assert list(AuditEvent.objects.values_list("action", flat=True)) == ["account.signed_in"]


@pytest.mark.parametrize("typed", ["+86 139 1234 5678", "139-1234-5678", "１３９１２３４５６７８"])
def test_a_phone_may_be_typed_in_many_ways(client, typed):
    sign_in(client, typed)
    assert accounts.phone_of(User.objects.get()) == PHONE


@pytest.mark.parametrize("typed", ["", "12345", "01088886666", "+1 650 253 0000"])
def test_what_can_get_no_code_is_said_at_the_field(client, typed):
    page = ask(client, typed)
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()


def test_the_choice_made_before_signing_in_is_back_afterwards(client):
    """B7: ?next= survives every page of the way, and what is not ours is dropped."""
    choice = "/book/who/?schedule=7&start=2026-11-25T08:30:00%2B08:00"
    guarded = client.get("/me/?from=here")
    assert guarded.headers["Location"] == "/sign-in/?next=/me/%3Ffrom%3Dhere"

    code_page = ask(client, after=choice).headers["Location"]
    assert choice.replace("&", "&amp;") in client.get(code_page).content.decode()
    client.post("/sign-in/code/", {"code": other_than(last_code()), "next": choice})
    assert answer(client, after=choice).headers["Location"] == choice


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_a_next_that_leads_elsewhere_is_dropped(client, elsewhere):
    assert sign_in(client, after=elsewhere).headers["Location"] == "/"


def test_the_page_and_its_work_are_the_same_for_known_and_unknown_phones():
    """O5: nobody learns from outside whether a phone has an account."""
    AccountFactory(phone=PHONE)
    pages, queries = [], []
    for phone in (PHONE, "13900000001"):
        stranger = Client()
        with CaptureQueriesContext(connection) as seen:
            response = ask(stranger, phone)
        page = stranger.get(response.headers["Location"]).content.decode()
        page = re.sub(r'139\*{4}\d{4}|name="csrfmiddlewaretoken" value="\w+"', "", page)
        pages.append((response.status_code, page))
        queries.append(len(seen))
    assert pages[0] == pages[1]
    assert queries[0] == queries[1]


def test_a_wrong_code_is_counted_and_the_third_one_ends_it(client):
    ask(client)
    right = last_code()
    first = answer(client, other_than(right))
    assert (first.status_code, "还可以再试 2 次" in first.content.decode()) == (422, True)
    answer(client, other_than(right))
    third = answer(client, other_than(right))
    assert "不能再用" in third.content.decode()
    assert answer(client, right).status_code == 422
    assert not is_in(client)
    assert AuditEvent.objects.filter(action="account.code_refused").count() == 4


@pytest.mark.parametrize("typed", ["12ab", "12345", "1234567", "一二三四五六"])
def test_what_cannot_be_a_code_costs_no_try(client, typed):
    ask(client)
    page = answer(client, typed)
    assert (page.status_code, "请输入 6 位数字" in page.content.decode()) == (422, True)
    assert CodeSent.objects.get().tries == 0


def test_after_a_code_is_used_up_the_next_is_sent_at_once_and_no_page_says_that_the_old_one_is_coming(client):
    ask(client)
    for _ in range(3):
        page = answer(client, other_than(last_code())).content.decode()
    assert ("验证码已发到" in page, 'name="code"' in page) == (False, False)
    assert "验证码已发到" not in client.get("/sign-in/code/").content.decode()

    assert client.post("/sign-in/code/", {"again": "1"}).status_code == 302
    assert "验证码已发到" in client.get("/sign-in/code/").content.decode()
    for _ in range(3):
        answer(client, other_than(last_code()))
    assert ask(client).status_code == 302  # by "another phone" and the same one again
    assert CodeSent.objects.count() == 3
    assert answer(client).status_code == 302


def test_who_must_wait_for_the_next_code_is_not_told_that_one_was_sent(client):
    ask(Client())
    page = ask(client)
    assert page.status_code == 429
    assert "请等 60 秒" in page.content.decode() or "请等 61 秒" in page.content.decode()
    assert "发过" not in page.content.decode()


def test_a_code_ends_with_its_time(client, clock):
    ask(client)
    clock.shift(timedelta(minutes=5, seconds=1))
    assert answer(client).status_code == 422
    assert not is_in(client)


def test_a_code_works_once(client):
    sign_in(client)
    used = last_code()
    slot = dict(client.session)
    client.post("/accounts/logout/")
    session = client.session
    session.update({key: value for key, value in slot.items() if key.startswith("code_")})
    session.save()
    answer(client, used)
    assert not is_in(client)


def test_a_code_is_good_only_in_the_browser_that_asked(client):
    ask(client)
    code, thief = last_code(), Client()
    assert answer(thief, code).headers["Location"] == "/sign-in/"
    ask(thief, "13900000001")
    assert answer(thief, code).status_code == 422 or code == last_code()
    assert not is_in(thief)


def test_a_newer_code_makes_the_older_one_void(client, clock):
    ask(client)
    older = last_code()
    clock.shift(timedelta(seconds=61))
    client.post("/sign-in/code/", {"again": "1"})
    if older != last_code():
        assert answer(client, older).status_code == 422
    assert answer(client).status_code == 302


def test_who_types_the_same_phone_again_is_let_on_to_the_code_on_its_way(client):
    ask(client)
    assert ask(client).headers["Location"] == "/sign-in/code/"


def test_no_trace_of_the_code_or_the_phone_is_left_in_the_session_or_the_count(client):
    ask(client)
    code = last_code()
    kept = str(dict(client.session))
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM hospital_codesent c")
        kept += cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM hospital_message")
        assert cursor.fetchone() == (0,)
    assert (code in kept, PHONE in kept) == (False, False)


def test_a_patient_stays_signed_in_for_the_days_of_the_rule(client, clock):
    AccountRule.objects.create(effective_from=NOW.date(), session_days=10)
    response = sign_in(client)
    assert response.cookies["sessionid"]["max-age"] == 10 * 86400

    clock.shift(timedelta(hours=13))  # longer than a shift, longer than any idle time of staff
    assert is_in(client)
    clock.shift(timedelta(days=9))
    assert is_in(client)  # every day of use begins them anew
    clock.shift(timedelta(days=10, seconds=1))
    assert not is_in(client)


def test_being_signed_in_costs_no_query_of_its_own(client, django_assert_num_queries):
    sign_in(client)
    client.get("/sign-in/")
    with django_assert_num_queries(2):  # session, account
        client.get("/sign-in/")


def test_staff_are_never_reached_by_code_whatever_is_attached_to_their_account():
    """O5: PostgreSQL refuses a phone for a working account, and a role for a patient's."""
    staff, account = StaffFactory(roles="office"), AccountFactory(phone=PHONE)
    for wrong in (
        lambda: AccountPhone.objects.create(
            user=staff, phone="13900000002", phone_hash=keyed_hash("phone", "13900000002")
        ),
        lambda: AccountPhone.objects.create(
            user=User.objects.create(username="root", is_superuser=True), phone="13900000003", phone_hash="x"
        ),
        lambda: RoleAssignment.objects.create(user=account, role="office", organization=OrganizationFactory()),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


def test_the_phone_of_a_doctors_own_record_opens_a_patients_account_not_the_doctors(client):
    StaffFactory(roles="doctor", username=PHONE)
    sign_in(client)
    assert User.objects.get(pk=client.session["_auth_user_id"]).role_assignments.count() == 0


def test_a_password_does_not_open_a_patients_account(client):
    account = AccountFactory(phone=PHONE)
    account.set_password("correct horse battery")
    account.save()
    response = client.post("/accounts/login/", {"login": account.username, "password": "correct horse battery"})
    assert response.status_code == 403
    assert not is_in(client)


def test_an_account_that_was_closed_is_not_opened_by_its_code(client):
    AccountFactory(phone=PHONE, is_active=False)
    assert sign_in(client).headers["Location"] == "/accounts/inactive/"
    assert not is_in(client)


def test_staff_at_the_patients_door_hear_which_door_is_theirs(client):
    client.force_login(StaffFactory(roles="doctor"))
    page = client.get("/sign-in/")
    assert page.status_code == 403
    assert "工作账号" in page.content.decode()


def test_the_two_doors_lead_to_each_other_and_keep_the_way(client):
    assert "/accounts/login/?next=%2Fbook%2F" in client.get("/sign-in/?next=/book/").content.decode()
    assert "/sign-in/?next=%2Fbook%2F" in client.get("/accounts/login/?next=/book/").content.decode()


def test_signing_out_ends_the_session_and_leaves_a_trace(client):
    sign_in(client)
    client.post("/accounts/logout/")
    assert not is_in(client)
    assert AuditEvent.objects.filter(action="account.signed_out").count() == 1


def test_the_browser_that_signed_in_is_known_by_a_digest_of_its_mark(client):
    sign_in(client)
    mark = client.cookies["device"].value
    assert KnownDevice.objects.get().digest == keyed_hash("device", mark)


def test_outside_a_demo_nobody_sees_codes(client, settings):
    ask(client)
    assert last_code() in client.get("/sign-in/inbox/").content.decode()
    assert last_code() not in Client().get("/sign-in/inbox/").content.decode()
    settings.DEMO = False
    assert client.get("/sign-in/inbox/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_at_once_make_one_account():
    def first(_):
        try:
            return accounts.open_account(phone=PHONE, now=NOW).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as crowd:
        assert len(set(crowd.map(first, range(8)))) == 1
    assert User.objects.count() == 1


def test_the_home_page_of_a_patient_is_the_patients_own(client):
    assert client.get("/").headers["Location"] == "/book/"
    client.force_login(AccountFactory())
    assert client.get("/").headers["Location"] == "/book/"


def test_the_account_page_shows_masked_names_and_phone(client):
    account = AccountFactory(phone=PHONE)
    PatientFactory(name="周志明", account=account)
    client.force_login(account)
    page = client.get("/me/").content.decode()
    assert ("周*明" in page, "周志明" in page, "139****5678" in page, PHONE in page) == (True, False, True, False)
