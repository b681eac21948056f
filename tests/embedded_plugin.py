"""Start PostgreSQL and Redis for the tests when no URL is given.

A plugin named in `addopts`, not a conftest: pytest-django reads the settings before any conftest.
With xdist only the first process starts servers; its workers inherit the URLs. A second pytest at
the same time gets servers of its own in a temporary folder.
"""

import os

import pytest

from hospital.embedded import servers
from hospital.embedded.errors import CannotStart


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Before pytest-django's own hook of this name: a wrapper goes first."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        running = servers.running(name="test", for_tests=True)
        try:
            started = running.__enter__()
        except CannotStart as problem:
            raise pytest.UsageError(str(problem)) from None
        early_config.add_cleanup(lambda: running.__exit__(None, None, None))
        os.environ.update(started.urls())
    return (yield)
