"""A few patients' accounts for visitors of the demo: they sign in by phone, with the code of the demo's inbox."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from appointments.models import Appointment
from hospital import accounts, clock, consents, masking
from hospital.models import AccountPhone, Notice, Patient, RelatedPerson, User

Relation = RelatedPerson.Relation
YEAR = timedelta(days=365.25)
ADULT, OLD, CHILD = (28, 55), (68, 90), (3, 13)  # years, both ends inside


@dataclass(frozen=True)
class Shown:
    """What `demo_accounts` prints."""

    phone: str
    people: str


def make(*, now: datetime) -> None:
    """A family of three, an old person and a young one; each books already, where the demo's days gave them a visit."""
    today, taken = clock.today(now), set()
    grown = [_somebody(ADULT, today=today, taken=taken) for _each in range(2)]
    old = _somebody(OLD, today=today, taken=taken)
    for person in (*grown, old):
        if person:
            _open(person, now=now)
    if grown[0]:
        account = accounts.by_phone(grown[0].phone)
        for relation, ages in ((Relation.CHILD, CHILD), (Relation.PARENT, OLD)):
            relative = _somebody(ages, today=today, taken=taken, surname=grown[0].name[0])
            if relative:
                _add(account, relative, relation=relation, now=now)


def shown() -> list[Shown]:
    """The accounts' phones and who is in them, the fullest first."""
    rows = AccountPhone.objects.order_by("pk")[:3]
    found = []
    for row in rows:
        people = RelatedPerson.objects.filter(account=row.user_id, ended_at=None).select_related("patient")
        words = "、".join(
            f"{person.get_relation_display()} {masking.name(person.patient.name)}"
            for person in people.order_by("place")
        )
        found.append(Shown(row.phone, words))
    return found


def _somebody(ages: tuple[int, int], *, today: date, taken: set[int], surname: str = "") -> Patient | None:
    """Of these years, best with a visit to come, so that "my bookings" has something to show."""
    youngest, oldest = (today - YEAR * years for years in (ages[0], ages[1] + 1))
    people = Patient.objects.filter(birth_date__gt=oldest, birth_date__lte=youngest).exclude(phone="")
    people = people.exclude(pk__in=taken)
    coming = Appointment.objects.filter(status=Appointment.Status.BOOKED, day__gt=today).values("patient")
    namesakes = people.filter(name__startswith=surname)
    for choice in (namesakes.filter(pk__in=coming), namesakes, people):
        person = choice.order_by("pk").first()
        if person:
            taken.add(person.pk)
            return person
    return None


def _open(person: Patient, *, now: datetime) -> None:
    account = accounts.open_account(phone=person.phone, now=now)
    _agree(account, Notice.Kind.PRIVACY, now=now)
    _add(account, person, relation=Relation.SELF, now=now)


def _add(account: User, person: Patient, *, relation: str, now: datetime) -> None:
    RelatedPerson.objects.create(
        account=account,
        patient=person,
        relation=relation,
        guardian=relation == Relation.CHILD,
        proof=RelatedPerson.Proof.DESK,
        place=account.family.count() + 1,
        since=now,
    )
    for kind in (Notice.Kind.HEALTH, *([Notice.Kind.CHILD] if relation == Relation.CHILD else [])):
        _agree(account, kind, patient=person, now=now)


def _agree(account: User, kind: str, *, now: datetime, patient: Patient | None = None) -> None:
    notice = consents.current(kind, now=now)
    if notice:
        consents.give(account=account, notice=notice, patient=patient, now=now)
