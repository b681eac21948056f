"""就诊: checked in, called, in the room, finished; the times feed the figures."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Department, Patient, Practitioner, Room, User

from .appointment import Appointment
from .schedule import Schedule


class Encounter(models.Model):
    """就诊. One per appointment. One patient in the room: PostgreSQL refuses a second."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("候诊")
        CALLED = "called", _("已叫号")
        IN_ROOM = "in_room", _("就诊中")
        FINISHED = "finished", _("已结束")
        LEFT = "left", _("未候而去")

    MOVES = {
        Status.WAITING: {Status.CALLED, Status.IN_ROOM, Status.LEFT},
        Status.CALLED: {Status.WAITING, Status.IN_ROOM, Status.LEFT},
        Status.IN_ROOM: {Status.FINISHED},
        Status.LEFT: {Status.WAITING},
        Status.FINISHED: set(),
    }

    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="encounter")
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="encounters")
    department = models.ForeignKey(Department, models.PROTECT, db_index=False, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="encounters")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, null=True, related_name="encounters")
    room = models.ForeignKey(Room, models.PROTECT, null=True, related_name="encounters")
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.WAITING)
    priority = models.PositiveSmallIntegerField(_("优先"), default=0)
    checked_in_at = models.DateTimeField(_("报到时间"))
    checked_in_by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    document_seen = models.BooleanField(_("已核验证件"), default=False)
    called_at = models.DateTimeField(_("叫号时间"), null=True)  # the first call: waiting is measured to it
    calls = models.PositiveSmallIntegerField(_("叫号次数"), default=0)
    passed_at = models.DateTimeField(_("过号时间"), null=True)  # did not answer a call: waits anew from here
    started_at = models.DateTimeField(_("开始时间"), null=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("就诊")
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner"], condition=Q(status="in_room"), name="one_patient_with_a_doctor"
            ),
            models.UniqueConstraint(fields=["room"], condition=Q(status="in_room"), name="one_patient_in_a_room"),
            models.CheckConstraint(
                condition=~Q(status="in_room") | Q(started_at__isnull=False, room__isnull=False),
                name="encounter_in_room_has_start_and_room",
            ),
            models.CheckConstraint(
                condition=~Q(status="finished") | Q(started_at__isnull=False, finished_at__isnull=False),
                name="encounter_finished_has_times",
            ),
        ]
