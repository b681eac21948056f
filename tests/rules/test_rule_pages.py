"""P1, P3-P7, B4, O10: rules on the office's pages; whatever is wrong is said in its place and nothing is half saved."""

from datetime import date, timedelta

import pytest

from appointments.models import BookingRule, BulkAct, ChannelRule, ConsultLevelRule, PartnerGroup, SupplyRule
from appointments.services.defaults import ensure_defaults
from hospital.models import AuditEvent, Organization
from tests.factories import TODAY, DepartmentFactory, OrganizationFactory, StaffFactory, TemplateFactory
from tests.supply.scenes import hospital, lay_out  # noqa: F401 - the fixture

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)
NEW = "/office/rules/new"


@pytest.fixture
def house():
    organization = OrganizationFactory()
    ensure_defaults(organization)
    return organization


def shares(*rows, **more):
    """Fields of the share rows: (pool, percent, opens_days, opens_time, recall, shared_days, shared_time)."""
    names = ("pool", "percent", "opens_days", "opens_time", "recall", "shared_days", "shared_time")
    data = {"share-TOTAL_FORMS": len(rows), "share-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        data |= {f"share-{place}-{name}": value for name, value in zip(names, row, strict=False)}
    return {"name": "试行", "effective_from": TOMORROW, "why": "市里要求", "no_floor": "on", **data, **more}


CONSULT = ("consult", 40, 92, "00:00", "days", 2, "22:00")
PUBLIC = ("public", 60, 7, "07:00", "")


def test_the_lists_show_what_holds_what_will_and_what_did(office, house):
    SupplyRule.objects.update(effective_to=TODAY)
    coming = SupplyRule.objects.create(organization=house, name="明天的", effective_from=TOMORROW)
    page = office.get("/office/rules/")
    board = page.context["board"]
    assert [len(group) for group in (board.now, board.coming, board.past)] == [1, 1, 0]
    assert "D−10 07:00 开放，D−7 07:00 回收到公共" in page.content.decode()
    assert board.coming[0].rule == coming
    for kind in ("booking", "channel", "level", "nonsense"):
        assert office.get(f"/office/rules/?kind={kind}&house=x&department=y").status_code == 200
    ChannelRule.objects.filter(channel="app").delete()
    assert "手机" in office.get("/office/rules/?kind=channel").content.decode().split("约不到任何号")[1][:200]


def test_a_supply_rule_is_changed_by_a_new_row(office, house):
    old = SupplyRule.objects.get()
    form = office.get(f"{NEW}/supply/?base={old.pk}").content.decode()
    assert 'value="36"' in form
    answer = office.post(f"{NEW}/supply/?base={old.pk}", shares(CONSULT, PUBLIC, ("", "", "", "", "")))

    new = SupplyRule.objects.get(name="试行")
    assert answer.url == f"/office/rules/supply/{new.pk}/"
    assert [(row.kind, row.percent) for row in new.shares.order_by("id")] == [("consult", 40), ("public", 60)]
    page = office.get(answer.url).content.decode()
    assert "市里要求" in page
    assert "36%" in page  # what it was before
    assert office.get(f"/office/rules/supply/{old.pk}/").context["after"] == new


BAD = {
    "over a hundred": (shares(CONSULT, ("public", 70, 7, "07:00", "")), "超出 10%"),
    "under": (shares(CONSULT), "还差 60%"),
    "negative": (shares(("public", -10, 7, "07:00", "")), "1 到 100"),
    "absurd": (shares(("public", 99999999999999999999, 10**30, "07:00", "")), "1 到 100"),
    "no number": (shares(("public", "一半", 7, "07:00", "")), "整数"),
    "opens after its recall": (shares(("consult", 40, 1, "08:00", "days", 2, "22:00"), PUBLIC), "谁也约不上"),
    "recall without its day": (shares(("consult", 40, 9, "08:00", "days", "", ""), PUBLIC), "请填提前几天回收"),
    "a pool of nobody": (shares(("partner:group:999", 40, 9, "08:00", "")), "选项"),
    "percent without pool": (shares(("", 40, 9, "08:00", "")), "请选号池"),
    "the past": (shares(CONSULT, PUBLIC, effective_from=TODAY - timedelta(days=1)), "不能从过去开始"),
    "the year 9999": (shares(CONSULT, PUBLIC, effective_from="9999-12-31"), "一年以后"),
    "ends before it begins": (shares(CONSULT, PUBLIC, effective_to=TODAY), "不能早于生效日"),
    "no date": (shares(CONSULT, PUBLIC, effective_from="2026-13-45"), "有效的日期"),
    "no reason": (shares(CONSULT, PUBLIC, why="  "), "请填写“原因”"),
    "nothing kept on site": (shares(CONSULT, PUBLIC, no_floor=""), "没有给现场留号"),
    "no rows": ({"name": "甲", "why": "乙", "effective_from": TOMORROW}, "没有保存"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_in_place_what_was_typed_is_kept_and_nothing_saved(office, house, case):
    data, sentence = BAD[case]
    page = office.post(f"{NEW}/supply/", data)

    assert page.status_code == 422
    text = page.content.decode()
    assert sentence in text
    if data.get("share-0-percent"):
        assert f'value="{data["share-0-percent"]}"' in text
    assert SupplyRule.objects.count() == 1
    assert not AuditEvent.objects.filter(action__startswith="rule.").exists()


def test_two_more_rows_are_given_without_saving(office, house):
    page = office.post(f"{NEW}/supply/", shares(CONSULT, PUBLIC, more="1"))
    assert page.status_code == 200
    assert page.content.decode().count('-percent"') >= 4 * 2
    assert SupplyRule.objects.count() == 1


def test_two_people_change_one_rule_and_the_second_is_told(office, house):
    old = SupplyRule.objects.get()
    said = shares(CONSULT, PUBLIC, seen=old.pk)
    assert office.post(f"{NEW}/supply/?base={old.pk}", said).status_code == 302
    page = office.post(f"{NEW}/supply/?base={old.pk}", said | {"effective_from": TOMORROW + timedelta(days=3)})
    assert page.status_code == 422
    assert "刚被别人改过" in page.content.decode()


def test_booking_channel_and_level_rules_are_written_too(office, house):
    """B4, B7."""
    booking = BookingRule.objects.get()
    page = office.get(f"{NEW}/booking/?base={booking.pk}")
    initial = {field.name: field.value() for field in page.context["form"]}
    data = {name: "" if value is None else value for name, value in initial.items()} | {"why": "减少爽约"}
    bad = office.post(f"{NEW}/booking/?base={booking.pk}", data | {"segment_minutes": 45, "limit_week": 1})
    assert bad.status_code == 422
    assert "应在 1 到 30 之间" in bad.content.decode()
    assert "不能少于一天的限额" in bad.content.decode()
    assert office.post(f"{NEW}/booking/?base={booking.pk}", data | {"limit_day": 3}).status_code == 302
    assert BookingRule.objects.latest("pk").limit_day == 3

    web = ChannelRule.objects.get(channel="web")
    said = {"effective_from": TOMORROW, "why": "试行", "kinds": ["public", "counter"]}
    assert "留给现场" in office.post(f"{NEW}/channel/?base={web.pk}", said).content.decode()
    assert office.post(f"{NEW}/channel/?base={web.pk}", said | {"kinds": ["public", "consult"]}).status_code == 302
    assert ChannelRule.objects.filter(channel="web").count() == 2

    levels = ConsultLevelRule.objects.get()
    said = {"effective_from": TOMORROW, "why": "试点先开普通"}
    assert "至少选一个级别" in office.post(f"{NEW}/level/?base={levels.pk}", said).content.decode()
    assert office.post(f"{NEW}/level/?base={levels.pk}", said | {"levels": ["general"]}).status_code == 302
    assert ConsultLevelRule.objects.latest("pk").levels == ["general"]


def test_a_rule_is_ended_or_withdrawn_with_a_reason(office, house):
    office.post(f"{NEW}/supply/", shares(CONSULT, PUBLIC, department=DepartmentFactory().pk))
    rule = SupplyRule.objects.get(name="试行")
    assert office.post(f"/office/rules/supply/{rule.pk}/withdraw/", {}).status_code == 422
    assert office.post(f"/office/rules/supply/{rule.pk}/withdraw/", {"withdraw-why": "写错"}).status_code == 302
    assert SupplyRule.objects.count() == 1

    rule = SupplyRule.objects.create(
        organization=house, department=DepartmentFactory(), effective_from=date(2026, 1, 1), name="科室的"
    )
    page = office.post(f"/office/rules/supply/{rule.pk}/end/", {"last_day": "2026-11-01", "why": "完了"})
    assert "不能早于今天" in page.content.decode()
    assert office.post(f"/office/rules/supply/{rule.pk}/end/", {"last_day": TODAY, "why": "完了"}).status_code == 302
    own = SupplyRule.objects.get(department=None)
    answer = office.post(f"/office/rules/supply/{own.pk}/end/", {"last_day": TODAY, "why": "完了"})
    assert "全院的规则不能直接结束" in answer.content.decode()


def test_an_office_of_one_department_writes_its_own_rules_only(client, house):
    """O10."""
    mine, theirs = DepartmentFactory(), DepartmentFactory()
    user = StaffFactory(roles="office")
    user.role_assignments.update(department=mine)
    client.force_login(user)
    own = SupplyRule.objects.get()

    assert "修改" not in client.get("/office/rules/").content.decode().split("今天有效")[1].split("将要生效")[0]
    assert client.get(f"{NEW}/supply/?base={own.pk}").status_code == 403
    assert client.get(f"{NEW}/channel/").status_code == 403
    assert client.post(f"{NEW}/supply/", shares(CONSULT, PUBLIC)).status_code == 422
    assert client.post(f"{NEW}/supply/", shares(CONSULT, PUBLIC, department=theirs.pk)).status_code == 422
    assert client.post(f"{NEW}/supply/", shares(CONSULT, PUBLIC, department=mine.pk)).status_code == 302
    assert client.get("/office/partners/new/").status_code == 403


def test_an_auditor_reads_rules_and_cannot_touch_them(client, house):
    client.force_login(StaffFactory(roles="auditor"))
    rule = SupplyRule.objects.get()
    for path in ("/office/rules/", f"/office/rules/supply/{rule.pk}/", "/office/partners/", "/office/why/"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert "修改" not in page.content.decode()
    assert client.get(f"{NEW}/supply/").status_code == 403
    assert client.post(f"/office/rules/supply/{rule.pk}/reshare/").status_code == 403
    assert client.post("/office/why/", {"q": "13800136210"}).status_code == 403


def test_a_rule_of_another_house_is_not_there(office, house):
    other = Organization.objects.create(code="H9", name="别院")
    rule = SupplyRule.objects.create(organization=other, effective_from=TOMORROW)
    assert office.get(f"/office/rules/supply/{rule.pk}/").status_code == 404
    assert office.get(f"{NEW}/supply/?base={rule.pk}").status_code == 404


def test_a_change_of_laid_out_numbers_is_previewed_first(office, hospital):  # noqa: F811
    TemplateFactory(numbers=10)
    lay_out(hospital)
    office.post(f"{NEW}/supply/?base={SupplyRule.objects.get().pk}", shares(CONSULT, PUBLIC))
    rule = SupplyRule.objects.get(name="试行")
    page = office.get(f"/office/rules/supply/{rule.pk}/")
    assert page.context["laid_out"] == 1
    answer = office.post(
        f"/office/rules/supply/{rule.pk}/reshare/",
        {"reshare-first": TOMORROW, "reshare-last": TOMORROW + timedelta(days=13), "reshare-why": "按新规则"},
    )
    act = BulkAct.objects.get()
    assert (act.kind, act.status) == ("reshare", "previewed")
    assert answer.url == f"/office/acts/{act.pk}/"
    shown = office.get(answer.url).context
    assert (shown["back"], shown["back_says"]) == (f"/office/rules/supply/{rule.pk}/", "回这条规则")
    bad = office.post(f"/office/rules/supply/{rule.pk}/reshare/", {"reshare-first": TOMORROW, "reshare-last": TODAY})
    assert bad.status_code == 422


def test_groups_of_partners_are_made_and_not_ended_while_a_rule_keeps_numbers_for_them(office, house):
    """P5."""
    branch = Organization.objects.create(code="S1", name="东街社区", kind="community", parent=house)
    said = {"name": "东片", "members": [], "why": "新协议"}
    assert "至少选一个成员" in office.post("/office/partners/new/", said).content.decode()
    assert office.post("/office/partners/new/", said | {"members": [branch.pk]}).status_code == 302
    group = PartnerGroup.objects.get()
    assert "已有同名" in office.post("/office/partners/new/", said | {"members": [branch.pk]}).content.decode()
    page = office.get("/office/partners/").content.decode()
    assert "东片" in page
    kept = (f"partner:group:{group.pk}", 40, 12, "07:00", "days", 7, "07:00")
    assert office.post(f"{NEW}/supply/", shares(kept, PUBLIC)).status_code == 302

    ended = {"name": "东片", "members": [branch.pk], "why": "协议到期"}
    answer = office.post(f"/office/partners/{group.pk}/", ended)
    assert answer.status_code == 422
    assert "还给东片留着号" in answer.content.decode()
    group.refresh_from_db()
    assert group.active
