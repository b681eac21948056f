"""V4, R3: on the list until somebody did it; worse means up again with everything written in."""

from datetime import timedelta

import pytest
from django.urls import reverse

from referrals import errors
from referrals.models import FollowUp, Referral
from referrals.services import answering, down, follow_up
from tests.factories import NOW, TODAY, CommunityFactory, OrganizationFactory, StaffFactory

from .community import sent_down

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture
def family_doctor():
    return StaffFactory(roles="partner", roles__at=CommunityFactory())


@pytest.fixture
def due(client, family_doctor) -> FollowUp:
    """Overdue by two days, at the family doctor's institution."""
    row = FollowUp.objects.get(referral=sent_down())
    FollowUp.objects.filter(pk=row.pk).update(due_on=TODAY - timedelta(days=2))
    row.refresh_from_db()
    client.force_login(family_doctor, backend="django.contrib.auth.backends.ModelBackend")
    return row


def note(client, row, **said):
    usual = {"act": "done", "way": "phone", "outcome": "same", "text": "血压 132/80", "next_on": ""}
    return client.post(reverse("referrals:follow_up", args=[row.pk]), {**usual, **said})


def test_a_follow_up_stays_on_the_list_until_it_is_done(client, due, django_assert_max_num_queries):
    """V4: overdue first; nobody picking up is counted; the last one completes the referral down."""
    with django_assert_max_num_queries(14):
        shown = client.get(reverse("referrals:follow_ups")).content.decode()
    assert "逾期2天" in shown
    assert "还没接收" in shown
    assert due.patient.name not in shown

    note(client, due, act="tried", note="关机")
    due.refresh_from_db()
    assert (due.tries, due.due_on) == (1, TODAY + timedelta(days=1))

    first = note(client, due, next_on=(TODAY + timedelta(days=30)).isoformat())
    assert first.url == reverse("referrals:follow_ups")
    late = note(client, due, text="另一位同事：血压 150/95")
    assert (late.status_code, "另一位同事：血压 150/95" in late.content.decode()) == (409, True)
    following = FollowUp.objects.get(done_at=None)
    assert following.due_on == TODAY + timedelta(days=30)
    assert following.referral.status == "accepted"  # whoever follows up has taken over
    note(client, following)
    following.referral.refresh_from_db()
    assert following.referral.status == "completed"
    assert not FollowUp.objects.filter(done_at=None).exists()
    kinds = list(following.referral.events.values_list("kind", flat=True))
    assert kinds == ["created", "sent", "noted", "accepted", "followed_up", "followed_up", "completed"]


def test_worse_needs_a_next_day_and_goes_up_with_what_is_known(client, due, family_doctor):
    """R1, R3: the draft has the plan's story and medication; asked for twice it is one."""
    kept = note(client, due, outcome="worse", text="夜间胸闷")
    assert kept.status_code == 422
    assert "夜间胸闷" in kept.content.decode()
    assert "下次随访" in kept.content.decode()

    note(client, due, outcome="worse", text="夜间胸闷", next_on=(TODAY + timedelta(days=1)).isoformat())
    for _twice in range(2):
        answer = client.post(reverse("referrals:follow_up", args=[due.pk]), {"act": "up"})
    [draft] = Referral.objects.filter(direction="up", status="draft")
    assert answer.url == reverse("referrals:partner_draft", args=[draft.pk])
    assert (draft.origin, draft.receiver) == (CommunityFactory(), OrganizationFactory())
    assert "夜间胸闷" in draft.reason
    assert draft.medication == "氨氯地平 5mg 每日一次"
    assert draft.department == due.referral.answers_to.department


@pytest.mark.parametrize("outcome", ["died", "moved"])
def test_after_death_or_loss_nobody_is_called_again(family_doctor, outcome):
    row = FollowUp.objects.get(referral=sent_down())
    said = {"way": "phone", "outcome": outcome, "next_on": TODAY + timedelta(days=7), "by": family_doctor, "now": NOW}
    assert follow_up.record(follow_up=row, **said) is None
    assert Referral.objects.get(pk=row.referral_id).status == "completed"
    with pytest.raises(errors.FollowedUpAlready):
        follow_up.record(follow_up=row, **said)


def test_what_is_missing_is_said_in_place_and_kept(client, due):
    answer = note(client, due, outcome="", text="血压 150/95", next_on="2026-99-99")
    assert answer.status_code == 422
    assert "血压 150/95" in answer.content.decode()
    assert set(answer.context["form"].errors) == {"outcome", "next_on"}
    early = note(client, due, next_on=(TODAY - timedelta(days=1)).isoformat())
    assert early.status_code == 422
    assert FollowUp.objects.get().done_at is None


def test_another_institution_finds_neither_the_list_nor_the_row(client, due):
    """P10"""
    other = OrganizationFactory(code="SQ9", name="东门社区", kind="community")
    client.force_login(
        StaffFactory(roles="partner", roles__at=other), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert client.get(reverse("referrals:follow_up", args=[due.pk])).status_code == 404
    assert not client.get(reverse("referrals:follow_ups"), {"shown": "open"}).context["lines"]


def test_a_rejected_one_is_followed_up_by_the_hospital(client, due):
    """Nothing disappears."""
    answering.reject(referral=due.referral, reason="床位已满", by=StaffFactory(roles="referral"), now=NOW)
    down.rehome_follow_up(referral=due.referral_id, now=NOW)
    assert client.get(reverse("referrals:follow_up", args=[due.pk])).status_code == 404
    client.force_login(StaffFactory(roles="ward"), backend="django.contrib.auth.backends.ModelBackend")
    assert note(client, due).status_code == 302
    due.refresh_from_db()
    assert due.done_at == NOW
