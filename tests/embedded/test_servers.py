"""The servers that start when no URL is given: real processes, looked at from outside."""

import contextlib
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2
import pytest
import redis

from hospital.embedded import address, binaries, folders, servers
from hospital.embedded.errors import AlreadyRunning, CannotStart


def answers(url: str, question: str):
    connection = psycopg2.connect(url)
    try:
        cursor = connection.cursor()
        cursor.execute(question)
        return cursor.fetchone()[0]
    finally:
        connection.close()


@pytest.fixture(scope="module")
def started():
    """Servers to look at; a test that starts or stops them has its own `home`."""
    base = Path(tempfile.mkdtemp(prefix="hospital-home-"))
    base.chmod(0o711)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, base)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOSPITAL_HOME", str(base))
            for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
                patch.delenv(name, raising=False)
            servers_of_ours = stack.enter_context(servers.running(name="test", for_tests=True))
        yield servers_of_ours


def test_both_servers_answer_under_their_urls_and_are_gone_afterwards(home):
    with servers.running(name="test", for_tests=True) as started:
        urls = started.urls()
        assert answers(urls["DATABASE_URL"], "SELECT current_database()") == "hospital"
        assert redis.Redis.from_url(urls["CACHE_URL"]).ping()
        pids = [started.postgres.process.pid, started.valkey.process.pid]

    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert started.postgres.process.returncode == 0
    assert started.valkey.process.returncode == 0


def test_the_data_stays_for_the_next_start(home):
    with servers.running(name="test", for_tests=True) as started:
        connection = psycopg2.connect(started.urls()["DATABASE_URL"])
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 42 AS number")
        connection.close()

    with servers.running(name="test", for_tests=True) as started:
        assert answers(started.urls()["DATABASE_URL"], "SELECT number FROM kept") == 42


def test_chinese_names_are_searchable_by_trigram(started):
    """With the plain C locale pg_trgm sees no Chinese character, silently."""
    url = started.urls()["DATABASE_URL"]
    assert answers(url, "SELECT datctype FROM pg_database WHERE datname = 'hospital'") == "C.UTF-8"
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_trgm")  # a trusted extension: no superuser needed
        cursor.execute("SELECT array_length(show_trgm('消化内科'), 1)")
        assert cursor.fetchone()[0] == 5
    connection.close()


def test_nobody_else_on_the_machine_reaches_the_database(started):
    sockets = started.postgres.sockets
    assert answers(started.urls()["DATABASE_URL"], "SHOW listen_addresses") == ""
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(started.postgres.data.stat().st_mode) == 0o700
    assert (
        answers(started.urls()["DATABASE_URL"], "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    )


def test_a_failing_statement_leaves_no_name_in_the_log(started):
    with pytest.raises(psycopg2.Error):
        answers(started.urls()["DATABASE_URL"], "SELECT '王秀英'::text || no_such_column")
    connection = psycopg2.connect(started.urls()["DATABASE_URL"])
    with connection.cursor() as cursor, pytest.raises(psycopg2.Error):
        cursor.execute(
            "CREATE TEMP TABLE people (name text PRIMARY KEY); INSERT INTO people VALUES ('王秀英'), ('王秀英')"
        )
    connection.close()
    log = (started.base / "log" / "test-postgres.log").read_text()

    assert "no_such_column" in log
    assert "王秀英" not in log


def test_a_second_user_of_the_cluster_gets_servers_of_its_own(home):
    with servers.running(name="test", for_tests=True) as first, servers.running(name="test", for_tests=True) as second:
        assert first.urls()["DATABASE_URL"] != second.urls()["DATABASE_URL"]
        assert answers(second.urls()["DATABASE_URL"], "SELECT 1") == 1
        elsewhere = second.base

    assert not elsewhere.exists()


def test_a_given_url_is_used_and_nothing_is_started_for_it(home, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://of.another.machine/hospital")

    with servers.running(name="test", for_tests=True) as started:
        assert started.postgres is None
        assert set(started.urls()) == {"REDIS_URL", "CACHE_URL"}


def test_a_data_folder_with_a_very_long_name_gets_its_sockets_elsewhere(home, monkeypatch):
    deep = home.joinpath(*["a-folder-with-a-long-name"] * 5)
    deep.mkdir(parents=True)
    monkeypatch.setenv("HOSPITAL_HOME", str(deep))

    with servers.running(name="test", for_tests=True) as started:
        assert answers(started.urls()["DATABASE_URL"], "SELECT 1") == 1
        sockets = started.postgres.sockets

    assert len(str(sockets / ".s.PGSQL.5432")) <= folders.SOCKET_PATH_LIMIT
    assert not sockets.exists()


def test_a_pid_file_that_means_another_program_does_not_stop_the_start(home):
    """After a restart of a container the old number belongs to somebody else."""
    with servers.running(name="test", for_tests=True) as started:
        pid_file = started.postgres.data / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n")

    with servers.running(name="test", for_tests=True) as started:
        assert answers(started.urls()["DATABASE_URL"], "SELECT 1") == 1


def test_an_initdb_that_was_cut_off_is_done_again(home):
    store = folders.servers_folder(home, servers.accounts.for_servers())
    half = folders.own_folder(
        folders.own_folder(store / "test", servers.accounts.for_servers()) / "postgres-18.draft", None
    )
    (half / "PG_VERSION").write_text("18")

    with servers.running(name="test", for_tests=True) as started:
        assert answers(started.urls()["DATABASE_URL"], "SELECT 1") == 1


def test_without_any_postgres_the_error_names_both_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no wheel is installed
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotStart) as refusal:
        binaries.find_postgres(store=tmp_path, account=None)
    assert "pip install" in str(refusal.value)
    assert "DATABASE_URL" in str(refusal.value)

    with pytest.raises(CannotStart) as refusal:
        binaries.find_redis(store=tmp_path, account=None)
    assert "pip install" in str(refusal.value)
    assert "REDIS_URL" in str(refusal.value)


def test_the_system_postgres_serves_when_the_wheel_is_missing(tmp_path, monkeypatch):
    folder = tmp_path / "usr" / "16" / "bin"
    folder.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (folder / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4'\n")
        (folder / program).chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no wheel is installed
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", (f"{tmp_path}/usr/*/bin",))

    assert binaries.find_postgres(store=tmp_path, account=None) == binaries.Postgres(
        folder=folder, major=16, origin="system"
    )


def test_a_postgres_that_is_too_old_is_named_in_the_error(tmp_path, monkeypatch):
    folder = tmp_path / "12" / "bin"
    folder.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (folder / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 12.1'\n")
        (folder / program).chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no wheel is installed
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotStart, match=r"12/bin \(version 12\)"):
        binaries.find_postgres(store=tmp_path, account=None)


def test_a_lock_is_free_again_when_its_holder_was_killed(tmp_path):
    path = tmp_path / "demo.lock"
    take = f"from pathlib import Path; from hospital.embedded.folders import Lock; l = Lock(Path({str(path)!r})); "
    take += "l.acquire(address='http://127.0.0.1:8000'); print('held', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", take], cwd=folders.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(AlreadyRunning, match=r"already running: http://127\.0\.0\.1:8000"):
        folders.Lock(path).acquire()

    holder.kill()
    holder.communicate()

    assert folders.note_of_holder(path) is None


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "80 00", "٨٠٠٠"])
def test_a_port_that_is_none_is_refused(text, monkeypatch):
    monkeypatch.setenv("PORT", text)

    with pytest.raises(CannotStart, match="PORT must be a number"):
        address.port()


def test_run_gives_a_command_the_urls_and_its_exit_code(home):
    program = "import os, sys; sys.exit(7 if os.environ['DATABASE_URL'] and os.environ['SECRET_KEY'] else 1)"
    command = [
        sys.executable,
        "-m",
        "hospital.embedded",
        "run",
        "--cluster",
        "test",
        "--",
        sys.executable,
        "-c",
        program,
    ]

    assert subprocess.run(command, cwd=folders.PROJECT, check=False, timeout=60).returncode == 7
