"""`tracker …` as processes of their own, in the shop's own time: warm ones are forked from a server, cold ones are started anew.

A cold one is what systemd starts, and takes seconds to import; a warm one has imported already and differs in nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import time_machine

ROOT = Path(__file__).parents[2]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.chaos.warm"])
_AHEAD = "CHAOS_AHEAD"


class Process:
    """A running `tracker`. `ended` is its exit code, minus the signal that killed it, or None while it lives."""

    def __init__(self, process: ForkServerProcess | subprocess.Popen[bytes]) -> None:
        self._process = process
        self.life = ""
        """Which life of a daemon it is: the carrier knows it by that."""
        self.shot = False
        """Whether somebody killed it; else SIGKILL was its own doing, at a crash point."""

    @property
    def ended(self) -> int | None:
        """Look whether it lives."""
        return self._process.poll() if isinstance(self._process, subprocess.Popen) else self._process.exitcode

    def send(self, name: signal.Signals) -> None:
        """A signal, unless it has ended: one by its own hand may be waited for by the fork server before we hear of it."""
        if self.ended is None and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, name)
                self.shot = self.shot or name is signal.SIGKILL


def start(
    words: Sequence[str],
    *,
    ahead: timedelta,
    out: Path,
    err: Path,
    environ: Mapping[str, str],
    crash_at: str = "",
    cold: bool = False,
) -> Process:
    """Run `tracker WORDS`, its clock so far `ahead` of ours; its output goes to the end of these files."""
    if cold:
        own = os.environ | environ | {"TRACKER_CRASH_AT": crash_at, _AHEAD: str(ahead.total_seconds())}
        with out.open("ab") as stdout, err.open("ab") as stderr:
            command = [sys.executable, "-m", "tests.chaos.processes", *words]
            return Process(subprocess.Popen(command, cwd=ROOT, env=own, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr))
    child = _CONTEXT.Process(target=_forked, args=(list(words), ahead, out, err, dict(environ), crash_at), daemon=True)
    child.start()
    return Process(child)


def _forked(words: list[str], ahead: timedelta, out: Path, err: Path, environ: dict[str, str], crash_at: str) -> None:
    from tracker import crashpoint

    for descriptor, path in ((1, out), (2, err)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.update(environ)
    crashpoint.arm(crash_at)
    code = _tracker(words, ahead)
    sys.stdout.flush()
    sys.exit(code)


def _tracker(words: Sequence[str], ahead: timedelta) -> int:
    """The command line itself, on the shop's own date."""
    from tracker.cli import main

    time_machine.travel(datetime.now(UTC) + ahead, tick=True).start()
    return main(words)


if __name__ == "__main__":
    sys.exit(_tracker(sys.argv[1:], timedelta(seconds=float(os.environ[_AHEAD]))))
