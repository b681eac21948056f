"""准备问题的初始内容: what is asked, of whom, and what each answer means."""

from typing import NamedTuple

from exams.models import ScreeningAnswer, ScreeningQuestion

OK, WARN = ScreeningAnswer.Effect.OK, ScreeningAnswer.Effect.WARN
CHECK, REFUSE = ScreeningAnswer.Effect.CHECK, ScreeningAnswer.Effect.REFUSE
FEMALE = ScreeningQuestion.Sex.FEMALE


class Answer(NamedTuple):
    """`first`: the code of the item that must be done before."""

    code: str
    text: str
    effect: str = OK
    sentence: str = ""
    first: str = ""


class Question(NamedTuple):
    code: str
    text: str
    groups: tuple[str, ...]
    answers: tuple[Answer, ...]
    hint: str = ""
    sex: str = ""
    min_age: int | None = None
    max_age: int | None = None
    before_booking: bool = True
    source: str = ""  # the house's list of rules where none is named


NO = Answer("no", "没有")

QUESTIONS = (
    Question(
        "implant", "体内是否装有以下器械？", ("mri",),
        (
            NO,
            Answer("pacemaker", "心脏起搏器", REFUSE, "装有心脏起搏器，不能做磁共振。"),
            Answer("clip", "动脉瘤夹", REFUSE, "装有动脉瘤夹，不能做磁共振。"),
            Answer("valve", "金属瓣膜", REFUSE, "装有金属心脏瓣膜，不能做磁共振。"),
            Answer("cochlear", "人工耳蜗", REFUSE, "装有人工耳蜗，不能做磁共振。"),
            Answer("unsure", "做过植入手术，说不清是什么", CHECK, "请先查清植入物的名称，由医生确认后再做磁共振。"),
        ),
        hint="有一种以上的，选其中任意一种。",
    ),
    Question(
        "pregnancy", "现在是否怀孕，或可能怀孕？", ("mri",),
        (
            NO,
            Answer("early", "是，不足 3 个月", REFUSE, "妊娠不足 3 个月，不做磁共振。"),
            Answer("later", "是，满 3 个月", WARN, "请在报到时告诉检查人员您的孕周。"),
            Answer("unsure", "可能怀孕，还没有确认", CHECK, "请先确认是否怀孕，再做磁共振。"),
        ),
        sex=FEMALE, min_age=12, max_age=55,
    ),
    Question(
        "radiation", "X线、CT、核医学检查前：现在是否怀孕，或可能怀孕？", ("radiation",),
        (
            NO,
            Answer("unsure", "可能怀孕", CHECK, "可能怀孕：请由医生判断是否必须做这项放射检查，写明意见后再预约。"),
            Answer("yes", "已怀孕", CHECK, "已怀孕：非特殊需要不做放射检查，请由医生判断并写明意见后再预约。"),
        ),
        sex=FEMALE, min_age=12, max_age=55,
        source="《放射诊疗管理规定》（卫生部令第46号）第二十六条：检查前应问明是否怀孕",
    ),
    Question(
        "fever", "现在体温是否超过 38 ℃？", ("mri",),
        (NO, Answer("yes", "是", REFUSE, "体温超过 38 ℃ 不能做磁共振，请退热后再预约。")),
    ),
    Question(
        "claustrophobia", "在密闭、狭小的空间里是否会紧张、害怕（幽闭恐惧）？", ("mri",),
        (Answer("no", "不会"), Answer("yes", "会", WARN, "磁共振在狭长的检查孔里进行，请在报到时告诉检查人员。")),
    ),
    Question(
        "renal", "近期的肾功能结果如何？", ("iodine", "gadolinium"),
        (
            Answer("normal", "正常"),
            Answer("moderate", "轻度或中度减退"),
            Answer("severe", "重度减退", WARN, "肾功能重度减退：含碘和含钆的增强检查要隔开多天，请由开单医生确认。"),
            Answer("unknown", "近期没有查过", CHECK, "增强检查前需要肾功能结果，请先查肾功能。", first="LB03"),
        ),
        hint="看化验单，或由开单医生填写。",
    ),
    Question(
        "metformin", "是否服用二甲双胍？", ("iodine",),
        (
            NO,
            Answer("stopped", "服用，到检查时停药满 48 小时", WARN, "请按开单医生的安排停药，检查时停药须满 48 小时。"),
            Answer("taking", "服用，还没有安排停药", CHECK, "含碘增强检查需停用二甲双胍 48 小时，请先与开单医生确认。"),
        ),
    ),
    Question(
        "anticoagulant", "是否服用抗凝药或抗血小板药（如华法林、利伐沙班、氯吡格雷、阿司匹林）？", ("endoscopy",),
        (
            NO,
            Answer("agreed", "服用，医生已有安排", WARN, "请按医生的安排用药，并在报到时告诉检查人员。"),
            Answer("yes", "服用，还没有问过医生", CHECK, "请先由开单医生确认用药安排；请勿自行停药。"),
        ),
    ),
    Question(
        "anaesthesia", "是否已完成麻醉评估？", ("sedated",),
        (
            Answer("done", "已完成，可以无痛检查"),
            Answer("no", "还没有", CHECK, "无痛检查须先完成麻醉评估，请先到麻醉门诊评估，再预约。"),
            Answer("refused", "评估结果是不能麻醉", REFUSE, "麻醉评估不通过，不能做无痛检查，请与开单医生商量。"),
        ),
    ),
    Question(
        "escort", "检查当天是否有成年家属陪同，且 24 小时内不开车？", ("endoscopy",),
        (
            Answer("yes", "是"),
            Answer("no", "没有家属陪同，或需要开车", CHECK, "请先安排好陪同的家属，检查后 24 小时内不要开车。"),
        ),
    ),
    Question(
        "fasted", "今天是否已按准备要求禁食？", ("fasting",),
        (
            Answer("yes", "已按要求禁食"),
            Answer("no", "没有，或时间不够", CHECK, "禁食时间不够会影响检查，请由检查医生确认，或改约。"),
        ),
        before_booking=False,
    ),
    Question(
        "bladder", "现在是否已憋尿，有明显尿意？", ("full-bladder",),
        (Answer("yes", "已憋尿"), Answer("no", "还没有", WARN, "请继续饮水，有明显尿意后再检查。")),
        before_booking=False,
    ),
    Question(
        "bowel", "是否已按说明完成肠道准备，排出清水样便？", ("colonoscopy",),
        (
            Answer("yes", "已完成"),
            Answer("no", "没有完成", CHECK, "肠道准备没有完成会影响检查，请由检查医生确认，或改约。"),
        ),
        before_booking=False,
    ),
)  # fmt: skip
