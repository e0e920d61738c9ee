"""A real PostgreSQL for the tests: started once a run from the system's binaries, on a free port of 127.0.0.1, by nobody special.

The server refuses to run as root: then it runs as `postgres`, else as `nobody`. It writes no WAL to disk in time (fsync off):
what is tried here is our behaviour, not the disk's. Every test has a database of its own, copied from an empty one in place.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psycopg

from tests.ports import free_port

MISSING = "no PostgreSQL binaries (initdb, postgres) on this machine: Debian and Ubuntu have them in the package postgresql"
"""Why a test is skipped."""

DEMANDED = "TRACKER_POSTGRES"
"""Set to `required`, a missing server fails the tests instead of skipping them."""

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin")

_QUIET = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "150",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


@cache
def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; the newest version where there are several."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = [folder for place in _PLACES for folder in Path("/").glob(place.lstrip("/")) if (folder / "initdb").exists()]
    return max(folders, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdigit()], default=None)


class Server:
    """One server. `url(name)` is an address for `database.url`; `restart`, `stop` and `start` are faults."""

    def __init__(self, folder: Path, port: int, bin_: Path) -> None:
        self.folder = folder
        self.port = port
        self._bin = bin_
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://tracker@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [word for key, value in _QUIET.items() for word in ("-c", f"{key}={value}")]
        command = [*_as_nobody(), str(self._bin / "postgres"), "-D", str(self.folder), "-p", str(self.port), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended with {self._process.returncode}")
            with suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres"), connect_timeout=1):
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        raise RuntimeError("PostgreSQL does not answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks off what runs (fast), SIGQUIT is a crash (immediate), SIGTERM waits for all to leave."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start."""
        self.stop(how)
        self.start()

    def database(self, template: str = "template0", name: str | None = None) -> str:
        """The address of a new database, a copy of `template`."""
        name = name or f"t{os.getpid()}_{next(self._names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rpartition("/")[2]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def server() -> Iterator[Server]:
    """A new server in a folder of its own, both gone afterwards. Raises RuntimeError with `MISSING` where there is none."""
    bin_ = binaries()
    if bin_ is None:
        raise RuntimeError(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="tracker-pg-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_nobody())
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        command = [*_as_nobody(), str(bin_ / "initdb"), "-D", str(data), "-U", "tracker", "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        found = Server(data, free_port(), bin_)
        found.start()
        try:
            yield found
        finally:
            found.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _nobody() -> str:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("no user `postgres` or `nobody`, and the server refuses root")


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(_nobody())
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


if __name__ == "__main__":
    place = binaries()
    print(f"PostgreSQL: {place}" if place is not None else f"Skipped: {MISSING}")
