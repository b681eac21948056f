"""P10: the window looks at two records side by side, masked, and decides."""

import pytest

from hospital import patient_index
from hospital.models import AuditEvent, DuplicateSuspect, Organization, PatientMerge
from tests.factories import NOW, CommunityFactory, IdentifierFactory, PatientFactory, StaffFactory

pytestmark = pytest.mark.django_db
LIST = "/office/duplicates/"


@pytest.fixture
def pair(clerk):
    one, other = (PatientFactory(name="周志明", pinyin="zhouzhiming", phone="13900001111") for _twice in range(2))
    IdentifierFactory(patient=one, seen_at=NOW)
    patient_index.find_all(now=NOW)
    return DuplicateSuspect.objects.get()


@pytest.fixture(autouse=True)
def _at_the_window(client, stopped_clock, clerk):
    client.force_login(clerk)


def text(answer) -> str:
    return answer.content.decode()


def test_two_records_are_looked_at_merged_and_taken_apart_again(client, pair, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        assert "周*明" in text(client.get(LIST))
    page = f"{LIST}{pair.pk}/"
    shown = text(client.get(page))
    for hidden in ("周志明", "13900001111", "11010519491231002X"):
        assert hidden not in shown
    assert all(words in shown for words in ("姓名读音和手机相同", "尾号 002X", "139****1111", "相同"))
    assert AuditEvent.objects.filter(action="patient.seen.duplicates").count() == 2

    half = client.post(page, {"kept": pair.second_id, "reason": "同一身份证"})
    assert half.status_code == 422
    assert "同一身份证" in text(half)
    assert client.post(page, {"kept": pair.second_id, "reason": "同一身份证", "seen": "on"}).url == LIST
    row = PatientMerge.objects.get()
    assert (row.kept_id, row.merged_id) == (pair.second_id, pair.first_id)
    assert "没有等着核对" in text(client.get(LIST))
    again = client.post(page, {"kept": pair.first_id, "reason": "x", "seen": "on"})
    assert again.status_code == 409
    assert "已经处理过：已合并" in text(again)

    assert "同一身份证" in text(client.get(f"{LIST}merges/"))
    back = f"{LIST}merges/{row.pk}/undo/"
    assert client.post(back, {"reason": ""}).status_code == 422
    assert client.post(back, {"reason": "认错"}).status_code == 302
    assert client.post(back, {"reason": "认错"}).status_code == 409
    pair.refresh_from_db()
    assert pair.status == "different"
    late = client.post(page, {"kept": pair.first_id, "reason": "x", "seen": "on"})  # a window that was open before
    assert (late.status_code, PatientMerge.objects.count()) == (409, 1)


def test_two_people_are_told_apart_and_two_numbers_are_put_together(client, pair):
    assert client.post(f"{LIST}{pair.pk}/differ/", {"reason": ""}).status_code == 302
    assert DuplicateSuspect.objects.get().status == "open"
    client.post(f"{LIST}{pair.pk}/differ/", {"reason": "双胞胎"})
    assert DuplicateSuspect.objects.get().status == "different"
    numbers = {"one": pair.first.medical_number.lower(), "other": pair.second.medical_number}
    assert client.post(LIST, numbers).url == f"{LIST}{pair.pk}/"
    wrong = client.post(LIST, {"one": "M99999999", "other": numbers["one"]})
    assert wrong.status_code == 422
    assert "没有这个门诊号" in text(wrong)
    assert numbers["one"] in text(wrong)


@pytest.mark.parametrize(("role", "kind"), [("counter", "community"), ("triage", "hospital"), ("doctor", "hospital")])
def test_a_lower_institution_and_other_roles_do_not_leaf_through_the_index(client, pair, role, kind):
    at = CommunityFactory() if kind == "community" else Organization.objects.get(code="H1")
    client.force_login(StaffFactory(roles=role, roles__at=at))
    for path in (LIST, f"{LIST}{pair.pk}/", f"{LIST}merges/"):
        assert client.get(path).status_code == 403
    assert client.post(f"{LIST}{pair.pk}/", {"kept": pair.first_id, "reason": "x", "seen": "on"}).status_code == 403
    assert not PatientMerge.objects.exists()
