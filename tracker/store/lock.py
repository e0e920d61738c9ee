"""One daemon a database: a file lock beside it. Where it does not hold (network file systems), the epoch row does (fault 21)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tracker.store.errors import AnotherDaemon, Unwritable


class DaemonLock:
    """An exclusive `flock` on `<database>.lock`; the kernel drops it with the process, however that ends."""

    def __init__(self, database: Path) -> None:
        """Take the lock. Raises AnotherDaemon when somebody has it, Unwritable when the file cannot be made."""
        self.path = database.with_name(database.name + ".lock")
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        except OSError as error:
            raise Unwritable(
                f"The lock file {self.path} cannot be made: {error.strerror}. Look at the rights of its folder."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise AnotherDaemon(
                f"Another tracker daemon is working on {database}. Only one may: stop it first (systemctl stop tracker). "
                "Who it is: tracker status"
            ) from None

    def release(self) -> None:
        """Let the next one in. The file stays: removing it would open a gap between two that wait."""
        os.close(self._file)


def daemon_runs(database: Path) -> bool | None:
    """Whether a daemon holds the lock beside `database` now; None where the lock file may not be read."""
    try:
        file = os.open(database.with_name(database.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
