"""What the child processes of these tests run, forked from a warm server: importing everything takes longer than the tests."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tracker import config, crashpoint, daemon, log
from tracker.clock import SystemClock
from tracker.once import run_once
from tracker.store import open_store

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.daemon.warm"])


def start(work: str, path: Path, errors: Path, environ: Mapping[str, str], *, crash_at: str = "") -> ForkServerProcess:
    """Run `resident` or `one_pass` in a process of its own, its stderr in the file `errors`."""
    child = _CONTEXT.Process(target=_run, args=(work, path, errors, dict(environ), crash_at), daemon=True)
    child.start()
    return child


def _run(work: str, path: Path, errors: Path, environ: dict[str, str], crash_at: str) -> None:
    with errors.open("a") as file:
        os.dup2(file.fileno(), 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    crashpoint._ARMED = crash_at
    sys.exit(daemon.run(path, environ) if work == "resident" else asyncio.run(_one_pass(path, environ)))


async def _one_pass(path: Path, environ: dict[str, str]) -> int:
    """What `tracker run --once` does."""
    log.configure("json")
    loaded, clock = config.load(path, environ=environ), SystemClock()
    store = await open_store(loaded.settings.database_url, clock=clock, daemon=True)
    try:
        await run_once(loaded, store, clock)
    finally:
        await store.close()
    return 0
