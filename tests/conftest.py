"""What every test gets."""

from pathlib import Path

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.test import TransactionTestCase
from django.utils import translation

from billing.gateways import merchants
from tests import emptying, migrated
from tests.factories.base import NOW
from tests.payment_gateway import PaymentGateway

# Here whole processes run, and the database's clock decides: they live at the machine's own time.
OF_TODAY = {"bench", "browser", "demo", "embedded", "faults"}

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


def _of_today(request) -> bool:
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    return folder in OF_TODAY or request.node.get_closest_marker("of_today") is not None


@pytest.fixture(autouse=True)
def _a_monday_morning(request):
    """Every test begins at NOW, whatever day it is run on; its clock goes on from there."""
    if _of_today(request):
        yield
        return
    with time_machine.travel(NOW, tick=True):
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
def payment_gateway(request, _gateway_process, settings):
    """WeChat Pay and Alipay as a process of its own that every house has accounts with (tests/payment_gateway.py)."""
    if _gateway_process.process is None:
        _gateway_process.start()
    _gateway_process("reset")
    if not _of_today(request):
        _gateway_process.at(NOW)
    settings.PAYMENT_MERCHANTS = _gateway_process.merchants
    merchants.file.forget()
    yield _gateway_process
    merchants.file.forget()


@pytest.fixture(autouse=True)
def _own_language():
    """A page asked for in English leaves English behind in its thread; each test starts in Chinese."""
    translation.activate(settings.LANGUAGE_CODE)
