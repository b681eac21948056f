"""Medical data that somebody answers for, as the office reads it: in force, waiting for approval, over; its trail."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Model, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.selectors.rulebook import Difference, Trace, differences
from exams.models import OrderingRule, Preparation, ScreeningAnswer, ScreeningQuestion
from exams.models.signed import Signed
from hospital.models import AuditEvent

from .sentences import sentence_of, words_of

KINDS: dict[str, type[Signed]] = {
    "preparations": Preparation,
    "questions": ScreeningQuestion,
    "rules": OrderingRule,
}
KIND_NAMES = {
    "preparations": gettext_lazy("检查准备"),
    "questions": gettext_lazy("准备问题"),
    "rules": gettext_lazy("检查顺序"),
}
MOST_PAST = 60

WRITTEN, APPROVED = "exam_signed.written", "exam_signed.approved"
RETIRED, DISCARDED = "exam_signed.retired", "exam_signed.discarded"


def kind_of(row: Signed) -> str:
    return next(kind for kind, model in KINDS.items() if isinstance(row, model))


def subject_of(row: Model) -> str:
    """What the trail calls the row."""
    return f"{row._meta.model_name}:{row.pk}"


def rows_of(model: type[Signed]) -> QuerySet:
    """With all that their words need."""
    rows = model.objects.select_related("organization", "approved_by", "replaces")
    answers = Prefetch("answers", queryset=ScreeningAnswer.objects.select_related("first"))
    if model is ScreeningQuestion:
        return rows.prefetch_related(answers, "items", "groups")
    if model is OrderingRule:
        rows = rows.select_related("first_group", "first_item", "second_group", "second_item", "question")
        return rows.prefetch_related("question__answers")
    return rows


IN_FORCE = Q(approved_at__isnull=False, retired_at__isnull=True)
WAITING = Q(approved_at__isnull=True, retired_at__isnull=True)
OVER = Q(retired_at__isnull=False)


def state_of(row: Signed) -> str:
    """now, waiting, past (it was in force once) or discarded."""
    if row.retired_at is None:
        return "waiting" if row.approved_at is None else "now"
    return "discarded" if row.approved_at is None else "past"


@dataclass(frozen=True)
class Entry:
    """One row of a list."""

    row: Signed
    kind: str
    author: str = ""

    @property
    def state(self) -> str:
        return state_of(self.row)

    @property
    def text(self) -> str:
        """What a list says of it beside its name."""
        match self.row:
            case OrderingRule():
                return sentence_of(self.row)
            case ScreeningQuestion():
                return _("、").join(answer.text for answer in self.row.answers.all())
            case Preparation():
                return self.row.text


@dataclass
class Board:
    now: list[Entry] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)
    past: list[Entry] = field(default_factory=list)
    more_past: bool = False


def board(kind: str, *, organization_id: int) -> Board:
    rows = rows_of(KINDS[kind]).filter(organization=organization_id)
    waiting = list(rows.filter(WAITING).order_by("pk"))
    past = list(rows.filter(OVER).order_by("-retired_at", "-pk")[: MOST_PAST + 1])
    authors = authors_of(waiting)
    return Board(
        now=[Entry(row, kind) for row in rows.filter(IN_FORCE)],
        waiting=[Entry(row, kind, authors.get(row.pk, "")) for row in waiting],
        past=[Entry(row, kind) for row in past[:MOST_PAST]],
        more_past=len(past) > MOST_PAST,
    )


def waiting(organizations: Iterable[int]) -> list[Entry]:
    """待批准, of every kind."""
    found = []
    for kind, model in KINDS.items():
        rows = list(rows_of(model).filter(WAITING, organization__in=organizations).order_by("pk"))
        authors = authors_of(rows)
        found += [Entry(row, kind, authors.get(row.pk, "")) for row in rows]
    return found


def count_waiting(organizations: Iterable[int]) -> int:
    """One query."""
    counts = [
        model.objects.filter(WAITING, organization__in=organizations).values("organization").order_by()
        for model in KINDS.values()
    ]
    return counts[0].union(*counts[1:], all=True).count()


def author_of(row: Signed) -> int | None:
    """Who wrote this version."""
    wrote = AuditEvent.objects.filter(action=WRITTEN, subject=subject_of(row)).order_by("-pk")
    return wrote.values_list("actor_id", flat=True).first()


def authors_of(rows: Iterable[Signed]) -> dict[int, str]:
    """Row id → who wrote it, of rows of one kind."""
    subjects = {subject_of(row): row.pk for row in rows}
    wrote = AuditEvent.objects.filter(action=WRITTEN, subject__in=subjects).select_related("actor").order_by("pk")
    return {subjects[event.subject]: str(event.actor or "") for event in wrote}


def draft_of(row: Signed) -> Signed | None:
    """The change of this row that waits for approval."""
    return type(row).objects.filter(WAITING, replaces=row).first()


def successor_of(row: Signed) -> Signed | None:
    """What took this row's place."""
    return type(row).objects.filter(replaces=row, approved_at__isnull=False).order_by("pk").last()


def changes_of(row: Signed) -> list[Difference]:
    """What the row says otherwise than the one it replaces."""
    if row.replaces_id is None:
        return []
    before = rows_of(type(row)).get(pk=row.replaces_id)
    return differences(words_of(before), words_of(row))


def trail_of(row: Model) -> list[Trace]:
    """The acts on this row, newest first."""
    acts = AuditEvent.objects.filter(subject=subject_of(row)).select_related("actor").order_by("-at", "-pk")
    return [
        Trace(
            at=act.at,
            who=str(act.actor or _("系统")),
            text=act_name(act.action),
            why=act.detail.get("why", ""),
            changes=tuple(differences(act.detail.get("before") or {}, act.detail.get("after") or {}))
            if act.detail.get("before")
            else (),
        )
        for act in acts
    ]


def act_name(action: str) -> str:
    words = {
        WRITTEN: _("写下，等待批准"),
        APPROVED: _("批准，开始使用"),
        RETIRED: _("停用"),
        DISCARDED: _("作废"),
        "exam_item.written": _("新增项目"),
        "exam_item.changed": _("修改项目"),
        "exam_set.written": _("新增套餐"),
        "exam_set.changed": _("修改套餐"),
    }
    return words.get(action, _("修改"))
