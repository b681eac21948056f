"""检查预约规则: the house's own numbers, dated (E1, E5)."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from appointments.views.office.numbers import Pages
from exams.forms.settings import ExamRuleForm

from .frame import framed

PAGES = Pages(
    form=ExamRuleForm,
    frame="exams/catalogue/page.html",
    framed=partial(framed, tab="settings"),
    addresses={
        "all": "exams:office_numbers",
        "one": "exams:office_numbers_one",
        "new": "exams:office_numbers_new",
        "withdraw": "exams:office_numbers_withdraw",
    },
    name=_("检查预约规则"),
    change=_("修改检查预约规则"),
    unwritten=_("还没有写过规则，按系统默认值办理"),
)
