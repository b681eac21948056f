"""A webhook, and the rounds that bring what happened to it."""

from appointments.selectors import events
from hospital import clock, outbox
from hospital.integration import webhooks
from hospital.models import Fact, Webhook, WebhookDelivery
from tests.factories import NOW, OrganizationFactory

from .ends import SECRET


def webhook(url, *, topics=events.TOPICS, organization=None, **fields):
    return Webhook.objects.create(
        organization=organization or OrganizationFactory(), name="his", url=url, secret=SECRET,
        topics=list(topics), **fields,
    )  # fmt: skip


def happened(key="appointment:1", topic="appointment.booked", **payload) -> Fact:
    return outbox.publish(topic=topic, key=key, payload=payload, now=NOW)


def fan_out():
    """The real time from here on: the receiver checks how old a message is."""
    outbox.fan_out(now=clock.now())
    while outbox.deliver(now=clock.now()):
        pass


def waiting_for(hook, fact) -> WebhookDelivery:
    webhooks.enqueue(fact, organization_id=hook.organization_id, now=clock.now())
    return WebhookDelivery.objects.get(webhook=hook, fact=fact)


def send(now=clock.now):
    return webhooks.send_due(now=now)


def due_again():
    WebhookDelivery.objects.filter(status="waiting").update(next_try_at=clock.now())
