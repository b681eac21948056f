"""The catalogue's forms (E1, E3, E4, E8): what is wrong is said in its place, what was typed is kept, nothing is half
saved; who may only read, reads."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from exams.forms.catalogue import Whole
from exams.models import ExamItem, ExamRule, ExamSet, ExamVariant, OrderingRule, Preparation, ScreeningQuestion
from hospital.models import AuditEvent, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    ExamRequestFactory,
    OrganizationFactory,
    StaffFactory,
    device_session,
    exam_booking_row,
    open_device,
)

pytestmark = pytest.mark.django_db

AT = "/office/exams"


def way(kind, **said):
    return {f"{kind}-{name}": value for name, value in said.items()}


def item(**said):
    plain = way("plain", used="on", minutes=20, before=0, after=0, price_code="EX-CT01")
    return {"code": "US77", "name": "肝脏弹性超声", "modality": "us", "valid_days": 30, "result_minutes": 60,
            "active": "on", **plain, **said}  # fmt: skip


def test_an_item_is_written_found_by_pinyin_and_changed_with_a_trail(office, house):
    """E1."""
    answer = office.post(f"{AT}/items/new/", item())
    row = ExamItem.objects.get(code="US77")
    assert answer.url == f"{AT}/items/{row.pk}/"
    for words in ("gztx", "ganzangtan", "弹性", "us77"):
        assert office.get(f"{AT}/items/?q={words}&modality=us").context["items"] == [row], words
    assert not office.get(f"{AT}/items/?q=gztx&modality=ct").context["items"]

    form = office.get(f"{AT}/items/{row.pk}/edit/").context["forms"].item
    seen = form["seen"].value()
    contrast = way("contrast", used="on", minutes=30, before=10, after=30, price_code="EX-CT01-C")
    changed = item(name="肝弹性超声", seen=seen, **contrast)
    office.post(f"{AT}/items/{row.pk}/edit/", changed)
    row.refresh_from_db()
    assert (row.name, row.initials) == ("肝弹性超声", "gtxcs")
    page = office.get(f"{AT}/items/{row.pk}/").content.decode()
    assert "检查 30 分钟；前 10 分钟；后 30 分钟" in page
    assert office.post(f"{AT}/items/{row.pk}/edit/", changed).status_code == 422  # opened before the last change
    # what is not done any more is inactive, never gone
    seen = office.get(f"{AT}/items/{row.pk}/edit/").context["forms"].item["seen"].value()
    office.post(f"{AT}/items/{row.pk}/edit/", item(seen=seen))
    assert list(row.variants.values_list("kind", "active")) == [("plain", True), ("contrast", False)]


WRONG_ITEMS = {
    "code taken": ({"code": "ct01"}, "已经有项目在用"),
    "no way": ({"plain-used": ""}, "至少要有一种检查方式"),
    "seven minutes": ({"plain-minutes": 7}, "5"),
    "a word": ({"plain-minutes": "x" * 50}, "整数"),
    "no price": ({"plain-price_code": ""}, "没有价格不能预约"),
    "no such group": ({"plain-groups": ["999999"]}, "999999"),
    "no modality": ({"modality": "zz"}, "类别"),
}


@pytest.mark.parametrize(("said", "told"), WRONG_ITEMS.values(), ids=WRONG_ITEMS.keys())
def test_a_wrong_item_is_told_and_kept(office, said, told):
    answer = office.post(f"{AT}/items/new/", item(**said))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert told in page
    assert "肝脏弹性超声" in page
    assert not ExamItem.objects.filter(name="肝脏弹性超声").exists()


def test_a_group_that_closes_a_circle_is_refused_with_it(office, house):
    """E3: rules are right, the item's groups are not: nothing of the item is saved."""
    gastroscopy = ExamItem.objects.get(code="ES01")
    page = office.get(f"{AT}/items/{gastroscopy.pk}/edit/").context["forms"]
    said = {"seen": page.item["seen"].value() or "", "active": "on"}
    said |= {name: page.item[name].value() for name in ("code", "name", "modality", "valid_days", "result_minutes")}
    for form in page.ways:
        said |= {form[name].html_name: form[name].value() or "" for name in form.fields}
    barium = [group.pk for group in ExamVariant.objects.get(item__code="XR03").groups.filter(code="barium")]
    rule = OrderingRule.objects.get(name="腹部超声先于消化道钡剂检查")
    ultrasound = ExamItem.objects.get(code="US01")
    OrderingRule.objects.filter(pk=rule.pk).update(
        first_group=barium[0], second_item=ultrasound, second_group=None, reverse="other_day", reverse_minutes=0
    )
    answer = office.post(f"{AT}/items/{gastroscopy.pk}/edit/", said | {"plain-groups": said["plain-groups"] + barium})
    assert answer.status_code == 422
    assert "胃镜 → 腹部超声 → 胃镜" in answer.content.decode()
    assert barium[0] not in gastroscopy.variants.get(kind="plain").groups.values_list("pk", flat=True)


def rule(**said):
    row = OrderingRule.objects.get(name="空腹检查先于憋尿检查")
    sides = {"first": f"g{row.first_group_id}", "second": f"g{row.second_group_id}"}
    return {"name": "空腹在前", "forward": "gap", "forward_minutes_0": "", "forward_minutes_1": 60, "reverse": "gap",
            "reverse_minutes_0": 3, "reverse_minutes_1": 1440, "why": "憋尿要喝水", "source": "2026 年科室规定",
            "note": "按新规定", "act": "save", **sides, **said}  # fmt: skip


def test_a_rule_is_previewed_written_and_approved_by_a_colleague(office, house, client, colleague):
    """E3: the preview counts whose bookings stand against it and saves nothing."""
    blood, bladder = (ExamVariant.objects.get(item__code=code) for code in ("LB01", "US04"))
    request = ExamRequestFactory(variant=bladder, organization=house)
    session = device_session(open_device(blood, bladder, days=()))
    first = exam_booking_row(request=request, session=session)
    exam_booking_row(
        request=ExamRequestFactory(variant=blood, organization=house, patient=request.patient),
        session=session, start=first.during.upper + timedelta(hours=1),
    )  # fmt: skip
    old = OrderingRule.objects.get(name="空腹检查先于憋尿检查")
    address = f"{AT}/rules/new/?base={old.pk}"
    preview = office.post(address, rule(act="preview", note=""))
    assert preview.status_code == 200
    assert preview.context["effect"].against == 1
    assert "血常规" in preview.context["effect"].firsts
    assert not OrderingRule.objects.filter(name="空腹在前").exists()

    answer = office.post(address, rule())
    new = OrderingRule.objects.get(name="空腹在前")
    assert (answer.url, new.reverse_minutes, new.replaces) == (f"{AT}/rules/{new.pk}/", 3 * 1440, old)
    page = office.get(answer.url).content.decode()
    assert "自己写的内容要由另一位同事批准" in page
    assert "核对无误" not in page
    assert office.post(f"{answer.url}approve/").status_code == 409
    client.force_login(colleague)
    assert "空腹在前" in client.get(f"{AT}/waiting/").content.decode()
    assert client.post(f"{answer.url}approve/").url == answer.url
    old.refresh_from_db()
    assert old.retired_at == NOW
    assert f"{AT}/rules/{new.pk}/" in client.get(f"{AT}/rules/{old.pk}/").content.decode()


WRONG_RULES = {
    "circle": ({"reverse": "other_day", "reverse_minutes_0": "", "turn": 1}, " → "),
    "both never": ({"forward": "never", "reverse": "never", "reverse_minutes_0": ""}, "至少留一个方向"),
    "too long": ({"reverse_minutes_0": 15}, "最长 14 天"),
    "no such side": ({"first": "g999999"}, "g999999"),
    "two questions": ({"answers": "two"}, "同一个问题"),
    "no source": ({"source": ""}, "依据"),
    "a word for a number": ({"reverse_minutes_0": "三"}, "整数"),
}


@pytest.mark.parametrize(("said", "told"), WRONG_RULES.values(), ids=WRONG_RULES.keys())
def test_a_wrong_rule_is_told_and_kept(office, house, said, told):
    """E3: a circle is shown."""
    data = rule(**said)
    if data.pop("turn", None):
        data["first"], data["second"] = data["second"], data["first"]
    if said.get("answers"):
        asked = ScreeningQuestion.objects.filter(code__in=["renal", "fever"]).prefetch_related("answers")
        data["answers"] = [f"{each.pk}:{each.answers.first().code}" for each in asked]
    answer = office.post(f"{AT}/rules/new/", data)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert "憋尿要喝水" in answer.content.decode()
    assert not OrderingRule.objects.filter(name="空腹在前").exists()


def test_a_new_question_comes_after_the_houses_own(office, house):
    last = max(ScreeningQuestion.objects.filter(organization=house).values_list("order", flat=True))
    elsewhere = OrganizationFactory(code="H2")
    ScreeningQuestion.objects.create(
        organization=elsewhere, code="x", text="？", order=900, source="院内规定", approved_by=office.user,
        approved_at=NOW,
    )  # fmt: skip

    form = office.get(f"{AT}/questions/new/").context["form"]

    assert form["order"].value() == last + 10


def test_a_question_grows_by_two_rows_and_is_saved_whole_or_not_at_all(office, house):
    """E4."""
    rows = {"answer-TOTAL_FORMS": 2, "answer-INITIAL_FORMS": 0, "answer-0-text": "是", "answer-0-effect": "refuse"}
    rows |= {"answer-1-text": "否", "answer-1-effect": "ok"}
    said = {"text": "对虾过敏吗？", "order": 5, "before_booking": "on", "source": "科室规定", "note": "新增", **rows}
    more = office.post(f"{AT}/questions/new/", said | {"act": "more"})
    assert more.status_code == 200
    assert len(more.context["form"].rows.forms) == 4
    wrong = office.post(f"{AT}/questions/new/", said | {"act": "save"})
    assert "要告诉患者为什么" in wrong.content.decode()
    assert not ScreeningQuestion.objects.filter(text="对虾过敏吗？").exists()
    office.post(f"{AT}/questions/new/", said | {"act": "save", "answer-0-sentence": "不能做。"})
    row = ScreeningQuestion.objects.get(text="对虾过敏吗？")
    assert (row.code, [answer.code for answer in row.answers.all()]) == ("dxgmm", ["s", "f"])
    assert office.post(f"{AT}/questions/{row.pk}/retire/", {"retire-why": ""}).status_code == 422
    office.post(f"{AT}/questions/{row.pk}/retire/", {"retire-why": "写错了"})
    row.refresh_from_db()
    assert (row.retired_at, row.approved_at) == (NOW, None)


def test_fasting_needs_a_latest_hour(office, house):
    said = {"name": "新准备", "text": "不吃。", "fast_minutes_0": 8, "fast_minutes_1": 60, "source": "科", "note": "改"}
    wrong = office.post(f"{AT}/preparations/new/", said | {"act": "save"})
    assert (wrong.status_code, "空腹最晚几点" in wrong.content.decode()) == (422, True)
    office.post(f"{AT}/preparations/new/", said | {"act": "save", "latest_start": "11:00"})
    assert Preparation.objects.get(name="新准备").fast_minutes == 480


def test_a_set_and_a_group_are_written(office, house):
    """E8."""
    lines = list(ExamVariant.objects.values_list("pk", flat=True)[:2])
    said = {"code": "tj", "name": "入职体检", "programme": "体检", "lines": lines, "active": "on"}
    office.post(f"{AT}/sets/new/", said)
    row = ExamSet.objects.get(code="tj")
    assert (row.initials, row.lines.count()) == ("rztj", 2)
    assert office.post(f"{AT}/sets/new/", said).status_code == 422
    assert office.post(f"{AT}/sets/{row.pk}/", said | {"lines": []}).status_code == 422
    office.post(f"{AT}/groups/new/", {"name": "放射性药物"})
    assert office.post(f"{AT}/groups/new/", {"name": "放射性药物"}).status_code == 422
    assert AuditEvent.objects.filter(action__in=["exam_set.written", "exam_group.written"]).count() == 2


def test_the_houses_numbers_are_dated_and_begin_tomorrow(office, house):
    """E5."""
    page = office.get(f"{AT}/settings/new/").context["form"]
    said = {name: page[name].value() for name in page.fields} | {"why": "试行", "effective_to": "", "noshow_limit": 2}
    today = office.post(f"{AT}/settings/new/", said | {"effective_from": TODAY})
    assert (today.status_code, "请从明天或以后开始" in today.content.decode()) == (422, True)
    wrong = office.post(f"{AT}/settings/new/", said | {"plan_days": 29, "segment_minutes": 60})
    assert wrong.status_code == 422
    answer = office.post(f"{AT}/settings/new/", said)
    new = ExamRule.objects.order_by("pk").last()
    assert (answer.url, new.noshow_limit, new.effective_from) == (f"{AT}/settings/{new.pk}/", 2, TODAY + timedelta(1))
    assert ExamRule.objects.order_by("pk").first().effective_to == TODAY
    assert "试行" in office.get(answer.url).content.decode()
    office.post(f"{answer.url}withdraw/", {"withdraw-why": "不改了"})
    assert ExamRule.objects.get().effective_to is None


@pytest.mark.parametrize("typed", ["9" * 400, "-" + "9" * 400, "481", "12"])
def test_a_number_of_any_length_is_refused_in_its_place(typed):
    """E1: no number is too long to be refused."""
    field = Whole(least=5, most=480, step=5)
    with pytest.raises(ValidationError):
        field.clean(typed)
    assert field.clean("480") == 480


def test_who_only_reads_reads(client, house):
    """O10: an auditor and an office of one department see the catalogue and no buttons; others see nothing."""
    rule = OrderingRule.objects.first()
    bound = StaffFactory(roles="office")
    RoleAssignment.objects.filter(user=bound).update(department=DepartmentFactory(organization=house))
    for reader in (StaffFactory(roles="auditor"), bound):
        client.force_login(reader)
        page = client.get(f"{AT}/rules/{rule.pk}/")
        assert page.status_code == 200
        assert "修改</a>" not in page.content.decode()
        for address in ("items/new/", "rules/new/", "settings/new/", f"rules/{rule.pk}/retire/"):
            assert client.post(f"{AT}/{address}", {"retire-why": "x"}).status_code == 403, address
    client.force_login(StaffFactory(roles="doctor"))
    assert client.get(f"{AT}/rules/").status_code == 403
    rule.refresh_from_db()
    assert rule.in_force
