"""What family doctors write, by the department they write to."""

import random
from dataclasses import dataclass
from datetime import date

from hospital import family_policies
from hospital.models import AccountRule, Patient
from referrals.models import Referral


@dataclass(frozen=True)
class Story:
    code: str
    diagnosis: str
    reason: str
    history: str
    medication: str = ""
    plan: str = ""
    warning: str = ""


PRESSURE = Story(
    "I10", "原发性高血压", "血压控制不佳，请专科调整用药", "高血压 8 年，近两周晨起头痛，家庭血压 165/100 mmHg 左右。",
    "氨氯地平 5 mg 每日一次", "氨氯地平 5 mg、缬沙坦 80 mg 每日一次，家庭血压每日记录",
    "血压高于 180/110 mmHg，或胸痛、言语不清、肢体无力",
)  # fmt: skip
STORIES = {
    "心": (
        PRESSURE,
        Story(
            "I20.8", "心绞痛", "活动后胸闷加重，请明确诊断", "活动后胸闷半年，近一个月上二楼即发作，休息三分钟缓解。",
            "阿司匹林 100 mg 每日一次", "阿司匹林、阿托伐他汀、美托洛尔继续", "静息时胸痛，或含药五分钟不缓解",
        ),
    ),
    "内分泌": (
        Story(
            "E11.9", "2 型糖尿病", "口服药失效，请评估胰岛素治疗", "糖尿病 10 年，糖化血红蛋白 9.8%，双足麻木。",
            "二甲双胍 0.5 g 每日三次", "甘精胰岛素睡前 12 单位，按空腹血糖调整",
            "血糖低于 3.9 或高于 16.7 mmol/L，足部破溃",
        ),
    ),
    "呼吸": (
        Story(
            "J44.1", "慢性阻塞性肺病急性加重", "咳喘加重，社区治疗三天无好转",
            "慢阻肺 6 年，近三天痰量增多、变黄，活动后气促。",
            "布地奈德福莫特罗 每日两次", "吸入药继续，戒烟，家庭氧疗每日 15 小时", "静息气促、嗜睡或口唇发紫",
        ),
    ),
    "骨": (
        Story(
            "M17.9", "膝关节骨关节病", "保守治疗三个月无效，请评估手术", "右膝痛两年，上下楼困难，X 线示关节间隙变窄。",
            "塞来昔布 按需", "股四头肌训练每日三组，助行器行走", "伤口红肿渗液，或小腿肿胀疼痛",
        ),
    ),
    "消化": (
        Story(
            "K29.5", "慢性胃炎", "反复上腹痛伴黑便一次，请行胃镜", "上腹痛一年，两周前黑便一次，血红蛋白 105 g/L。",
            "奥美拉唑 20 mg 每日一次", "奥美拉唑 20 mg 每日一次，四周后复查", "再次黑便或呕血",
        ),
    ),
}  # fmt: skip
OTHERS = (PRESSURE,)

QUESTIONS = ("请补充近期肾功能结果。", "请补充目前用药的剂量。", "请说明是否有药物过敏史。", "请上传心电图。")
ANSWERS = ("肌酐 86 μmol/L，三天前化验。", "剂量见补充，已与患者核对药盒。", "否认药物过敏。", "心电图已上传。")
REJECTED = (
    "病情稳定，可在社区随访，必要时再转。", "请先完成血常规和心电图后再转。", "本科不收治此病种，请改转对口专科。",
    "患者电话三次未接，请与患者确认后重新转诊。",
)  # fmt: skip
WITHDRAWN = ("患者已自行就诊", "患者暂不愿转诊", "症状已缓解，继续社区观察")
MOVED_ON = ("床位和检查更合适", "请先由专科门诊评估")


def story(dice: random.Random, department: str) -> Story:
    fitting = next((some for word, some in STORIES.items() if word in department), OTHERS)
    return dice.choice(fitting)


def consent_of(patient: Patient, *, day: date) -> str:
    """A child's guardian consents."""
    child = family_policies.is_child(patient.birth_date, rule=AccountRule(), day=day)
    return Referral.Consent.GUARDIAN if child else Referral.Consent.PATIENT
