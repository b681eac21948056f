"""What a program hears when its request itself is at fault, before any rule of the hospital was asked."""

import re

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class Unauthorized(Refused):
    code = "unauthorized"
    status = 401
    message = _("令牌无效或已过期。")
    next_step = _("请换用有效的令牌。")
    headers = {"WWW-Authenticate": "Bearer"}


class OutOfScope(Refused):
    """The token is good, but not for this."""

    code = "out_of_scope"
    status = 403
    message = _("这个令牌没有所需的权限（%(scope)s）。")
    next_step = _("请换用有此权限的令牌，或联系安全管理员。")


class NothingHere(Refused):
    """Also for what belongs to somebody else: a guessed number tells nothing."""

    code = "not_found"
    status = 404
    message = _("没有这条记录。")
    next_step = _("请检查编号。")


class WrongMethod(Refused):
    """`allow`: the methods that the address takes."""

    code = "method_not_allowed"
    status = 405
    message = _("这个地址不接受这种请求方法。")
    next_step = _("可用的方法：%(allow)s")

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self.details["allow"]}


class NotAcceptable(Refused):
    code = "not_acceptable"
    status = 406
    message = _("这里只有 JSON 格式的答复。")
    next_step = _("请把请求头 Accept 设为 application/json。")


class TooLarge(Refused):
    code = "too_large"
    status = 413
    message = _("请求内容太大（上限 %(limit)d 字节）。")
    next_step = _("请检查发送的内容。")


class WrongMediaType(Refused):
    code = "unsupported_media_type"
    status = 415
    message = _("请求内容必须是 JSON。")
    next_step = _("请把请求头 Content-Type 设为 application/json。")


class NotAFile(WrongMediaType):
    """Where a file itself is the body."""

    message = _("请求内容必须是文件本身：PDF、JPEG 或 PNG。")
    next_step = _("请把请求头 Content-Type 设为 application/pdf、image/jpeg 或 image/png。")


class Malformed(Refused):
    """It can't be read at all: no JSON, not an object. `problem` says where, for the programmer."""

    code = "malformed"
    status = 422
    message = _("请求内容读不懂：%(problem)s")
    next_step = _("请按接口文档 /api/v1/docs/ 修改后再发。")


class Invalid(Refused):
    """What was sent is not what the document describes, by field: {name: [sentences]}."""

    code = "invalid"
    status = 422
    message = _("请求内容不符合要求：%(names)s。")
    next_step = _("请按 fields 里的说明修改后再发。")

    def __init__(self, fields: dict[str, list[str]]):
        self.fields = {name: [str(sentence) for sentence in sentences] for name, sentences in fields.items()}
        super().__init__(names=", ".join(self.fields))


class ConsentNeeded(Refused):
    """O4: a program books for a person only after the account agreed, with its own hand, to what is in force."""

    code = "consent_needed"
    message = _("还没有同意个人信息告知书的现行版本，不能为这位就诊人预约。")
    next_step = _("请用这个账号登录网页，阅读并同意后再约。")


class PrivacyNeeded(ConsentNeeded):
    """O4: not even the account's own people are shown before it agreed to the privacy notice."""

    message = _("还没有同意个人信息告知书的现行版本。")
    next_step = _("请用这个账号登录网页，阅读并同意后再试。")


class TooMany(Refused):
    """`seconds` until the next one is taken."""

    code = "too_many"
    status = 429
    message = _("操作太频繁。")
    next_step = _("请%(seconds)d秒后再试。")

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.details["seconds"])}


WHERE = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
NAMED = re.compile(r"field `([^`]+)`")


def by_field(problem: Exception) -> Invalid:
    """msgspec's one sentence about the first thing wrong, under the name of the field that it is about."""
    sentence = str(problem)
    where = WHERE.search(sentence)
    inside = where[1] if where else ""
    named = NAMED.search(sentence)
    name = ".".join(part for part in (inside, named and named[1]) if part)
    return Invalid({name or "request": [WHERE.sub("", sentence)]})
