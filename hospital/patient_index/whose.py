"""A person's records after merges: what was printed on paper or written in the trail names the old one."""

from hospital.models import PatientMerge

MOST_STEPS = 20
"""Merges one after the other; more is a circle, which the rules don't allow."""


def records_of(patient_id: int) -> list[int]:
    """The record and those that hang on it now: rows that never move (the trail) stand on any of them."""
    found, new = [patient_id], [patient_id]
    for _step in range(MOST_STEPS):
        rows = PatientMerge.objects.filter(kept__in=new, undone_at=None).exclude(merged__in=found)
        new = list(rows.values_list("merged", flat=True))
        if not new:
            break
        found += new
    return found


def known_as(patient_id: int) -> int:
    """The record that holds this one's rows now: itself, or the one it was merged into."""
    here = patient_id
    for _step in range(MOST_STEPS):
        onwards = PatientMerge.objects.filter(merged=here, undone_at=None).values_list("kept", flat=True).first()
        if onwards is None:
            break
        here = onwards
    return here
