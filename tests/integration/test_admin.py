"""Keys and webhooks in the back office: a secret is shown once; who may make what (O1, O5, O10)."""

import re

import pytest
from django.urls import reverse

from hospital.integration import targets
from hospital.models import AuditEvent, Fact, IntegrationKey, Webhook, WebhookDelivery
from tests.factories import NOW, OrganizationFactory, StaffFactory

pytestmark = pytest.mark.django_db


def address(model, act, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{act}", args=args)


def signed_in(client, role):
    user = StaffFactory(roles=role)
    client.force_login(user)
    return user


def secret_on(page) -> str:
    return re.search(r"<code>([\w-]{43})</code>", page.content.decode())[1]


def hook_form(**changes):
    form = {"organization": OrganizationFactory().pk, "name": "his", "url": "http://127.0.0.1:9/", "active": "on"}
    return {**form, "topics": ["appointment.booked"], **changes}


def assert_never_shown_again(client, model, row, secret):
    for page in (address(model, "change", row.pk), address(model, "changelist"), address(model, "history", row.pk)):
        assert secret not in client.get(page).content.decode(), page


def test_a_webhook_s_secret_is_drawn_by_the_house_and_shown_once(client):
    signed_in(client, "sysadmin")
    page = client.post(address(Webhook, "add"), hook_form(secret="typed by somebody"))

    hook = Webhook.objects.get()
    secret = secret_on(page)
    assert hook.secret == secret
    assert "no-store" in page.headers["Cache-Control"]
    assert not client.cookies.get("messages")
    assert_never_shown_again(client, Webhook, hook, secret)


def test_a_changed_webhook_keeps_its_secret_until_it_is_changed_by_name(client):
    signed_in(client, "sysadmin")
    old = secret_on(client.post(address(Webhook, "add"), hook_form()))
    hook = Webhook.objects.get()
    assert client.post(address(Webhook, "change", hook.pk), hook_form(name="his2")).status_code == 302
    hook.refresh_from_db()
    assert (hook.name, hook.secret) == ("his2", old)

    page = client.post(address(Webhook, "changelist"), {"action": "new_secret", "_selected_action": hook.pk})
    hook.refresh_from_db()
    new = secret_on(page)
    assert hook.secret == new != old
    assert_never_shown_again(client, Webhook, hook, old)
    assert_never_shown_again(client, Webhook, hook, new)
    actions = ["admin.added", "admin.changed", "admin.secret_changed"]
    assert list(AuditEvent.objects.filter(action__startswith="admin").values_list("action", flat=True)) == actions


@pytest.mark.parametrize("url", ["http://his.example/", "https://10.0.0.1/", "https://user@127.0.0.1/", "x"])
def test_an_address_that_must_not_be_posted_to_is_refused_where_it_is_entered(client, settings, url):
    settings.WEBHOOK_PLAIN_HTTP, settings.WEBHOOK_NETWORKS = False, []
    signed_in(client, "sysadmin")
    page = client.post(address(Webhook, "add"), hook_form(url=url))

    assert "不能推送" in page.content.decode()
    assert not Webhook.objects.exists()


def test_a_host_that_nobody_knows_is_refused_with_a_sentence(client, monkeypatch):
    def unknown(_target):
        raise OSError

    monkeypatch.setattr(targets, "addresses", unknown)
    signed_in(client, "sysadmin")
    assert "查不到这个主机名" in client.post(address(Webhook, "add"), hook_form()).content.decode()


def test_a_topic_that_does_not_exist_is_refused(client):
    signed_in(client, "sysadmin")
    assert client.post(address(Webhook, "add"), hook_form(topics=["patient.name"])).status_code == 200
    assert not Webhook.objects.exists()


def test_a_link_key_is_the_security_administrator_s_and_shown_once(client):
    form = {"organization": OrganizationFactory().pk, "system": "his", "active": "on"}
    signed_in(client, "sysadmin")
    assert client.post(address(IntegrationKey, "add"), form).status_code == 403
    signed_in(client, "secadmin")
    secret = secret_on(client.post(address(IntegrationKey, "add"), form))

    key = IntegrationKey.objects.get()
    assert key.secret == secret
    assert client.post(address(IntegrationKey, "change", key.pk), {}).status_code == 302
    key.refresh_from_db()
    assert (key.active, key.system, key.secret) == (False, "his", secret)
    assert_never_shown_again(client, IntegrationKey, key, secret)


def test_what_was_given_up_is_sent_again_by_the_system_administrator_only(client):
    hook = Webhook.objects.create(
        organization=OrganizationFactory(),
        name="his",
        url="http://127.0.0.1:9/",
        secret="s",
        topics=["appointment.booked"],
    )
    fact = Fact.objects.create(topic="appointment.booked", key="appointment:1", happened_at=NOW)
    row = WebhookDelivery.objects.create(
        webhook=hook, fact=fact, key=fact.key, status="failed", tries=11, next_try_at=NOW, answered=500
    )
    form = {"action": "redeliver", "_selected_action": row.pk}
    signed_in(client, "auditor")
    client.post(address(WebhookDelivery, "changelist"), form)
    row.refresh_from_db()
    assert row.status == "failed"
    signed_in(client, "sysadmin")
    client.post(address(WebhookDelivery, "changelist"), form)
    row.refresh_from_db()

    assert (row.status, row.tries, row.answered) == ("waiting", 0, None)
    assert AuditEvent.objects.filter(action="admin.redelivered").exists()
    assert client.post(address(WebhookDelivery, "change", row.pk), {"status": "sent"}).status_code == 403
