"""These tests speak of signing in; what has to be agreed to first is tested in tests/family."""

import pgtrigger
import pytest

from hospital.models import Notice


@pytest.fixture(autouse=True)
def _no_notice_published(request):
    if "db" not in request.fixturenames and request.node.get_closest_marker("django_db") is None:
        return
    request.getfixturevalue("db")
    with pgtrigger.ignore("hospital.Notice:published"):
        Notice.objects.all().delete()
