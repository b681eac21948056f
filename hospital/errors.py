"""Refusals: what the hospital may say no to, for machines (code) and people (sentence, next step)."""

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """A rule said no. One middleware shows it: 409 with the sentence and what to do next.

    Subclasses set `code`, `message` and `next_step`; a message may use %(name)s of the keyword arguments.
    """

    code = "refused"
    status = 409
    message = _("现在不能这样做。")
    next_step = _("请刷新页面后再试。")
    headers: Mapping[str, str] = {}  # of the answer to a program, e.g. Retry-After
    fields: dict[str, list[str]] | None = None  # of what was sent, where single fields are to blame

    def __init__(self, **details):
        self.details = details
        super().__init__(self.code)

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        return str(self.message) % self.details if self.details else str(self.message)

    @property
    def next(self) -> str:
        return str(self.next_step) % self.details if self.details else str(self.next_step)

    @property
    def in_full(self) -> str:
        """The sentence and the next step as one text. Chinese needs no blank between sentences, English does."""
        return ("" if (get_language() or "").startswith("zh") else " ").join((self.sentence, self.next))

    def body(self) -> dict:
        """What a program reads: {code, message, next}, and `fields` where some are to blame."""
        body = {"code": self.code, "message": self.sentence, "next": self.next}
        return body if self.fields is None else {**body, "fields": self.fields}


class NotAllowed(Refused):
    """The account's role does not include this act."""

    code = "not_allowed"
    status = 403
    message = _("您的岗位没有这项权限。")
    next_step = _("如工作需要，请联系系统管理员开通。")


class StaffAccount(Refused):
    """A working account has no family: patients' pages are for accounts that sign in by phone."""

    code = "staff_account"
    status = 403
    message = _("您现在登录的是工作账号，不能办理个人预约。")
    next_step = _("请退出后用手机号登录；为患者预约请到诊间或窗口页面。")
