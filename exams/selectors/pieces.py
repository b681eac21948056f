"""What a plan places as one (E3): an exam, or those of one sitting."""

from dataclasses import dataclass

from exams.models import DeviceAbility, ExamRequest
from exams.policies.ordering import draws, sittings
from exams.selectors.ordering import exam_of


@dataclass(frozen=True)
class Piece:
    """What is placed as one: an exam, or the exams of one sitting, the first first."""

    key: str
    requests: tuple[ExamRequest, ...]

    @property
    def before(self) -> int:
        return max(each.variant.before for each in self.requests)

    @property
    def after(self) -> int:
        return max(each.variant.after for each in self.requests)

    @property
    def names(self) -> str:
        return "、".join(each.variant.name for each in self.requests)


def pieces_of(requests: list[ExamRequest], ordering: list, able: dict[int, list[DeviceAbility]]) -> list[Piece]:
    """One sitting (同一次麻醉, 一次采血) is one piece, as far as one device can do all of it."""
    by_key = {str(row.pk): row for row in requests}
    exams = [exam_of(row) for row in requests]
    pieces = []
    for keys in [*sittings(exams, ordering), *draws(exams, ordering)]:
        for rows in _on_one_device([by_key[key] for key in keys if key in by_key], able):
            if len(rows) > 1:
                names = [str(row.pk) for row in rows]
                pieces.append(Piece("+".join(names), tuple(by_key.pop(name) for name in names)))
    return [*pieces, *(Piece(key, (row,)) for key, row in by_key.items())]


def _on_one_device(requests: list[ExamRequest], able: dict[int, list[DeviceAbility]]) -> list[list[ExamRequest]]:
    """In as few as it goes, each with a device that can do all of it."""
    groups: list[tuple[set[int], list[ExamRequest]]] = []
    for row in requests:
        devices = {each.device_id for each in able[row.variant_id]}
        for place, (common, rows) in enumerate(groups):
            if common & devices:
                groups[place] = (common & devices, [*rows, row])
                break
        else:
            groups.append((devices, [row]))
    return [rows for _devices, rows in groups]
