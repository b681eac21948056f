"""坐诊: a plain clinic names rooms, not doctors; whoever is on duty sits down in one of them."""

from datetime import datetime

from django.db import IntegrityError, transaction

from appointments.errors import SeatTaken
from appointments.models import ScheduleParticipant
from hospital import outbox
from hospital.models import Practitioner


def sit_down(*, seat: ScheduleParticipant, practitioner: Practitioner, now: datetime) -> ScheduleParticipant:
    """The doctor takes this room for the half-day. Repeating it changes nothing.

    That a doctor is in one place and a room has one clinic is a constraint of the database. Raises SeatTaken.
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
        if "a_doctor_is_in_one_place" in str(error):
            raise SeatTaken from error
        raise
