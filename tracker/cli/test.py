"""`tracker test`: rules on trial. Needs neither configuration nor database, except to write a test from a real case."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from tracker import config
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer, Console, emit
from tracker.clock import epoch
from tracker.rules import Rules
from tracker.ruletest import CaseError, Difference, cases_of, generated, judge, play
from tracker.store import NotThere
from tracker.timeline import Seen


class Found(msgspec.Struct, frozen=True):
    """A difference and where in which file."""

    file: str
    line: int | None
    difference: Difference


def try_rules(*files: Path, generate: str | None = None, store: str | None = None, common: At = At()) -> int:
    """Play the cases of rule test files, and show where the rules decide otherwise. Exit code 1 on a difference.

    Without a file the shipped tests are played: what the shipped rules promise, held against yours. With `--generate` such a
    file is written to stdout from a real order, without names, addresses or numbers that point at anybody.

    Example: `tracker test rules/*.toml` · `tracker test --generate 8201 > rules/customs.toml`

    Args:
        files: TOML files with [[case]] (docs/how-to/rehearse.md).
        generate: An order, or a number of one of its parcels.
        store: The store, where two of them use the same order number.
    """
    if generate is not None:
        if files:
            raise UsageError("--generate writes a test from an order: name files or an order, not both")
        return answer(common, lambda room: _generate(room, generate, store))
    rules = config.load(config.find(common.config, os.environ), environ=os.environ).rules
    named = files or tuple(sorted((config.defaults_dir() / "tests").glob("*.toml")))
    cases, found = 0, list[Found]()
    for file in named:
        count, differs = trial(file, rules)
        cases += count
        found += differs
    document = {
        "config": rules.version,
        "files": len(named),
        "cases": cases,
        "failed": len({(each.file, each.difference.case) for each in found}),
        "differences": [{"file": each.file, "line": each.line, **msgspec.to_builtins(each.difference)} for each in found],
    }
    return emit(
        Answer(document=document, text=lambda console: _text(console, document, found), code=1 if found else 0),
        json=common.json,
    )


def trial(file: Path, rules: Rules) -> tuple[int, list[Found]]:
    """Play one file: how many cases, and the differences. Raises UsageError, with the place of what is broken."""
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: is no TOML text: {error}") from error
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    lines = config.line_map(text)
    found: list[Found] = []
    path: tuple[str | int, ...] = ()
    try:
        cases = cases_of(data)
        for index, case in enumerate(cases):
            path = ("case", index)
            differs = judge(case, index, play(case, rules), rules)
            found += [Found(str(file), _line(lines, each.path), each) for each in differs]
    except CaseError as error:
        where = error.path if error.path[:1] == ("case",) else (*path, *error.path)
        line = _line(lines, where)
        key = ".".join(str(step) for step in where if isinstance(step, str))
        raise UsageError(f"{file}{f':{line}' if line else ''}: {f'{key}: ' if key else ''}{error}") from error
    return len(cases), found


def _line(lines: dict[tuple[str | int, ...], int], path: tuple[str | int, ...]) -> int | None:
    """The line of a key, or of the nearest one above it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


async def _generate(room: Room, number: str, store: str | None) -> Answer:
    found = [ref for ref in await room.store.find_orders(number) if store in {None, ref.store}]
    if len(found) != 1:
        what = "Several orders are" if found else "No order and no parcel is"
        raise NotThere(f"{what} called {number!r}: name it, with --store")
    [dossier] = await room.store.load_dossiers([found[0].id])
    seen = {
        parcel.number: [
            Seen(event=view.event, at=epoch(view.seen_at), source=view.source) for view in await room.store.events_of(parcel.id)
        ]
        for parcel in dossier.shipments
    }
    text = generated(dossier, seen, room.loaded.rules, room.now)

    def show(console: Console) -> None:
        for line in text.splitlines():
            console.line(line)

    return Answer(document={"toml": text}, text=show)


def _text(console: Console, document: dict[str, Any], found: list[Found]) -> None:
    for each in found:
        difference = each.difference
        console.head(f"{each.file}:{each.line}: {difference.case}, {difference.at}")
        for name, said in (("expected", difference.expected), ("got", difference.got)):
            for text in said:
                console.line(f"  {name:<9} {text}")
        for name, said in (("missing", difference.missing), ("too much", difference.unexpected)):
            for text in said:
                console.line(f"  {name:<9} {text}")
    failed = document["failed"]
    verdict = "SUCCESS" if not failed else f"FAILED: {failed} of them"
    console.line(f"{document['cases']} cases in {document['files']} files. {verdict}")
