"""`tracker carriers`: the sources that can be asked, what their answers mean, how our accounts stand.

`list` and `parse` need neither configuration nor database, so `status` is imported when it is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from carriers import registry
from carriers.base import Response
from carriers.parse import ParseResult, Result, parse
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import At, Common
from tracker.cli.output import Answer, Console, emit

app = App(name="carriers", help="The sources that can be asked, and what their answers mean.")


@app.command(name="list")
def list_(*, common: Common = Common()) -> int:
    """All sources this version can ask.

    Example: `tracker carriers list --json`
    """
    known = [registry.describe(name) for name in registry.names()]
    return emit(
        Answer(
            document={"carriers": [msgspec.to_builtins(each) for each in known]},
            text=lambda console: console.table(_COLUMNS, map(_row, known), empty=""),
        ),
        json=common.json,
    )


_COLUMNS = (
    "name", "source", "tier", "numbers at once", "secrets", "registers", "answers later", "push", "calls a second", "calls a day"
)  # fmt: skip


def _row(each: registry.Description) -> tuple[object, ...]:
    return (
        each.name,
        each.title,
        each.tier,
        f"{each.batch_size}, one a call" if each.apiece else each.batch_size,
        each.secrets,
        each.registers,
        each.asynchronous,
        each.push,
        each.rps,
        each.daily,
    )


@app.command(name="parse")
def parse_(name: str, file: Path, /, *, http_status: int = 200, common: Common = Common()) -> int:
    """Read a stored answer of a source and say what it means.

    Example: `tracker carriers parse seventeen_track answer.json --json`

    Args:
        name: The source, as in: tracker carriers list
        file: The body as it came: JSON, XML, HTML or a sheet.
        http_status: The status code it came with.
    """
    try:
        registry.get(name)
        found = parse(name, Response(status=http_status, body=file.read_bytes()))
    except registry.UnknownCarrierError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise Failed("unreadable_file", f"{file}: cannot be read: {error.strerror}") from error
    return emit(Answer(document=msgspec.to_builtins(found), text=lambda console: _text(console, found)), json=common.json)


@app.command
def status(*, ask: Annotated[bool, Parameter(negative=())] = False, common: At = At()) -> int:
    """Each account: whether it answers, what of its quota is left and until when, who waits, codes that nobody knows.

    Exit code 1 when something needs a person.

    Example: `tracker carriers status --json`

    Args:
        ask: Ask the sources that can tell what is left of their accounts. It costs nothing.
    """
    from tracker.cli.carrier_status import show

    return show(common, ask=ask)


def _text(console: Console, found: ParseResult) -> None:
    if found.error:
        console.line(f"The whole request failed: {found.error.kind.value}: {found.error.message}")
    for result in found.results:
        _result(console, result)


def _result(console: Console, result: Result) -> None:
    console.head(result.tracking_number or "(the answer names no number)")
    if result.error:
        console.line(f"  {result.error.kind.value}: {result.error.message}")
        return
    reason = f" ({result.reason.value})" if result.reason else ""
    word = result.raw_sub_status or result.raw_status
    console.line(f"  {result.status.value}{reason}{f', the source says {word}' if word else ''}")
    console.table(
        ("time", "status", "reason", "code", "description", "location"),
        [
            (event.time or event.local_time, event.status, event.reason, event.raw_code, event.description, event.location)
            for event in result.events
        ],
        empty="  No scan.",
    )
