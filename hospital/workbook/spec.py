"""The sheets of a hospital's workbook: what each column holds, in the words of the people who fill it in."""

from datetime import date, time
from decimal import Decimal

from hospital.workbook.cells import YES_NO, Choice, Code, Codes, Day, Money, Text, TimeOfDay, WholeNumber, words
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Column, Sheet

CODE = Code(longest=20)
WEEKDAYS = {"周一": 1, "周二": 2, "周三": 3, "周四": 4, "周五": 5, "周六": 6, "周日": 7}
HALVES = {"上午": "am", "下午": "pm", "夜间": "ev"}
WEEKS = {"每周": "every", "单周": "odd", "双周": "even"}
KINDS = {"医院": "hospital", "社区卫生服务中心": "community", "乡镇卫生院": "town"}
SERVICE_KINDS = {
    "门诊": "clinic", "专家团队": "team", "多学科": "mdt", "药学门诊": "pharmacy", "护理门诊": "nursing",
    "线上复诊": "online",
}  # fmt: skip
LEVELS = {
    "普通": "general",
    "专科": "specialty",
    "副主任医师": "associate",
    "主任医师": "chief",
    "知名专家团队": "team",
}
DAY_KINDS = {"放假": "holiday", "调休上班": "workday"}
ACTORS = {"医生": "doctor", "专家团队": "team", "普通门诊": "service"}
TITLES = words([
    "主任医师", "副主任医师", "主治医师", "住院医师", "主任药师", "副主任药师", "主管药师",
    "主任护师", "副主任护师", "主管护师", "主任技师", "副主任技师", "主管技师",
])  # fmt: skip

PINYIN = Column(
    "拼音", "pinyin", Text(200), default="", note=_("可空，系统自动生成；多音字姓名请核对。"), example="wangjianguo"
)
INITIALS = Column("拼音首字母", "initials", Text(40), default="", note=_("可空，系统自动生成。"), example="wjg")
ACTIVE = Column("启用", "active", YES_NO, default=True, note=_("空着算“是”。"), example="是", width=8)


def starred(header: str, name: str, kind, **more) -> Column:
    """A column that must be filled in."""
    return Column(header, name, kind, required=True, **more)


ORGANIZATIONS = Sheet(
    "organization", "机构",
    (
        starred("编码", "code", CODE, example="YY"),
        starred("名称", "name", Text(80), example="某某区人民医院", width=30),
        starred("类型", "kind", Choice(KINDS), example="医院", width=18),
        Column("简称", "short_name", Text(40), default="", example="区人民医院"),
        Column("上级机构", "parent", CODE, points_at="organization", note=_("社区填所属医院的编码。")),
        Column("电话", "phone", Text(40), default="", example="010-00000000", width=18),
        ACTIVE, PINYIN, INITIALS,
    ),
    ("code",),
)  # fmt: skip

CAMPUSES = Sheet(
    "campus", "院区",
    (
        starred("编码", "code", CODE, example="BB", note=_("全院唯一，各机构之间也不要重复。")),
        starred("名称", "name", Text(80), example="本部院区", width=24),
        starred("机构", "organization", CODE, points_at="organization", example="YY"),
        Column("地址", "address", Text(120), default="", example="某某路 1 号", width=34),
        Column("公共交通", "transit", Text(200), default="", note=_("写进预约通知，例如公交、地铁站名。"), width=44,
               example="公交 1、2 路人民医院站"),
        ACTIVE, PINYIN, INITIALS,
    ),
    ("code",),
)  # fmt: skip

DEPARTMENTS = Sheet(
    "department", "科室",
    (
        starred("编码", "code", CODE, example="XNK"),
        starred("名称", "name", Text(80), example="心血管内科", width=20),
        Column("诊疗科目", "specialty", CODE, default="", example="03.04",
               note=_("《医疗机构诊疗科目名录》代码，按文本填写；药学、护理门诊空着。")),
        starred("院区", "campus", CODE, points_at="campus", example="BB"),
        Column("系统", "group", Text(20), default="", example="内科系统", note=_("用于筛选，例如内科系统、外科系统。")),
        Column("位置", "location", Text(60), default="", example="门诊楼 3 层 A 区", width=20),
        Column("排序", "order", WholeNumber(0, 9999), default=0, example=10, width=8),
        ACTIVE, PINYIN, INITIALS,
    ),
    ("code",),
)  # fmt: skip

ROOMS = Sheet(
    "room", "诊室",
    (
        starred("编码", "code", CODE, example="BB-0312"),
        starred("名称", "name", Text(40), example="12诊室"),
        starred("院区", "campus", CODE, points_at="campus", example="BB"),
        Column("楼层", "floor", Text(20), default="", example="3层", width=8),
        Column("科室", "department", CODE, points_at="department", example="XNK",
               note=_("这间诊室平时归哪个科室；公用的空着。")),
        ACTIVE,
    ),
    ("code",),
)  # fmt: skip

SERVICES = Sheet(
    "service", "号别与价格",
    (
        starred("编码", "code", CODE, example="PT"),
        starred("名称", "name", Text(40), example="普通门诊", width=20),
        starred("类型", "kind", Choice(SERVICE_KINDS), example="门诊"),
        starred("级别", "level", Choice(LEVELS), example="普通"),
        Column("机构", "organizations", Codes(longest=20), points_at="organization", example="YY", width=24,
               note=_("空着算第一家医院；几个机构共用时用顿号分开。")),
        starred("价格", "amount", Money(), example=Decimal("15.00"), width=10,
                note=_("挂号诊察费，元。调价时另加一行：编码相同，生效日不同。")),
        starred("生效日", "effective_from", Day(), example=date(2026, 1, 1)),
        Column("不计预约限额", "limits_exempt", YES_NO, default=False, example="否",
               note=_("产检等需要反复预约的号别填“是”。")),
        ACTIVE,
    ),
    ("code", "effective_from"),
)  # fmt: skip

DOCTORS = Sheet(
    "doctor", "医生",
    (
        starred("工号", "code", CODE, example="10001"),
        starred("姓名", "name", Text(40), example="王建国", width=12),
        Column("性别", "sex", Choice({"男": "M", "女": "F"}), default="", example="男", width=8),
        starred("职称", "title", TITLES, example="主任医师"),
        starred("科室", "department", CODE, points_at="department", example="XNK"),
        starred("号别", "service", CODE, points_at="service", example="ZR",
                note=_("决定挂号费。同一医生有几种出诊身份时写几行，姓名、性别、职称要一致。")),
        Column("擅长", "specialty_text", Text(300), default="", example="冠心病、心力衰竭", width=40),
        Column("在岗", "active", YES_NO, default=True, example="是", width=8,
               note=_("空着算“是”。填“否”后他的空号不再能约。")),
        PINYIN, INITIALS,
    ),
    ("code", "department", "service"),
)  # fmt: skip

TEAMS = Sheet(
    "team", "专家团队",
    (
        starred("编码", "code", CODE, example="TD01"),
        starred("名称", "name", Text(80), example="冠心病专家团队", width=24),
        starred("科室", "department", CODE, points_at="department", example="XNK"),
        starred("号别", "service", CODE, points_at="service", example="TD"),
        starred("领衔专家", "leader", CODE, points_at="doctor", example="10001",
                note=_("工号。领衔专家的号只能由团队成员院内转诊打开。")),
        starred("成员", "members", Codes(longest=20), points_at="doctor", example="10002、10003", width=28,
                note=_("工号，不含领衔专家。患者先由成员接诊。")),
        Column("简介", "introduction", Text(300), default="", example="先看成员，需要时由领衔专家会诊", width=40),
        ACTIVE, PINYIN, INITIALS,
    ),
    ("code",),
)  # fmt: skip

CALENDAR = Sheet(
    "calendar", "节假日与调休",
    (
        starred("日期", "day", Day(), example=date(2026, 10, 1)),
        starred("类型", "kind", Choice(DAY_KINDS), example="放假"),
        starred("名称", "name", Text(40), example="国庆节", width=24),
        Column("按周几出诊", "follows", Choice(WEEKDAYS), note=_("只有调休上班才填：这一天照星期几的模板出诊。")),
        Column("机构", "organizations", Codes(longest=20), points_at="organization", width=24,
               note=_("空着算所有机构；只有几家这样安排的，用顿号分开。")),
    ),
    ("day", "organizations"),
)  # fmt: skip

HOURS = Sheet(
    "hours", "半日时间",
    (
        Column("院区", "campus", CODE, points_at="campus", example="BB", note=_("空着算所有院区。")),
        starred("半天", "half", Choice(HALVES), example="上午", width=8),
        starred("开始", "starts", TimeOfDay(), example=time(8)),
        starred("结束", "ends", TimeOfDay(), example=time(12)),
        starred("生效日", "effective_from", Day(), example=date(2026, 10, 1)),
        Column("失效日", "effective_to", Day(), example=date(2027, 4, 30),
               note=_("最后一天也算在内；空着算一直有效。")),
    ),
    ("campus", "half", "effective_from"),
)  # fmt: skip

TEMPLATES = Sheet(
    "template", "出诊模板",
    (
        starred("出诊者类型", "actor_kind", Choice(ACTORS), example="医生"),
        starred("出诊者", "actor", CODE, example="10001",
                note=_("医生填工号，专家团队填团队编码，普通门诊填号别编码。")),
        starred("科室", "department", CODE, points_at="department", example="XNK"),
        starred("号别", "service", CODE, points_at="service", example="ZR"),
        starred("诊室", "room", CODE, points_at="room", example="BB-0312"),
        starred("星期", "weekday", Choice(WEEKDAYS), example="周一", width=8),
        starred("半天", "half", Choice(HALVES), example="上午", width=8),
        Column("开始", "starts", TimeOfDay(), note=_("只有不按半日时间出诊的才填，和结束一起填。"), width=10),
        Column("结束", "ends", TimeOfDay(), width=10),
        starred("号数", "numbers", WholeNumber(1, 300), example=24, width=8),
        Column("每号分钟", "minutes", WholeNumber(1, 480), width=10,
               note=_("空着：把这半天平均分给每个号。填了：每个号这么多分钟，从开始起依次排。")),
        Column("单双周", "parity", Choice(WEEKS), default="every", example="每周", width=10,
               note=_("按国际标准周次的单双；空着算每周。")),
        starred("生效日", "effective_from", Day(), example=date(2026, 1, 1)),
        Column("失效日", "effective_to", Day(), note=_("最后一天也算在内；空着算一直有效。")),
        ACTIVE,
    ),
    ("actor_kind", "actor", "department", "service", "room", "weekday", "half", "starts", "parity", "effective_from"),
)  # fmt: skip

SHEETS = (
    ORGANIZATIONS, CAMPUSES, DEPARTMENTS, ROOMS, SERVICES, DOCTORS, TEAMS, TEMPLATES, CALENDAR, HOURS,
)  # fmt: skip
