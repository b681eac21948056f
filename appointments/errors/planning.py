"""Refusals of templates, drafts, contracts and the calendar (P2, P12)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class DraftDays(Refused):
    code = "draft_days"
    message = _("只能从今天起、往后%(days)s天以内排班，结束日不能早于开始日。")
    next_step = _("请改日期后再生成。")


class DraftStale(Refused):
    """What the draft was made from is not what stands any more."""

    code = "draft_stale"
    message = _("生成草稿之后模板或排班已有变化（%(what)s），没有发布任何内容。")
    next_step = _("变了的行已重新对照，没有勾选，请核对后再发布。")


class DraftDecided(Refused):
    code = "draft_decided"
    message = _("这份草稿%(state)s，不能再处理。")
    next_step = _("请刷新页面查看结果，需要时重新生成。")


class TemplateRefused(Refused):
    """The first of what policies.template found, for callers other than the form, which shows each at its field."""

    code = "template_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")


class ContractRefused(Refused):
    code = "contract_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")


class AgreementRefused(Refused):
    code = "agreement_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")


class DoctorElsewhere(Refused):
    code = "doctor_elsewhere"
    message = _("%(who)s这个时间已在别处出诊：%(where)s。")
    next_step = _("请换一个时间，或换一位医生。")


class RoomHasClinic(Refused):
    code = "room_has_clinic"
    message = _("%(who)s这个时间已有出诊：%(where)s。")
    next_step = _("请换一间诊室，或换一个时间。")


class OutsideContract(Refused):
    """P12: the doctor belongs to another house, or the contract does not cover the day."""

    code = "outside_contract"
    message = _("%(who)s在这一天没有%(where)s的执业合约。")
    next_step = _("请门诊办公室先登记合约，或换一位医生。")


class CalendarRefused(Refused):
    code = "calendar_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")
