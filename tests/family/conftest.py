"""A patient's account, signed in by a code a moment ago, on a Monday at 10:00."""

from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.test import Client

from hospital.permissions import CODE_AT
from tests.factories import NOW, AccountFactory


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def account(db):
    return AccountFactory(phone="13800000001")


@pytest.fixture
def client(account):
    return signed_in(account)


@pytest.fixture
def published(db):
    """The notices and retention times that every hospital starts with."""
    import_module("hospital.migrations.0010_first_notices").write(apps, None)


def signed_in(user) -> Client:
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = browser.session
    session[CODE_AT] = NOW.timestamp()
    session.save()
    return browser
