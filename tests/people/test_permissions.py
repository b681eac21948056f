"""岗位与权限: every address of the house, as a stranger and as somebody without the role (O10, O5)."""

import re
import uuid

import pytest
from django.urls import URLPattern, get_resolver, resolve

from hospital import permissions
from hospital.models import RoleAssignment
from tests.factories import DepartmentFactory, OrganizationFactory, PractitionerFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

PUBLIC = {  # open to strangers, each with its reason
    "healthz-live",  # load balancers
    "healthz-ready",
    "set_language",
    "account_login",
    "account_inactive",
    "account_reset_password",  # tells whom to ask, resets nothing
    "screen_department",  # the waiting room's screen: masked names only
    "screen_campus",
    "exam_screen",  # before the devices: masked names only
    "home",  # leads strangers and patients to the patients' home page
    "edition",  # larger text is for everybody
    "sign_in",
    "sign_in_code",
    "sign_in_person",
    "sign_in_inbox",  # in a demo: the codes that this very browser asked for
    "patient_home",  # who works here and when is no secret; who comes is
    "departments",
    "doctors",
    "doctor_slots",
    "team_slots",
    "clinic_slots",
    "book_back",  # to the times, from the address alone
    "report_link",  # likewise, and the last four of the document: tests/exams/reports/test_links.py
    "report_link_close",
    "report_link_file",
    "prices",  # the published price list
    "pay",  # whoever has the link pays; names of clinics and exams only for the account's own people
    "pay_start",
    "pay_look",
    "pay_leave",
    "pay_state",
    "insurance",  # likewise, and a stranger says the last four of the document: tests/billing/insurance/test_pages.py
    "insurance_look",
    "payment_back",  # from the gateway's page, by the order's number, to what was paid
    "payment_callback",  # a gateway: known by its signature alone
    "receipt_check",  # whoever holds a receipt sees whether it counts; not what it was for
    "stop_answer",  # the key in the address is the permission; without a right one there is nothing to see
    "case_answer",  # likewise, after a device went down: the answer link of the message
    "api_schema",
    "api_docs",
    "notice",  # nobody signs in to read what signing in means
    "notice_version",
}
DOORS = ("/accounts/login/", "/sign-in/?next=")  # the staff's and the patients'
EVERYBODY_INSIDE = {"messages", "messages-read", "inbox"}  # any account, whatever its role
OWN_RULES = ("account_", "mfa_")  # one's own account; walked in test_sign_in
VALUES = {"int": "1", "uuid": str(uuid.uuid4()), "str": "x", "slug": "x", "kind": "rules"}


def addresses(patterns=None, prefix="/", names=()):
    """(name, path) of every address outside the admin, with a value for each part that varies."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if getattr(pattern, "app_name", "") == "admin":
            continue
        if isinstance(pattern, URLPattern):
            yield pattern.name, prefix + filled(pattern.pattern)
        else:
            yield from addresses(pattern.url_patterns, prefix + filled(pattern.pattern))


def filled(pattern) -> str:
    if hasattr(pattern, "_route"):
        text = str(pattern._route)
        for name, converter in pattern.converters.items():
            kind = type(converter).__name__.replace("Converter", "").lower().replace("string", "str")
            text = re.sub(rf"<(?:\w+:)?{name}>", VALUES[kind], text)
        return text
    text = re.sub(r"\(\?P<\w+>\\d\+\)", "1", pattern.regex.pattern)
    text = re.sub(r"\(\?P<\w+>(\w+)(\|\w+)+\)", r"\1", text)
    return text.strip("^$")


def walk():
    return sorted((name, path) for name, path in addresses() if name and not name.startswith(OWN_RULES))


def ask(client, path):
    """GET, or POST where the address takes nothing else (and a GET is sent back to the page of its button)."""
    response = client.get(path)
    elsewhere = response.status_code == 302 and not response.headers["Location"].startswith(DOORS)
    if response.status_code != 405 and not elsewhere:
        return response
    if path.startswith("/api/"):
        return client.post(path, {"patient": 1}, content_type="application/json", headers={"Idempotency-Key": "k"})
    return client.post(path)


def test_the_walk_sees_the_whole_house():
    names = {name for name, _path in walk()}
    assert {"home", "consult", "consult_lines", "desk", "desk_give", "api_book", "desk_act"} <= names
    assert len(names) > 25


@pytest.mark.parametrize(("name", "path"), walk(), ids=lambda part: part if "/" not in part else "")
def test_a_stranger_sees_only_what_is_public(client, name, path):
    response = ask(client, path)
    if name in PUBLIC:
        assert not response.headers.get("Location", "").startswith(DOORS)
        return
    turned_away = response.status_code in {401, 403} or (
        response.status_code == 302 and response.headers["Location"].startswith(DOORS)
    )
    assert turned_away, (path, response.status_code)


@pytest.mark.parametrize(("name", "path"), walk(), ids=lambda part: part if "/" not in part else "")
def test_who_has_no_such_role_hears_so(client, name, path):
    if name in PUBLIC | EVERYBODY_INSIDE:
        return
    theirs = getattr(resolve(path).func, "roles", ())
    client.force_login(StaffFactory(roles="kiosk" if "cashier" in theirs else "cashier"))
    refused = 401 if path.startswith("/api/") else 403  # a program's only credential is its token
    assert ask(client, path).status_code == refused, path


def test_somebody_without_any_role_sees_a_landing_page_that_says_whom_to_ask(client):
    client.force_login(UserFactory())
    assert "这个账号还没有岗位" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("role", "tiles"),
    [
        ("doctor", ["/consult/", "/my/schedule/", "/exam-reports/", "/critical/", "/inbox/"]),
        ("phone", ["/phone/", "/office/calls/", "/inbox/"]),
        ("ward", ["/consult/", "/phone/", "/exam-reports/", "/critical/", "/admissions/", "/inbox/"]),
        ("triage", ["/desk/", "/exam-rooms/", "/inbox/"]),
        ("counter", ["/desk/", "/office/duplicates/", "/inbox/"]),
        ("exam", ["/exam-centre/", "/exam-reports/", "/critical/", "/exam-rooms/", "/inbox/"]),
        ("office", ["/desk/", "/office/duplicates/", "/critical/", "/office/", "/admin/", "/inbox/"]),
        ("auditor", ["/finance/", "/office/", "/admin/", "/inbox/"]),
        ("finance", ["/finance/", "/inbox/"]),
        ("secadmin", ["/admin/", "/inbox/"]),
        ("cashier", ["/cashier/", "/inbox/"]),
    ],
)
def test_the_landing_page_shows_the_rooms_of_the_role_and_they_open(client, role, tiles):
    user = StaffFactory(roles=role)
    PractitionerFactory(user=user)
    client.force_login(user)
    page = client.get("/")
    shown = [tile.address for tile in page.context["tiles"]]
    assert shown == tiles
    for address in shown:
        assert client.get(address).status_code == 200, address


def test_a_doctors_role_without_a_doctor_behind_the_account_opens_no_room(client):
    client.force_login(StaffFactory(roles="ward"))
    assert [tile.address for tile in client.get("/").context["tiles"]] == [
        "/phone/",
        "/exam-reports/",
        "/critical/",
        "/admissions/",
        "/inbox/",
    ]


def test_a_role_of_one_department_does_not_reach_its_neighbour():
    user, hospital = StaffFactory(), OrganizationFactory()
    mine, other = DepartmentFactory(organization=hospital), DepartmentFactory(organization=hospital)
    RoleAssignment.objects.create(user=user, role="doctor", organization=hospital, department=mine)
    assert permissions.may_act_for(user, mine, "doctor")
    assert not permissions.may_act_for(user, other, "doctor")
    assert not permissions.may_act_for(user, mine, "office")


def test_a_role_at_one_institution_does_not_reach_another():
    user = StaffFactory(roles="office")
    other = OrganizationFactory(code="H2", name="另一家医院")
    assert permissions.organizations_of(user, "office") == {OrganizationFactory().pk}
    assert not permissions.may_act_in(user, other.pk, "office")


def test_a_superuser_sets_up_the_house_but_is_no_doctor():
    root = UserFactory(is_superuser=True)
    assert permissions.has_role(root, "secadmin")
    assert permissions.may_open_the_admin(root)
    assert not permissions.may_consult(root)
    assert not permissions.may_search_patients(root)


def test_a_deactivated_account_has_no_role():
    user = StaffFactory(roles="doctor")
    user.is_active = False
    assert permissions.roles_of(user) == frozenset()


def test_a_refused_page_says_what_to_do_next(client):
    client.force_login(StaffFactory(roles="cashier"))
    page = client.get("/consult/")
    assert page.status_code == 403
    assert "您的岗位没有这项权限" in page.content.decode()
