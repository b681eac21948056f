"""What the fault tests start, and stop again."""

import pytest
from django.db import connection

from .jobs import Jobs, Redis

SLOW = """
CREATE FUNCTION a_slow_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
CREATE TRIGGER a_slow_disk AFTER {write} FOR EACH STATEMENT EXECUTE FUNCTION a_slow_disk();
"""


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def jobs(tmp_path, redis):
    jobs = Jobs(folder=tmp_path, redis=redis)
    yield jobs
    jobs.stop()


@pytest.fixture
def slow_disk(request):
    """The write that `@pytest.mark.parametrize("slow_disk", [...], indirect=True)` names takes so long each time that
    there is a middle to be killed in."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW.format(write=request.param))
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION a_slow_disk CASCADE")
