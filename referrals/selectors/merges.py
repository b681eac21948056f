"""What the programs of institutions are told when two records turn out to be one person, or two after all (P10)."""

from django.db.models import F

from hospital.models import Fact
from referrals.models import Referral

from . import known

TOPICS = ("patient.merged", "patient.unmerged")


def organizations_of(fact: Fact) -> list[int]:
    """The institutions that know either record; to the others neither id says anything."""
    return known.who_know([fact.payload["kept"], fact.payload["merged"]])


def data_of(fact: Fact) -> dict:
    """Ids alone: which one holds everything of this person from then on, or no longer does."""
    return {"kept": fact.payload["kept"], "merged": fact.payload["merged"]}


def crossed(fact: Fact) -> list[int]:
    """Referrals of one of the two that hold or held a number of the other."""
    both = [fact.payload["kept"], fact.payload["merged"]]
    rows = Referral.objects.filter(patient__in=both, appointment__patient__in=both)
    return list(rows.exclude(appointment__patient=F("patient")).order_by("pk").values_list("pk", flat=True))
