"""Lists of what is one's own: of all people of the account, or of one (?patient=)."""

from dataclasses import dataclass

from django.http import HttpRequest

from hospital import family, masking
from hospital.models import RelatedPerson


@dataclass(frozen=True)
class Own:
    """`person`: the chosen one's id, None for all."""

    people: list[RelatedPerson]
    person: int | None

    @property
    def chosen(self) -> list[RelatedPerson]:
        return [each for each in self.people if self.person in (None, each.patient_id)]

    def shown(self, **more) -> dict:
        """What the choice shows. `unproved`: the masked names of those whom no window has checked yet."""
        names = [(each, masking.name(each.patient.name)) for each in self.people]
        return {
            "people": [{"pk": each.patient_id, "masked": name} for each, name in names],
            "person": self.person,
            "unproved": [name for each, name in names if each.proof == family.UNPROVED],
            **more,
        }


def own_of(request: HttpRequest) -> Own:
    people, asked = family.people_of(request.user), request.GET.get("patient", "")
    return Own(people, next((each.patient_id for each in people if str(each.patient_id) == asked), None))
