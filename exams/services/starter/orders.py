"""检查顺序的初始规则: first, second, and what holds each way."""

from typing import NamedTuple

from exams.models import Follow

GAP, OTHER_DAY = Follow.GAP, Follow.OTHER_DAY
HOUR, DAY = 60, 24 * 60


class Order(NamedTuple):
    """Sides are codes of groups. `forward`, `reverse`: (how, minutes between)."""

    name: str
    first: str
    second: str
    why: str
    forward: tuple[str, int] = (GAP, 0)
    reverse: tuple[str, int] = (OTHER_DAY, 0)
    one_sitting: bool = False
    question: str = ""
    answers: tuple[str, ...] = ()


ORDERS = (
    Order(
        "腹部超声先于消化道钡剂检查", "abdominal-us", "barium",
        "钡剂会影响腹部超声：先做超声，或在钡剂检查满 3 天后再做。", reverse=(GAP, 3 * DAY),
    ),
    Order(
        "腹部超声先于胃镜、肠镜", "abdominal-us", "endoscopy",
        "胃镜、肠镜带入的气体会影响腹部超声：同一天先做超声。",
    ),
    Order(
        "腹部超声在胆道造影 2 天后", "abdominal-us", "biliary-contrast",
        "胆道造影满 2 天后再做腹部超声，或先做超声。", reverse=(GAP, 2 * DAY),
    ),
    Order(
        "空腹检查先于憋尿检查", "fasting", "full-bladder",
        "憋尿要喝水：同一天先做完空腹检查，再喝水憋尿。",
    ),
    Order(
        "经腹超声先于经阴道超声", "transabdominal", "transvaginal",
        "经腹超声要憋尿，经阴道超声要排空膀胱：同一天先做经腹超声。",
    ),
    Order(
        "含碘与含钆对比剂间隔 4 小时", "iodine", "gadolinium",
        "含碘和含钆的增强检查要间隔 4 小时以上。", forward=(GAP, 4 * HOUR), reverse=(GAP, 4 * HOUR),
        question="renal", answers=("normal", "moderate"),
    ),
    Order(
        "肾功能重度减退：含碘与含钆对比剂的间隔", "iodine", "gadolinium",
        "肾功能重度减退或没有结果：含碘增强后隔 48 小时再做含钆增强，含钆增强后隔 7 天再做含碘增强。",
        forward=(GAP, 2 * DAY), reverse=(GAP, 7 * DAY), question="renal", answers=("severe", "unknown"),
    ),
    Order("采血先于使用对比剂的检查", "blood", "contrast", "对比剂会影响化验结果：同一天先采血。"),
    Order("空腹检查（含采血）先于需进食的检查", "fasting", "eating", "进食后就不是空腹：同一天先做完空腹检查和采血。"),
    Order(
        "无痛胃镜和无痛肠镜可一次麻醉完成", "sedated-gastroscopy", "sedated-colonoscopy",
        "无痛胃镜和无痛肠镜可以在同一次麻醉中完成。", reverse=(GAP, 0), one_sitting=True,
    ),
)  # fmt: skip
