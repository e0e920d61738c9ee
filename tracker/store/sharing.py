"""Files that a group shares: on a server, members of the group work with the commands beside the daemon (facts/systemd.md 9).

A folder with the setgid bit says so: whoever makes a file in it makes it for the group. SQLite gives -wal and -shm the mode of
the database, so that one must be writable by the group; everything else goes by the umask.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tracker.store.connection import sqlite_path
from tracker.store.errors import UnsupportedDatabase

UMASK = 0o007
"""For group and owner everything, for others nothing."""

FILE_MODE = 0o660


def share_files(url: str) -> bool:
    """Let this process make files for the group where the database's folder is the group's. Whether it is."""
    try:
        shared = is_shared(sqlite_path(url).parent)
    except UnsupportedDatabase:
        return False
    if shared:
        os.umask(UMASK)
    return shared


def share_file(file: Path) -> None:
    """Open a new database file to the group of a shared folder; SQLite makes it 0644 whatever the umask allows."""
    if is_shared(file.parent):
        file.chmod(FILE_MODE)


def is_shared(folder: Path) -> bool:
    """Whether a folder hands its group to what is made in it."""
    try:
        return bool(folder.stat().st_mode & stat.S_ISGID)
    except OSError:
        return False
