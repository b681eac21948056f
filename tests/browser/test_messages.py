"""The development inbox and a person's own messages in a real browser."""

from datetime import timedelta

from hospital import clock, messages
from tests.factories import PatientFactory, StaffFactory
from tests.messages.test_messages import PARAMS


def tell(patient, *templates):
    now = clock.now() - timedelta(hours=1)
    for template in templates:
        messages.tell(patient=patient, template=template, params=PARAMS, dedupe=f"{template}:{patient.pk}", now=now)
    messages.send_waiting(now=clock.now())


def test_the_inbox_shows_what_patients_were_sent(open_as, axe):
    people = [PatientFactory(name=name) for name in ("李秀英", "周志明", "欧阳海")]
    for patient in people:
        tell(patient, "appointment.booked", "appointment.moved", "schedule.stopped")

    page = open_as(StaffFactory(roles="office"), "/inbox/")

    assert page.locator("tbody tr").count() == 9
    assert "李*英您好" in page.content()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)


def test_a_person_reads_and_settles_messages(open_as, axe):
    account = StaffFactory(roles="doctor")
    tell(PatientFactory(name="李秀英", account=account), "appointment.booked", "appointment.moved")

    page = open_as(account, "/messages/")
    axe(page)
    page.get_by_role("button", name="全部标为已读").click()
    page.wait_for_load_state()

    assert page.get_by_text("未读").count() == 0
    axe(page)
