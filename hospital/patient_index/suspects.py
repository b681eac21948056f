"""疑似重复: pairs of records that may be one person. Found at night over all, and when somebody is registered.

Which pairs: same reading of the name and birth date; same reading and phone; same birth date and phone; one document
number under two kinds (a social-security card often bears the identity card's number). Where only name and birth date
speak for it, two different identity cards whose check digit holds, or two different sexes, are two people. A phone or
a birth date that too many share was typed for want of a better one and says nothing.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from hospital import audit, identity
from hospital.models import DuplicateSuspect, Patient, PatientIdentifier, User

from . import errors

Why, Status = DuplicateSuspect.Why, DuplicateSuspect.Status

MOST_ALIKE = 12
"""Records that share what makes them suspects; more is a placeholder."""

RECENT = timedelta(days=3)
"""Documents are compared by number for people registered so lately (a hash knows one kind only); nights overlap."""

AT_ONCE = 500
"""People whose documents are compared together."""

FIND = """
WITH keyed AS (
    SELECT id, 'name_birth' AS why, pinyin || '|' || birth_date AS key FROM hospital_patient
     WHERE active AND pinyin <> '' AND birth_date IS NOT NULL
    UNION ALL
    SELECT id, 'name_phone', pinyin || '|' || phone_hash FROM hospital_patient
     WHERE active AND pinyin <> '' AND phone_hash <> ''
    UNION ALL
    SELECT id, 'birth_phone', birth_date || '|' || phone_hash FROM hospital_patient
     WHERE active AND birth_date IS NOT NULL AND phone_hash <> ''
), few AS (
    SELECT why, key FROM keyed GROUP BY why, key HAVING count(*) BETWEEN 2 AND %(most)s
), pairs AS (
    SELECT a.id AS first, b.id AS second, array_agg(DISTINCT a.why) AS why
      FROM few JOIN keyed a USING (why, key) JOIN keyed b USING (why, key)
     WHERE a.id < b.id {only}
     GROUP BY a.id, b.id
)
INSERT INTO hospital_duplicatesuspect (first_id, second_id, why, status, found_at, note)
SELECT p.first, p.second, p.why, 'open', %(now)s, ''
  FROM pairs p
  JOIN hospital_patient one ON one.id = p.first
  JOIN hospital_patient two ON two.id = p.second
 WHERE (p.why <> ARRAY['name_birth'] OR one.sex = two.sex OR 'U' IN (one.sex, two.sex))
   AND (p.why <> ARRAY['name_birth'] OR NOT EXISTS (
        SELECT 1 FROM hospital_patientidentifier c, hospital_patientidentifier d
         WHERE c.patient_id = p.first AND d.patient_id = p.second AND c.kind = 'id_card' AND d.kind = 'id_card'
           AND c.checked AND d.checked AND c.number_hash <> d.number_hash))
ON CONFLICT (first_id, second_id) DO UPDATE SET why = EXCLUDED.why
 WHERE hospital_duplicatesuspect.status = 'open' AND hospital_duplicatesuspect.why <@ EXCLUDED.why
   AND hospital_duplicatesuspect.why <> EXCLUDED.why
RETURNING id
"""

ALIKE = """
SELECT o.id FROM hospital_patient p JOIN hospital_patient o
    ON o.active AND o.id <> p.id AND (
       (p.pinyin <> '' AND o.pinyin = p.pinyin AND o.birth_date = p.birth_date)
    OR (p.phone_hash <> '' AND o.phone_hash = p.phone_hash AND (o.pinyin = p.pinyin OR o.birth_date = p.birth_date)))
 WHERE p.id = %(patient)s AND p.active LIMIT %(most)s
"""


def find_all(*, now: datetime) -> int:
    """Every pair that is not known yet; safe to repeat. What was decided is not asked again. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '15min'")  # 200,000 people: 12 s on a busy machine
        cursor.execute(FIND.format(only=""), {"most": MOST_ALIKE, "now": now})
        found = len(cursor.fetchall())
    lately = Patient.objects.filter(active=True, registered_at__gt=now - RECENT).order_by("pk")
    ids = list(lately.values_list("pk", flat=True))
    chunks = (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
    return found + sum(_same_document(chunk, now=now) for chunk in chunks)


def find_for(patient: Patient, *, now: datetime) -> int:
    """Whom a record that was just made or corrected may double. Two index look-ups where nobody is alike."""
    with connection.cursor() as cursor:
        cursor.execute(ALIKE, {"patient": patient.pk, "most": MOST_ALIKE + 1})
        alike = [pk for (pk,) in cursor.fetchall()]
    if alike and len(alike) <= MOST_ALIKE:
        with connection.cursor() as cursor:
            only = "AND a.id = ANY (%(near)s) AND b.id = ANY (%(near)s) AND %(patient)s IN (a.id, b.id)"
            near = FIND.replace("WHERE active AND", "WHERE id = ANY (%(near)s) AND active AND")
            cursor.execute(
                near.format(only=only),
                {"most": MOST_ALIKE, "now": now, "near": [patient.pk, *alike], "patient": patient.pk},
            )
            found = len(cursor.fetchall())
    else:
        found = 0
    return found + _same_document([patient.pk], now=now)


def _same_document(patients: list[int], *, now: datetime) -> int:
    """One number under two kinds of document, on two records. Three queries."""
    wanted: dict[str, set[int]] = {}
    for paper in PatientIdentifier.objects.filter(patient__in=patients):
        for kind in identity.Kind.values:
            if kind != paper.kind:
                wanted.setdefault(identity.document_hash(kind, paper.number), set()).add(paper.patient_id)
    rows = PatientIdentifier.objects.filter(number_hash__in=wanted, patient__active=True) if wanted else []
    pairs = {tuple(sorted((one, row.patient_id))) for row in rows for one in wanted[row.number_hash]}
    known = set(
        DuplicateSuspect.objects.filter(first__in={one for one, _other in pairs}).values_list("first", "second")
    )
    new = [pair for pair in sorted(pairs - known) if pair[0] != pair[1]]
    DuplicateSuspect.objects.bulk_create(
        [DuplicateSuspect(first_id=a, second_id=b, why=[Why.SAME_DOCUMENT], found_at=now) for a, b in new],
        ignore_conflicts=True,
    )
    return len(new)


def open_pairs() -> QuerySet[DuplicateSuspect]:
    """What waits for somebody to look: both records in use, the strongest hint and the newest first."""
    rows = DuplicateSuspect.objects.filter(status=Status.OPEN, first__active=True, second__active=True)
    return rows.select_related("first", "second").order_by("-found_at", "-pk")


@transaction.atomic
def propose(*, one: Patient, other: Patient, by: User, now: datetime) -> DuplicateSuspect:
    """Somebody at the window sees that two records are one person: the pair, open again if it was decided before."""
    if one.pk == other.pk or not (one.active and other.active):
        raise errors.NotTwoRecords()
    first, second = sorted((one.pk, other.pk))
    row, made = DuplicateSuspect.objects.get_or_create(
        first_id=first, second_id=second, defaults={"why": [], "found_at": now}
    )
    if not made and row.status == Status.DIFFERENT:
        row.status, row.decided_at, row.decided_by, row.found_at = Status.OPEN, None, None, now
        row.save()
    audit.record(action="duplicate.proposed", actor=by, subject=f"duplicatesuspect:{row.pk}", now=now)
    return row


@transaction.atomic
def differ(*, suspect: DuplicateSuspect, note: str, by: User, now: datetime) -> DuplicateSuspect:
    """不是同一人: not asked again. Raises NeedsMergeReason, DecidedAlready."""
    if not note.strip():
        raise errors.NeedsMergeReason()
    row = DuplicateSuspect.objects.select_for_update(no_key=True).get(pk=suspect.pk)
    if row.status != Status.OPEN:
        raise errors.DecidedAlready(how=row.get_status_display())
    row.status, row.decided_at, row.decided_by, row.note = Status.DIFFERENT, now, by, note.strip()[:200]
    row.save()
    audit.record(
        action="duplicate.different", actor=by, subject=f"duplicatesuspect:{row.pk}", now=now,
        detail={"why": row.note},
    )  # fmt: skip
    return row
