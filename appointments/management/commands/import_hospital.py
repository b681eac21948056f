"""manage.py import_hospital FILE [--apply] [--retire-missing]: read the hospital's workbook."""

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from appointments.services.importing import CHANGED, MISSING, NEW, Report, import_workbook
from hospital import clock
from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.reader import read

SHOWN = 40  # lines of one kind, unless --all


class Command(BaseCommand):
    help = "Read the hospital's workbook. Shows what would change; --apply makes it so, all or nothing."

    def add_arguments(self, parser):
        parser.add_argument("file")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--preview", action="store_true", help="only show what would change (the default)")
        how.add_argument("--apply", action="store_true", help="make the changes")
        parser.add_argument(
            "--retire-missing", action="store_true", help="put out of use what the workbook no longer has"
        )
        parser.add_argument("--all", action="store_true", help=f"every line, not the first {SHOWN} of each kind")

    def handle(self, file, *, apply, retire_missing, **options):
        try:
            content = read(file)
            report = import_workbook(content=content, apply=apply, retire_missing=retire_missing, now=clock.now())
        except WrongWorkbook as wrong:
            raise CommandError(self._problems(wrong)) from None
        except IntegrityError as error:  # with what support staff wrote by hand, for instance
            rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or type(error).__name__
            raise CommandError(
                _("和系统中已有的数据冲突（%(rule)s），什么都没有导入。请先核对后台里手工改过的行。") % {"rule": rule}
            ) from None
        self._show(report, everything=options["all"], retire_missing=retire_missing)

    def _problems(self, wrong: WrongWorkbook) -> str:
        lines = [_("工作簿有 %(count)s 处错误，什么都没有导入：") % {"count": len(wrong.problems)}]
        for problem in wrong.problems:
            what, cure = problem.sentences(_)
            row = _("第 %(row)s 行") % {"row": problem.row} if problem.row else ""
            place = " ".join(part for part in (problem.sheet, row, problem.column) if part)
            lines.append(f"  {place}{_('：')}{what}{cure}")
        return "\n".join(lines)

    def _show(self, report: Report, *, everything: bool, retire_missing: bool) -> None:
        missing = _("停用（工作簿里没有）") if retire_missing else _("工作簿里没有（未动；加 --retire-missing 停用）")
        for kind, title in ((NEW, _("新增")), (CHANGED, _("变更")), (MISSING, missing)):
            changes = report.of(kind)
            if not changes:
                continue
            self.stdout.write(f"{title} {len(changes)}")
            for change in changes if everything else changes[:SHOWN]:
                row = _("第 %(row)s 行") % {"row": change.row} if change.row else ""
                self.stdout.write(f"  {change.sheet} {row} {change.label}")
                for header, (before, after) in change.fields.items():
                    self.stdout.write(f"      {header}{_('：')}{_shown(before)} → {_shown(after)}")
            if not everything and len(changes) > SHOWN:
                self.stdout.write(_("  …… 还有 %(count)s 行，加 --all 全部列出") % {"count": len(changes) - SHOWN})
        for stranded in report.stranded:
            self.stdout.write(
                _("注意：%(label)s 已约 %(booked)s 人，医生已不在岗，请停诊或替诊。")
                % {"label": stranded.label, "booked": stranded.booked}
            )
        if not report.changes:
            self.stdout.write(_("和系统一致，没有要改的。"))
        elif report.applied:
            self.stdout.write(_("已导入。"))
        else:
            self.stdout.write(_("这是预览，什么都没有改。加 --apply 导入。"))


def _shown(value) -> str:
    if value is None or value == "":
        return _("（空）")
    return {True: _("是"), False: _("否")}.get(value, str(value)) if isinstance(value, bool) else str(value)
