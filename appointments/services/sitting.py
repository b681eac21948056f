"""坐诊: a plain clinic names rooms, not doctors; whoever is on duty sits down in one of them."""

from datetime import datetime

from django.db import IntegrityError, transaction

from appointments.errors import OutsideContract, SeatTaken
from appointments.models import ScheduleParticipant
from appointments.services import clashes
from hospital import outbox
from hospital.models import Practitioner


def sit_down(*, seat: ScheduleParticipant, practitioner: Practitioner, now: datetime) -> ScheduleParticipant:
    """The doctor takes this room for the half-day. Repeating it changes nothing.

    That a doctor is in one place, and within a contract, the database decides. Raises SeatTaken, OutsideContract.
    Publishes sitting.taken.
    """
    try:
        with transaction.atomic():
            row = ScheduleParticipant.objects.select_for_update(no_key=True).get(pk=seat.pk)
            if row.practitioner_id == practitioner.pk:
                return row
            if row.practitioner_id or not row.active:
                raise SeatTaken
            row.practitioner = practitioner
            row.save(update_fields=["practitioner"])
            outbox.publish(
                topic="sitting.taken",
                key=f"schedule:{row.schedule_id}",
                payload={"schedule": row.schedule_id, "room": row.room_id, "practitioner": practitioner.pk},
                actor=practitioner.user,
                now=now,
            )
            return row
    except IntegrityError as error:
        code = clashes.code_of(error)
        if code is None:
            raise
        if code == "outside_contract":
            house = seat.schedule.organization
            raise OutsideContract(who=str(practitioner), where=str(house)) from error
        raise SeatTaken from error
