"""家属 (B22): whom an account books for."""

from .models import RelatedPerson, User


def people_of(account: User) -> list[RelatedPerson]:
    """The account's people in their order, each with its patient. One query."""
    rows = RelatedPerson.objects.filter(account=account, ended_at=None, patient__active=True)
    return list(rows.select_related("patient").order_by("place"))


def is_mine(account: User, patient_id: int) -> bool:
    return RelatedPerson.objects.filter(account=account, ended_at=None, patient=patient_id).exists()
