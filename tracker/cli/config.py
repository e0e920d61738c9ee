"""`tracker config`: check, show, describe and accept the configuration.

Only accept needs a database; the others need not even a configuration of one's own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App

from tracker import config
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError, problem_document
from tracker.cli.options import Common, Person
from tracker.cli.output import Answer, Console, emit
from tracker.config import ConfigError, Loaded, Problem, Setting

app = App(name="config", help="The configuration: what is wrong with it, what is in force, what its files may hold.")


@app.command
def check(*, common: Common = Common()) -> int:
    """Tell everything that is wrong, at once, as `file:line: key: what is wrong`. Exit code 1 when there is anything.

    Example: `tracker config check --config shop/tracker.toml`
    """
    file = config.find(common.config, os.environ)
    problems = _found(file)
    errors = sum(problem.level == "error" for problem in problems)
    notes = _notes(file, problems)
    document = {
        "config": None if file is None else str(file),
        "notes": list(notes),
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": [problem_document(problem) for problem in problems],
    }
    return emit(
        Answer(document=document, text=lambda console: _problems(console, file, problems, notes), code=1 if errors else 0),
        json=common.json,
    )


@app.command
def show(*, section: str | None = None, against: Path | None = None, common: Common = Common()) -> int:
    """Every value that is in force, and where it comes from. Secrets are never shown.

    Example: `tracker config show --section tracker` · `tracker config show --against new/tracker.toml`

    Args:
        section: One file only, without its ending: tracker, destinations, stores/lume ...
        against: Another tracker.toml, or its folder: only what differs there.
    """
    loaded = config.load(config.find(common.config, os.environ), environ=os.environ)
    if against is not None:
        return _show_differences(loaded, against, section, common)
    settings = config.show(loaded)
    known = dict.fromkeys(setting.section for setting in settings)
    if section is not None and section not in known:
        raise UsageError(f"there is no section {section!r}; there are: {', '.join(known)}")
    wanted = [setting for setting in settings if section in {None, setting.section}]
    return emit(
        Answer(
            document={"settings": [msgspec.to_builtins(setting, enc_hook=str) for setting in wanted]},
            text=lambda console: _settings(console, wanted),
        ),
        json=common.json,
    )


@app.command
def accept(hash: str, /, *, common: Person = Person()) -> int:  # noqa: A002 - what the user reads in --help
    """Accept rules that wait because they touch so many parcels: what they held back goes on, a tenth a day.

    Look before: `tracker decisions list --config HASH`. Money still waits for its own approval in `tracker review list`.

    Example: `tracker config accept 4f2a91c0 --by Mei`

    Args:
        hash: The hash that `tracker status` and the log name; its beginning is enough.
    """

    async def work(room: Room) -> Answer:
        released = await room.store.accept_ruleset(hash, by=room.who, now=room.now)
        again = released is None
        told = "were accepted before; nothing waits for them" if again else f"are accepted: {released} effects go on"
        return Answer(
            document={"config": hash, "accepted": True, "already": again, "released": released or 0},
            text=lambda console: console.line(f"Rules {hash} {told}."),
        )

    return answer(common, work, writes=True)


@app.command
def schema(name: str = "tracker", /, *, common: Common = Common()) -> int:
    """The JSON Schema of a configuration file, for editors.

    Example: `tracker config schema store`

    Args:
        name: tracker, destinations, calendar, services, carriers, marketplaces, compensation, lint or store.
    """
    try:
        found = config.schema(name)
    except KeyError as error:
        raise UsageError(f"no configuration file is called {name!r}; see: tracker config schema --help") from error
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    return emit(Answer(document={"name": name, "schema": found}, text=lambda console: console.line(text)), json=common.json)


def _show_differences(loaded: Loaded, against: Path, section: str | None, common: Common) -> int:
    other = config.load(config.find(against, os.environ), environ=os.environ)
    found = [each for each in config.differences(loaded, other) if section is None or each.key.startswith(f"{section}.")]
    document = {
        "config": loaded.rules.version,
        "against": other.rules.version,
        "differences": [{"key": each.key, "before": each.before, "after": each.after} for each in found],
    }

    def text(console: Console) -> None:
        for each in found:
            console.line(str(each))
        if not found:
            console.line("Nothing differs.")

    return emit(Answer(document=document, text=text), json=common.json)


def _found(file: Path | None) -> tuple[Problem, ...]:
    """All findings; formats.toml is read by intake, when everything else is good."""
    from tracker.intake.importing import knowledge_of

    try:
        loaded = config.load(file, environ=os.environ)
    except ConfigError as error:
        return error.problems
    try:
        known = knowledge_of(loaded)
    except ConfigError as error:
        return (*loaded.problems, *error.problems)
    missing = (
        config.first_steps(str(file), stores=bool(loaded.rules.stores), sources=bool(loaded.settings.sources)) if file else ()
    )
    return (*loaded.problems, *known.problems, *missing)


def _notes(file: Path | None, problems: tuple[Problem, ...]) -> tuple[str, ...]:
    """What is good to know of a configuration that can be used: nothing is wrong with it (R59)."""
    if any(problem.level == "error" for problem in problems):
        return ()
    said = config.unreviewed(config.load(file, environ=os.environ).rules)
    return () if said is None else (said,)


def _problems(console: Console, file: Path | None, problems: tuple[Problem, ...], notes: tuple[str, ...]) -> None:
    for problem in problems:
        console.line(str(problem))
    if not problems:
        console.line(f"{file or 'the shipped defaults'}: nothing is wrong.")
    for note in notes:
        console.line(f"Good to know: {note}")
    if file is None:
        console.line("There is no tracker.toml here: only the defaults were checked. Go to its folder, or name it: --config PATH")


def _settings(console: Console, settings: list[Setting]) -> None:
    section: Any = None
    for setting in settings:
        if setting.section != section:
            section = setting.section
            console.head(f"[{section}]")
        console.line(f"  {setting.key} = {setting.value!r}  ({setting.origin})")
