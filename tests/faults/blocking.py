"""Daemons with a flaw of our making: one whose event loop somebody blocks, one that does not like to wait."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Mapping
from pathlib import Path

from tests import house
from tests.daemon import children
from tests.daemon.conftest import Child, Home
from tracker.polling import Poller
from tracker.store.connection import base

_CONTEXT = multiprocessing.get_context("forkserver")


def start(home: Home, seconds: float, **environ: str) -> Child:
    """The resident daemon; the first poll after `block(home)` blocks the whole loop for so long."""
    args = (home.config, home.errors, {"TRACKS_KEY": house.TOKEN, **environ}, seconds)
    process = _CONTEXT.Process(target=_run, args=args, daemon=True)
    process.start()
    child = Child(process)
    home.children.append(child)
    return child


def start_impatient(home: Home, seconds: float) -> Child:
    """The resident daemon, which waits for a locked database no longer than that."""
    process = _CONTEXT.Process(
        target=_run_impatient, args=(home.config, home.errors, {"TRACKS_KEY": house.TOKEN}, seconds), daemon=True
    )
    process.start()
    child = Child(process)
    home.children.append(child)
    return child


def _run_impatient(path: Path, errors: Path, environ: Mapping[str, str], seconds: float) -> None:
    base.PATIENCE_SECONDS = seconds  # type: ignore[assignment]
    children._run("resident", path, errors, dict(environ), "")


def _run(path: Path, errors: Path, environ: Mapping[str, str], seconds: float) -> None:
    poll_once, wanted = Poller.poll_once, path.with_name("block")

    async def blocked(poller: Poller) -> object:
        if wanted.exists():
            wanted.unlink()
            stand_still(seconds)
        return await poll_once(poller)

    Poller.poll_once = blocked  # type: ignore[method-assign, assignment]
    children._run("resident", path, errors, dict(environ), "")


def block(home: Home) -> None:
    """Now."""
    (home.folder / "block").touch()


def stand_still(seconds: float) -> None:
    """What no coroutine may do."""
    threading.Event().wait(seconds)
