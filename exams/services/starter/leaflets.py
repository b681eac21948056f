"""检查准备的初始文本. What the patient does before. About medicines it sends to the doctor."""

from datetime import time
from typing import NamedTuple

HOUR, DAY = 60, 24 * 60


class Leaflet(NamedTuple):
    """`fast` and `lead` in minutes; `latest`: no fasting patient waits longer than until then."""

    name: str
    text: str
    fast: int = 0
    latest: time | None = None
    lead: int = 0
    full_bladder: bool = False
    escort: bool = False


_MRI = (
    "体内装有心脏起搏器、动脉瘤夹、金属瓣膜或人工耳蜗的，妊娠不足 3 个月的，体温超过 38 ℃ 的，不能做磁共振。\n"
    "在密闭空间会紧张、害怕的，请提前告诉工作人员。\n"
    "进入检查室前请取下手表、钥匙、手机、首饰、可取下的义齿等金属物品。"
)
_GADOLINIUM = "\n增强检查需要近期的肾功能结果，请把化验单带来。"
_GASTROSCOPY = "检查前禁食 6–8 小时，上午检查的，前一晚晚餐后不再进食。"
_SCOPE = (
    "\n正在服用抗凝药或抗血小板药的，预约前请告诉开单医生，是否调整由医生决定，请勿自行停药。"
    "\n请由一位成年家属陪同；检查后 24 小时内不要开车。"
)
_SEDATED = "\n无痛检查须先完成麻醉评估，再预约。"
_COLONOSCOPY = "检查前 2–3 天吃少渣饮食。\n按发给您的说明服用肠道准备药物，直到排出清水样便。\n检查前禁食 12 小时。"

LEAFLETS = {
    "us-abdomen": Leaflet(
        "空腹超声",
        "检查前禁食 8 小时以上，建议上午检查。\n"
        "同一天还要做钡餐、胃镜或肠镜的，请先做腹部超声。\n"
        "做过消化道钡剂检查的满 3 天、做过胆道造影的满 2 天，再做腹部超声。",
        fast=8 * HOUR,
        latest=time(11, 30),
    ),
    "us-bladder": Leaflet(
        "憋尿超声",
        "检查前饮水憋尿，膀胱内尿量约 500 毫升以上，有明显尿意时检查。\n"
        "同一天还有空腹检查的，请先做完空腹检查，再饮水憋尿。",
        full_bladder=True,
    ),
    "us-empty": Leaflet(
        "排空膀胱超声", "检查前请排尿。\n同一天还要做经腹超声的，请先憋尿做经腹超声，排尿后再做本检查。"
    ),
    "ct-contrast": Leaflet(
        "CT 增强",
        "检查前禁食 4–6 小时。\n"
        "服用二甲双胍的，需停药 48 小时，请先与开单医生确认如何停药。\n"
        "增强检查需要近期的肾功能结果，请把化验单带来。\n"
        "检查后在观察区留观 30 分钟，没有不适再离开。",
        fast=4 * HOUR,
        latest=time(16, 0),
    ),
    "mri": Leaflet("磁共振", _MRI),
    "mri-contrast": Leaflet("磁共振增强", _MRI + _GADOLINIUM),
    "mri-abdomen": Leaflet("腹部磁共振", "检查前禁食 4 小时。\n" + _MRI, fast=4 * HOUR, latest=time(16, 0)),
    "mri-abdomen-contrast": Leaflet(
        "腹部磁共振增强", "检查前禁食 4 小时。\n" + _MRI + _GADOLINIUM, fast=4 * HOUR, latest=time(16, 0)
    ),
    "gastroscopy": Leaflet("胃镜", _GASTROSCOPY + _SCOPE, fast=8 * HOUR, latest=time(12, 0), escort=True),
    "gastroscopy-sedated": Leaflet(
        "无痛胃镜", _GASTROSCOPY + _SCOPE + _SEDATED, fast=8 * HOUR, latest=time(12, 0), escort=True
    ),
    "colonoscopy": Leaflet(
        "肠镜", _COLONOSCOPY + _SCOPE, fast=12 * HOUR, latest=time(15, 0), lead=2 * DAY, escort=True
    ),
    "colonoscopy-sedated": Leaflet(
        "无痛肠镜", _COLONOSCOPY + _SCOPE + _SEDATED, fast=12 * HOUR, latest=time(15, 0), lead=2 * DAY, escort=True
    ),
    "blood": Leaflet(
        "空腹采血",
        "采血前禁食 8–12 小时，请上午采血。\n同一天还要做增强检查、胆道造影的，请先采血；采血后再进食。",
        fast=8 * HOUR,
        latest=time(10, 0),
    ),
}
