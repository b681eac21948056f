"""What every test gets."""

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase
from django.utils import translation

from billing.gateways import merchants
from tests import emptying, migrated
from tests.payment_gateway import PaymentGateway

# How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request,
    django_db_modify_db_settings,
    django_test_environment,
    django_db_keepdb,
    django_db_createdb,
    django_db_blocker,
):
    """Before pytest-django makes the database: where to copy it from."""
    if not request.config.getvalue("nomigrations"):
        with django_db_blocker.unblock():
            migrated.copy_instead_of_migrating(keep=django_db_keepdb and not django_db_createdb)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Roles start without security settings, and nobody is asked for a consent: a test makes what it speaks of.

    Published notices can't be deleted row by row, by anybody: the table is emptied. After a test that committed,
    only what holds rows is emptied.
    """
    from django.db import connection

    from hospital.models import RolePolicy

    with django_db_blocker.unblock():
        RolePolicy.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE hospital_notice CASCADE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: emptying.empty())
        yield


@pytest.fixture(autouse=True)
def _fresh_rules():
    """Rule rows are kept a few seconds in the process; a test sees its own."""
    from appointments.selectors import rules, schedules, soldout
    from billing.selectors import rules as payment_rules

    kept = (rules, schedules, soldout, payment_rules)
    for each in kept:
        each.forget()
    yield
    for each in kept:
        each.forget()


@pytest.fixture(scope="session")
def _gateway_process(tmp_path_factory):
    gateway = PaymentGateway(tmp_path_factory.mktemp("gateway"))
    yield gateway
    gateway.stop()


@pytest.fixture
def payment_gateway(_gateway_process, settings):
    """WeChat Pay and Alipay as a process of its own that every house has accounts with (tests/payment_gateway.py)."""
    if _gateway_process.process is None:
        _gateway_process.start()
    _gateway_process("reset")
    settings.PAYMENT_MERCHANTS = _gateway_process.merchants
    merchants.file.forget()
    yield _gateway_process
    merchants.file.forget()


@pytest.fixture(autouse=True)
def _own_language():
    """A page asked for in English leaves English behind in its thread; each test starts in Chinese."""
    translation.activate(settings.LANGUAGE_CODE)
