"""manage.py give_exam_catalogue HOUSE --by LOGIN: the starter catalogue of exams for a house that has none yet."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from exams.services import starter
from hospital import clock
from hospital.models import Organization, Role, User
from hospital.permissions import may_act_in


class Command(BaseCommand):
    help = "Write the starter catalogue of exams into a house: what it has already, or retired, stays as it is."

    def add_arguments(self, parser):
        parser.add_argument("house", help="the organization's code, as in the hospital's workbook")
        parser.add_argument("--by", required=True, help="login of the house's office, who answers for the rules")

    def handle(self, *, house, by, **_options):
        organization = Organization.objects.filter(code=house, active=True).first()
        if organization is None:
            raise CommandError(_("没有代码是“%(code)s”的机构。请按医院工作簿里的代码填写。") % {"code": house})
        user = User.objects.filter(username=by, is_active=True).first()
        if user is None or not may_act_in(user, organization.pk, Role.OFFICE):
            raise CommandError(_("“%(login)s”不是这家机构的号源管理员。规则由他负责，请填他的账号。") % {"login": by})
        written = starter.give(organization=organization, by=user, now=clock.now())
        self.stdout.write(_("已写入 %(n)s 行。") % {"n": written} if written else _("和系统一致，没有要改的。"))
