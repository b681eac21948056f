"""Items with their ways, groups and sets. Minutes, prices and validity are a hospital's own: a start to be edited."""

from decimal import Decimal
from typing import NamedTuple

from exams.models import ExamVariant, Modality

PLAIN, CONTRAST, SEDATED = ExamVariant.Kind.PLAIN, ExamVariant.Kind.CONTRAST, ExamVariant.Kind.SEDATED
WEEK, MONTH, QUARTER, HALF_YEAR = 7, 30, 90, 180
HOUR, DAY = 60, 24 * 60

GROUPS = {
    "fasting": "空腹检查",
    "full-bladder": "憋尿检查",
    "eating": "需进食的检查",
    "blood": "检验采血",
    "abdominal-us": "腹部超声",
    "transabdominal": "经腹盆腔超声",
    "transvaginal": "经阴道超声",
    "barium": "消化道钡剂",
    "biliary-contrast": "胆道造影",
    "radiation": "放射检查（X线、CT、核医学）",
    "iodine": "含碘对比剂",
    "gadolinium": "含钆对比剂",
    "contrast": "使用对比剂",
    "mri": "磁共振",
    "endoscopy": "胃肠镜",
    "colonoscopy": "肠镜",
    "sedated": "无痛（麻醉）",
    "sedated-gastroscopy": "无痛胃镜",
    "sedated-colonoscopy": "无痛肠镜",
}


class Way(NamedTuple):
    """`preparation`: a key of leaflets.LEAFLETS. `price` in yuan."""

    minutes: int
    price: str
    groups: tuple[str, ...] = ()
    preparation: str = ""
    kind: str = PLAIN
    before: int = 0
    after: int = 0

    @property
    def amount(self) -> Decimal:
        return Decimal(self.price)


class Item(NamedTuple):
    code: str
    name: str
    body_part: str
    modality: str
    valid_days: int
    result_minutes: int
    simple: bool
    ways: tuple[Way, ...]


def _ultrasound(code: str, name: str, part: str, way: Way, *, simple: bool = True) -> Item:
    return Item(code, name, part, Modality.ULTRASOUND, MONTH, HOUR // 2, simple, (way,))


ULTRASOUND = (
    _ultrasound("US01", "腹部超声", "腹部", Way(15, "110", ("fasting", "abdominal-us"), "us-abdomen")),
    _ultrasound("US02", "经腹盆腔超声", "盆腔", Way(15, "95", ("full-bladder", "transabdominal"), "us-bladder")),
    _ultrasound("US03", "经阴道超声", "盆腔", Way(15, "130", ("transvaginal",), "us-empty"), simple=False),
    _ultrasound("US04", "膀胱超声", "膀胱", Way(10, "80", ("full-bladder",), "us-bladder")),
    _ultrasound("US05", "心脏超声", "心脏", Way(20, "180")),
    _ultrasound("US06", "甲状腺超声", "颈部", Way(10, "90")),
    _ultrasound("US07", "乳腺超声", "乳腺", Way(10, "90")),
    _ultrasound("US08", "颈动脉超声", "颈部", Way(15, "140")),
    _ultrasound("US09", "产科超声", "胎儿", Way(20, "150"), simple=False),
    _ultrasound(
        "US10", "胆囊收缩功能超声", "胆囊", Way(20, "160", ("fasting", "eating"), "us-abdomen", after=40), simple=False
    ),
)


def _ct(code: str, name: str, part: str, plain: tuple[int, str] | None, contrast: tuple[int, str]) -> Item:
    """`contrast`: fifteen minutes for the needle before, thirty of watching after."""
    groups = ("radiation", "fasting", "iodine", "contrast")
    ways = [Way(*plain, ("radiation",))] if plain else []
    ways.append(Way(*contrast, groups, "ct-contrast", CONTRAST, before=15, after=30))
    return Item(code, name, part, Modality.CT, QUARTER, 2 * HOUR, False, tuple(ways))


CT = (
    _ct("CT01", "胸部CT", "胸部", (10, "230"), (20, "520")),
    _ct("CT02", "腹部CT", "腹部", (10, "240"), (25, "560")),
    _ct("CT03", "头颅CT", "头部", (10, "220"), (20, "500")),
    _ct("CT04", "冠状动脉CT造影", "心脏", None, (30, "980")),
)


def _mri(code: str, name: str, part: str, plain: tuple[int, str], contrast: tuple[int, str] | None, abdomen=False):
    groups = ("fasting", "mri") if abdomen else ("mri",)
    leaflet = "mri-abdomen" if abdomen else "mri"
    ways = [Way(*plain, groups, leaflet)]
    if contrast:
        agent = (*groups, "gadolinium", "contrast")
        ways.append(Way(*contrast, agent, f"{leaflet}-contrast", CONTRAST, before=10))
    return Item(code, name, part, Modality.MRI, QUARTER, 4 * HOUR, False, tuple(ways))


MRI = (
    _mri("MR01", "头颅磁共振", "头部", (20, "480"), (35, "860")),
    _mri("MR02", "腹部磁共振", "腹部", (30, "540"), (45, "960"), abdomen=True),
    _mri("MR03", "腰椎磁共振", "腰椎", (20, "480"), None),
    _mri("MR04", "膝关节磁共振", "膝", (20, "480"), None),
)


def _xray(code: str, name: str, part: str, minutes: int, price: str, *groups: str, days=QUARTER, hours=2, simple=False):
    way = Way(minutes, price, ("radiation", *groups))
    return Item(code, name, part, Modality.XRAY, days, hours * HOUR, simple, (way,))


XRAY = (
    _xray("XR01", "胸部正位片", "胸部", 5, "65", days=MONTH, hours=1, simple=True),
    _xray("XR02", "腰椎正侧位片", "腰椎", 10, "95", hours=1, simple=True),
    _xray("XR03", "上消化道钡餐", "上消化道", 30, "180", "barium"),
    _xray("XR04", "结肠钡剂灌肠", "结肠", 40, "220", "barium"),
    _xray("XR05", "胆道造影", "胆道", 30, "380", "biliary-contrast", "iodine", "contrast", days=MONTH),
)


def _scope(code: str, name: str, part: str, leaflet: str, plain: tuple[int, str], sedated: tuple[int, str]) -> Item:
    groups = ("fasting", "endoscopy", "colonoscopy") if leaflet == "colonoscopy" else ("fasting", "endoscopy")
    asleep = (*groups, "sedated", f"sedated-{leaflet}")
    ways = (
        Way(*plain, groups, leaflet),
        Way(*sedated, asleep, f"{leaflet}-sedated", SEDATED, before=15, after=45),
    )
    return Item(code, name, part, Modality.ENDOSCOPY, HALF_YEAR, HOUR, False, ways)


ENDOSCOPY = (
    _scope("ES01", "胃镜", "上消化道", "gastroscopy", (15, "280"), (30, "780")),
    _scope("ES02", "肠镜", "结直肠", "colonoscopy", (30, "360"), (40, "890")),
)

FUNCTION = (
    Item("EC01", "心电图", "心脏", Modality.ECG, MONTH, HOUR // 2, True, (Way(5, "28"),)),
    Item("EC02", "动态心电图", "心脏", Modality.ECG, QUARTER, 3 * DAY, True, (Way(15, "210"),)),
    Item("TM01", "平板运动试验", "心脏", Modality.TREADMILL, QUARTER, 2 * HOUR, False, (Way(40, "240", after=15),)),
    Item(
        "NM01",
        "全身骨显像",
        "全身",
        Modality.NUCLEAR,
        QUARTER,
        DAY,
        False,
        (Way(30, "650", ("radiation",), before=180),),
    ),
    Item(
        "NM02",
        "甲状腺显像",
        "颈部",
        Modality.NUCLEAR,
        QUARTER,
        DAY,
        False,
        (Way(20, "320", ("radiation",), before=20),),
    ),
    Item("PF01", "肺通气功能", "肺", Modality.LUNG, QUARTER, HOUR, True, (Way(20, "120"),)),
    Item("PF02", "支气管舒张试验", "肺", Modality.LUNG, QUARTER, HOUR, False, (Way(45, "180"),)),
)


def _blood(code: str, name: str, price: str, hours: int = 4) -> Item:
    way = Way(5, price, ("fasting", "blood"), "blood")
    return Item(code, name, "血液", Modality.LAB, WEEK, hours * HOUR, True, (way,))


LAB = (
    _blood("LB01", "血常规", "20", 1),
    _blood("LB02", "肝功能", "68"),
    _blood("LB03", "肾功能", "46"),
    _blood("LB04", "空腹血糖", "8", 2),
    _blood("LB05", "血脂", "55"),
    _blood("LB06", "凝血功能", "60", 2),
    _blood("LB07", "甲状腺功能", "150", 24),
)

ITEMS = (*ULTRASOUND, *CT, *MRI, *XRAY, *ENDOSCOPY, *FUNCTION, *LAB)


class Set(NamedTuple):
    """`lines`: (item code, kind)."""

    code: str
    name: str
    programme: str
    lines: tuple[tuple[str, str], ...]


def _set(code: str, name: str, programme: str, *items: str, **special: str) -> Set:
    """`special`: the kind of an item that is not done the plain way."""
    return Set(code, name, programme, tuple((item, special.get(item, PLAIN)) for item in items))


SETS = (
    _set("CQ", "产前检查（初次）", "产检", "US09", "LB01", "LB02", "LB03", "LB04", "LB07", "EC01"),
    _set("JZ", "减重门诊评估", "减重", "US01", "US05", "LB02", "LB03", "LB04", "LB05", "PF01", "EC01"),
    _set("SQ", "术前检查", "术前", "LB01", "LB02", "LB03", "LB06", "EC01", "XR01", "PF01"),
    _set("CW", "胃肠联合检查（无痛）", "消化", "US01", "ES01", "ES02", ES01=SEDATED, ES02=SEDATED),
    _set("XX", "心血管评估", "心血管", "US05", "US08", "EC01", "EC02", "TM01", "LB05"),
)
