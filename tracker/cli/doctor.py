"""`tracker doctor`: machine, database, credentials, folders and every configured host, with the next step for each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tracker import config
from tracker.cli.context import clock_of, configure_log
from tracker.cli.options import Common
from tracker.cli.output import Answer, Console, emit
from tracker.clock import Clock
from tracker.config import ConfigError, Loaded
from tracker.doctor.finding import Finding, Level, fail


def doctor(*, offline: Annotated[bool, Parameter(negative=())] = False, common: Common = Common()) -> int:
    """Look at everything around the daemon: each line is ok, warn or fail, with the next step. Exit code 1 when one is fail.

    Run it as the one who has the trouble: rights are those of whoever asks. Nothing is changed, no message is sent.

    Example: `tracker doctor --offline`

    Args:
        offline: Leave the hosts of sources, mail and alerts in peace.
    """
    clock = clock_of(common)
    file = config.find(common.config, os.environ)
    try:
        loaded = config.load(file, environ=os.environ)
    except ConfigError as error:
        findings = [fail("configuration", str(problem), "tracker config check") for problem in error.problems]
    else:
        configure_log(loaded)
        findings = asyncio.run(_look(loaded, clock, offline=offline))
    return emit(
        Answer(
            document={"findings": [msgspec.to_builtins(each) for each in findings]},
            text=lambda console: _text(console, findings),
            code=1 if any(each.level is Level.FAIL for each in findings) else 0,
        ),
        json=common.json,
    )


async def _look(loaded: Loaded, clock: Clock, *, offline: bool) -> list[Finding]:
    from tracker.doctor import credentials, database, folders, hosts, machine

    findings = [*machine(loaded), *await database(loaded, clock), *credentials(loaded), *folders(loaded)]
    return findings if offline else [*findings, *await hosts(loaded, clock)]


def _text(console: Console, findings: Sequence[Finding]) -> None:
    for each in findings:
        console.line(f"{each.level.value:<4}  {each.about}: {each.says}")
        if each.next:
            console.line(f"      -> {each.next}")
    bad, odd = (sum(each.level is level for each in findings) for level in (Level.FAIL, Level.WARN))
    fine = f"Nothing is broken; {odd} to look at." if odd else "Nothing to mend."
    console.line(f"{bad} to mend." if bad else fine)
