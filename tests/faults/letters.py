"""A lower institution and what it is about to send."""

from datetime import timedelta

from hospital import clock
from hospital.models.token import ApiToken
from referrals.services import writing
from tests.factories import CommunityFactory, PatientFactory, StaffFactory, open_schedule

WRITTEN = {"reason": "血压控制不佳", "diagnosis": "高血压 3 级", "history": "八年，近两周头痛。", "consent": "patient"}


def partner(letters: int) -> dict:
    """A community centre's program, numbers kept for the centre, and letters that only want to be sent."""
    now, community = clock.now(), CommunityFactory()
    user = StaffFactory(roles="partner", roles__at=community)
    _row, token = ApiToken.issue(
        name="partner", user=user, organization=community, channel="partner", scopes=["refer", "read", "book_anyone"],
        expires_at=now + timedelta(days=1),
    )  # fmt: skip
    schedule = open_schedule(
        numbers=max(letters, 1), day=clock.today(now) + timedelta(days=30), pool="partner",
        opened=now - timedelta(days=1),
    )  # fmt: skip
    drafts = [
        writing.draft(
            patient=PatientFactory(), origin=community, receiver=schedule.organization, direction="up", by=user,
            department=schedule.department, now=now, **WRITTEN,
        )
        for _n in range(letters)
    ]  # fmt: skip
    return {"token": token, "schedule": schedule.pk, "letters": [(row.pk, row.patient_id) for row in drafts]}
