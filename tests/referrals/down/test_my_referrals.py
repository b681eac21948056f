"""R1, R3: the patient reads where they were sent, what it means, and the plan; nobody else does."""

import pytest
from django.urls import reverse

from hospital.messages import wording_of
from hospital.models import Message
from referrals.models import Referral
from referrals.policies.plain_words import said_of
from referrals.services import down_notices
from tests.factories import NOW, AccountFactory, PatientFactory, ReferralFactory, RelatedPersonFactory

from .community import arrived, sent_down

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture
def patient(client):
    account = AccountFactory()
    person = PatientFactory(name="欧阳望舒")
    RelatedPersonFactory(account=account, patient=person, proof="window")
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return person


def test_a_patient_reads_the_plan_and_what_is_next(client, patient, django_assert_max_num_queries):
    """R3: with the warning signs first; the letter between the doctors is not shown."""
    row = sent_down(referral=arrived(patient=patient))
    with django_assert_max_num_queries(20):
        listed = client.get(reverse("referrals:my_referrals")).content.decode()
    assert "转回柳堤社区卫生服务中心" in listed
    assert "欧阳望舒" not in listed
    shown = client.get(reverse("referrals:my_referral", args=[row.pk])).content.decode()
    for said in ("氨氯地平 5mg 每日一次", "血压高于 180/110", "前后联系您"):
        assert said in shown
    assert "住院调药" not in shown
    up = client.get(reverse("referrals:my_referral", args=[row.answers_to_id])).content.decode()
    assert reverse("referrals:my_referral", args=[row.pk]) in up
    assert "高血压 8 年" not in up


def test_the_day_of_the_plan_is_on_the_home_page_and_in_a_message(client, patient):
    row = sent_down(referral=arrived(patient=patient))
    down_notices.tell_plan(referral=row.pk, now=NOW)
    down_notices.tell_plan(referral=row.pk, now=NOW)
    message = Message.objects.filter(template="referral.sent_down").first()
    said = wording_of(message)
    assert said.title == "转回社区，计划已发给您"
    assert "复诊日是12月" in said.body
    assert "氨氯地平" not in said.body  # an SMS is read over a shoulder
    assert Message.objects.count() == Message.objects.filter(template="referral.sent_down").count()
    home = client.get(reverse("appointments:patient_home")).content.decode()
    assert "复诊提醒" in home


def test_drafts_others_and_people_nobody_proved_are_not_shown(client, patient):
    """O4: a name and a document number are for sale."""
    binding = RelatedPersonFactory(patient=PatientFactory(), account=AccountFactory(), proof="registered")
    account, unproved = binding.account, ReferralFactory(patient=binding.patient)
    draft = ReferralFactory(patient=patient, status="draft", consent="", consented_at=None)
    for row in (unproved, draft, ReferralFactory()):
        assert client.get(reverse("referrals:my_referral", args=[row.pk])).status_code == 404
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("referrals:my_referral", args=[unproved.pk])).status_code == 404


@pytest.mark.parametrize("direction", ["up", "down"])
def test_every_state_is_said_in_plain_words(direction):
    for status in Referral.Status:
        row = ReferralFactory.build(status=status, direction=direction, patient=None, by=None, department=None)
        said = said_of(row)
        assert said.state
        assert said.what.endswith("。")
