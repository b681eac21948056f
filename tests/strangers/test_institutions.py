"""P10: what one institution holds, walked by the staff of another: every address and endpoint, by guessed id."""

import re
import uuid
from datetime import timedelta

import pytest

from hospital.models import ApiToken, Organization, Role
from tests.factories import (
    NOW,
    CommunityFactory,
    DepartmentFactory,
    OrganizationFactory,
    PractitionerFactory,
    StaffFactory,
)

from .test_guessed_ids import (
    REFERRED,
    WALK,
    _clock,  # noqa: F401  the stopped clock, of this module too
    filled,
    state,
    victim,  # noqa: F401
)

pytestmark = pytest.mark.django_db

OF_THE_HOUSE = (*REFERRED, "肝囊肿", "甲状腺超声")
"""Referrals, reports and requests are the institutions' that wrote or received them. Who the person is, the one index
tells to every window."""

ASKED = "?patient={0}&referral={0}&encounter={0}&booking={0}&request={0}&appointment={0}&report={0}"
"""What pages without an id in their address are asked for."""

EVERYTHING = [role for role in Role.values if role not in {Role.KIOSK, Role.SYSADMIN, Role.SECADMIN}]
"""The roles of a house. The two administrators look after all of them."""


@pytest.fixture
def elsewhere(db):
    """Somebody with every role in another hospital, its doctor too."""
    house = OrganizationFactory(code="H9", name="邻市人民医院")
    return _with_every_role(house)


@pytest.fixture
def other_centre(db):
    """The same in a lower institution of the same hospital: not the one that refers."""
    return _with_every_role(CommunityFactory(code="SQ7", name="另一社区"))


def _with_every_role(house: Organization):
    user = StaffFactory(roles=EVERYTHING, roles__at=house)
    PractitionerFactory(user=user, organization=house)
    DepartmentFactory(organization=house, campus=None)
    return user


def told(response) -> list[str]:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = body.decode(errors="replace") + response.headers.get("Location", "")
    return [secret for secret in OF_THE_HOUSE if secret in text]


def knock(client, path: str, *verbs: str, **more) -> list[str]:
    """What the answers tell; none may be an error of ours."""
    found = []
    for verb in verbs:
        response = getattr(client, verb)(path, {}, **more)
        assert response.status_code < 500 or response.status_code == 503, (verb, path, response.status_code)
        found += [f"{verb} {path} {secret}" for secret in told(response)]
    return found


def walked(client, pk: int, routes: str) -> list[str]:
    """Every address that matches; one with an id by a look and by an empty form (tests/strangers knocks with every
    verb)."""
    found = []
    for _name, route in WALK:
        if re.search(r"logout|accounts/", route) or not re.match(routes, route):
            continue
        verbs = ("get", "post") if "<" in route else ("get",)
        for path in filled(route, [pk]):
            found += knock(client, path if "<" in route else path + ASKED.format(pk), *verbs)
    return found


@pytest.mark.parametrize(("who", "routes"), [("elsewhere", ""), ("other_centre", "partner|ref|follow|adm|green|exam")])
def test_the_staff_of_another_institution_finds_nothing_of_this_one(client, victim, request, who, routes):  # noqa: F811
    """One test for all addresses: the person is made once, and a leak names its address."""
    client.force_login(request.getfixturevalue(who))
    before = state()
    assert walked(client, victim["booked"], routes) == []
    assert state() == before


def test_the_walk_would_have_seen_it(client, victim):  # noqa: F811
    """The staff of the house that holds it is told: reports and what came with a referral."""
    client.force_login(_with_every_role(OrganizationFactory()))
    found = " ".join(walked(client, victim["booked"], "exam-reports|referrals|admissions"))
    assert "肝囊肿" in found
    assert "胰头占位" in found


def test_a_programme_of_another_institution_finds_nothing_of_this_one(client, victim, other_centre):  # noqa: F811
    house = Organization.objects.get(code="SQ7")
    scopes = [scope for scope in ApiToken.Scope.values if scope != ApiToken.Scope.INTEGRATE]
    _token, secret = ApiToken.issue(
        name="theirs", user=other_centre, channel="partner", organization=house, scopes=scopes,
        expires_at=NOW + timedelta(days=3650),
    )  # fmt: skip
    before = state()
    for _name, route in WALK:
        if not route.startswith("api/") or "integration" in route:
            continue
        verbs = ("get", "post", "put", "delete") if "<" in route else ("get",)
        more = [""] if "<" in route else ["", f"?patient={victim['patient']}"]
        for path in (path + asked for path in filled(route, [victim["booked"], victim["held"]]) for asked in more):
            headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": str(uuid.uuid4())}
            assert knock(client, path, *verbs, content_type="application/json", headers=headers) == []
    assert state() == before
