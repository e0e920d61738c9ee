"""What breaks under a daemon: its disk, its files, its clock; done by the operating system, not by mocks."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.daemon.conftest import Child, Mailbox

_NO_LIMIT = resource.RLIM_INFINITY

HOLDER = """
import sqlite3, sys, time
raw = sqlite3.connect(sys.argv[1], isolation_level=None)
raw.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
raw.execute("ROLLBACK")
"""


class Trap(Mailbox):
    """A mail server in whose hands something breaks: `spring` runs when the first text has come, before the answer."""

    def __init__(self, spring: Callable[[], None]) -> None:
        super().__init__()
        self.sprung = 0
        self._spring = spring

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if not self.sprung:
            self._spring()
        self.sprung += 1
        return await super().handle_DATA(server, session, envelope)

    @property
    def twice(self) -> list[str]:
        """Messages that came more than once."""
        return sorted({each for each in self.ids if self.ids.count(each) > 1})


def nothing_can_grow(child: Child) -> None:
    """RLIMIT_FSIZE of a process that runs: no byte more can be written to any file."""
    _limit(child, 0)


def all_can_grow(child: Child) -> None:
    """The disk has space again."""
    _limit(child, _NO_LIMIT)


def _limit(child: Child, limit: int) -> None:
    pid = child._process.pid
    assert pid is not None
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, _NO_LIMIT))


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own; skips where nobody may mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root on Linux; the file size limit is tested everywhere")
    folder = Path(tempfile.mkdtemp(prefix="tracker-disk-"))
    options = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(options, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("this machine lets nobody mount a tmpfs; the file size limit is tested everywhere")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
        folder.rmdir()


def set_read_only(folder: Path) -> None:
    """A file system that the kernel has set to read-only, as it does after errors of the disk."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, capture_output=True)


def set_writable(folder: Path) -> None:
    """And back."""
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True, capture_output=True)


def fill(folder: Path) -> Path:
    """A file that takes all that is left; the caller removes it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


def copy_of(database: Path, to: Path) -> Path:
    """A whole copy, also while somebody writes."""
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("VACUUM INTO ?", (str(to),))
    return to


def flip_bytes(database: Path) -> None:
    """A bad disk: the tables that all work begins with are rubbish, on the disk and so for whoever reads them anew."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = raw.execute("PRAGMA page_size").fetchone()[0]
        roots = "SELECT rootpage FROM sqlite_master WHERE rootpage > 1 AND tbl_name IN ('outbox', 'dossier', 'shipment')"
        pages = [row[0] for row in raw.execute(roots)]
    assert pages
    with database.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * 512)
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as raw:
        # Somebody writes: whoever remembers pages reads them again.
        raw.execute("UPDATE daemon SET owner = owner")


@contextmanager
def locked(database: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Another process holds the write lock for that long."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(database), str(seconds)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield holder
    finally:
        holder.kill()
        holder.communicate()
