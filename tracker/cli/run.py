"""`tracker run`: the daemon, or one full pass."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tracker import config
from tracker.cli.context import clock_of, configure_log, load, opened
from tracker.cli.errors import UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer, Console, emit
from tracker.once import PassReport, run_once
from tracker.store import StoreError, open_store


def run(*, once: Annotated[bool, Parameter(negative=())] = False, common: At = At()) -> int:
    """Run the daemon until it is asked to stop, or do one full pass: read the inbox, ask, decide, act.

    Example: `tracker run --once --at 2026-03-01`

    Args:
        once: Do all that is due now, say what was done, and end. Exit code 0 also when a source was down.
    """
    if once:
        return emit(asyncio.run(_once(common)), json=common.json)
    if common.at is not None:
        raise UsageError("the daemon lives today: --at belongs to tracker run --once")
    from tracker import daemon

    return daemon.run(config.find(common.config, os.environ))


async def _once(common: At) -> Answer:
    loaded, clock = load(common, serving=True), clock_of(common)
    configure_log(loaded)
    if common.at is not None:
        # Asked before the daemon's lock and epoch are taken: a real database must not even learn that date.
        async with opened(common, writes=True):
            pass
    store = await open_store(loaded.settings.database_url, clock=clock, daemon=True, worker=loaded.settings.worker)
    try:
        report = await run_once(loaded, store, clock)
        with suppress(StoreError):
            await store.sign_off(clock.now())
    finally:
        await store.close()
    return Answer(document=msgspec.to_builtins(report), text=lambda console: tell(console, report))


def tell(console: Console, report: PassReport) -> None:
    """What a pass did, and which sources it could not reach."""
    console.line(
        f"{report.imported} files read, {report.asked} parcels asked about, {report.decided} orders decided, "
        f"{report.dispatched} effects worked on."
    )
    if report.unasked:
        console.line(f"{report.unasked} parcels were due and nobody could be asked about them: tracker carriers status")
    if report.down:
        console.line(f"Not reached: {', '.join(report.down)}. Their parcels are as they were; nothing ages because of it.")
    console.line("What needs you: tracker status")
