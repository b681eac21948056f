"""Refusals of writing, sending and answering a referral."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class ReferralIncomplete(Refused):
    """`fields` says what is missing."""

    code = "referral_incomplete"
    message = _("转诊单还缺：%(missing)s。")
    next_step = _("已填写的内容没有丢失，请补上后再发出。")


class ReceiverClosed(Refused):
    """The department, doctor or team no longer takes anybody."""

    code = "referral_receiver_closed"
    message = _("%(place)s已停诊，不能转诊。")
    next_step = _("请改选科室或医生，也可以请转诊办安排。")


class AlreadyReferred(Refused):
    """Two family doctors refer one patient to one department at once."""

    code = "already_referred"
    message = _("这位患者转往%(department)s的转诊单%(number)s还在处理中。")
    next_step = _("请在那张转诊单里补充资料，或先撤回它再重新转诊。")


class ReferredElsewhere(Refused):
    """By another institution: which one, and what it wrote, is not ours to read."""

    code = "referred_elsewhere"
    message = _("另一家机构已把这位患者转往%(department)s，还在处理中。")
    next_step = _("请先问患者约在哪一天，或联系接收医院转诊办；草稿已保留。")


class ChildCannotConsent(Refused):
    """`fields` says where."""

    code = "child_cannot_consent"
    message = _("患者未满 %(age)s 周岁，不能由本人同意转诊。")
    next_step = _("请由监护人同意并写明是谁；情况紧急来不及时选“情况紧急，事后补告知”。")


class NotTheirTurn(Refused):
    """The referral has moved on, or waits for the other side."""

    code = "referral_not_their_turn"
    message = _("转诊单现在是“%(status)s”，不能这样处理。")
    next_step = _("请刷新页面，按现在的状态继续。")


class ReferralOver(Refused):
    code = "referral_over"
    message = _("转诊单已结束（%(status)s），不能再改。")
    next_step = _("如还需要转诊，请另开一张转诊单。")


class NeedsReason(Refused):
    code = "referral_needs_reason"
    message = _("还没有写明原因。")
    next_step = _("请写一句话，让对方知道为什么、接下来怎么办。")


class NumberOfAnother(Refused):
    """The booking isn't this patient's at the receiver, or no longer stands."""

    code = "referral_number_of_another"
    message = _("这个号不是这位患者在接收医院的有效预约。")
    next_step = _("请重新选号，或请转诊办代约。")


class SentBackAlready(Refused):
    code = "referral_sent_back_already"
    message = _("这位患者已经转回，下转单%(number)s。")
    next_step = _("要补充计划，请打开那张下转单。")


class NumberChanged(Refused):
    """A colleague, the sender or the patient was quicker: a referral never gets a second number unseen."""

    code = "referral_number_changed"
    message = _("这张转诊单的号刚刚变了：%(number)s。")
    next_step = _("请按现在的情况核对，需要时再选号。")
