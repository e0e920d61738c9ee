"""A proposed mapping as a file of profiles/: written once, never over another one, switched on when somebody has agreed to it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import tomlkit

from tracker.intake.cells import line
from tracker.intake.loading import FOLDER
from tracker.intake.profiles import Field
from tracker.intake.proposal import Guess, Proposal

_WIDTH = 130
_FOOTERS = ("total\\b", "summe\\b", "合计", "总计", "合計")
_NUMBERS = (Field.ORDER, Field.TRACKING, Field.LAST_MILE_NUMBER)
_NO_NAME = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"(?<![^\W_])[\d\W_]*\d[\d\W_]*(?![^\W_])")


def name_for(file: str, taken: Collection[str]) -> str:
    """An id that nobody has, from the file's name without its dates and counters: `Forwarder_2026-09 (1).xlsx` -> `forwarder`."""
    stem = _DIGITS.sub(" ", Path(file).stem.casefold()) if not Path(file).stem.isdigit() else ""
    name = _NO_NAME.sub("-", stem).strip("-")[:40].strip("-") or "layout"
    numbered = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)


def profile_text(proposal: Proposal, name: str, file: str) -> str:
    """The TOML of a profile, with a comment at each line that a person should look at."""
    return "\n".join(_lines(proposal, name, line(file))) + "\n"


def save(folder: Path, name: str, body: str) -> Path:
    """Write `profiles/<name>.toml` beside tracker.toml. Raises OSError; FileExistsError where it is there already."""
    target = folder / FOLDER / f"{name}.toml"
    target.parent.mkdir(exist_ok=True)
    with target.open("x", encoding="utf-8") as out:
        out.write(body)
    return target


def switch_on(file: Path) -> None:
    """Set `enabled = true` in a profile; everything else stays as it is, comments too. Raises OSError."""
    document = tomlkit.parse(file.read_text(encoding="utf-8-sig"))
    cast("Any", document)["format"][0]["enabled"] = True
    beside = file.with_suffix(".toml.new")
    try:
        beside.write_text(tomlkit.dumps(document), encoding="utf-8")
        shutil.copymode(file, beside)
        os.replace(beside, file)  # noqa: PTH105 - the atomic one
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def _lines(proposal: Proposal, name: str, file: str) -> Iterator[str]:
    yield f"# Proposed by tracker import for {file}. Look at every line and correct it, then run:"
    yield f"#   tracker import {file} --format {name}"
    yield "# That sets enabled = true here, and from then on files with these headers are recognised unasked."
    yield from (f"# MISSING: {sentence}" for sentence in proposal.missing)
    yield ""
    yield "[[format]]"
    yield f"id = {_text(name)}"
    yield "enabled = false"
    yield f"title = {_text(file)}"
    if proposal.store:
        yield f"store = {_text(proposal.store)}   # the file does not say whose it is"
    whole = bool(proposal.mapped(Field.ORDER)) and bool(proposal.mapped(Field.AMOUNT))
    yield f"rank_orders = {2 if whole else 1}   # whose word counts about orders: 3 marketplace, 2 ERP, 1 forwarder"
    yield f"rank_tracking = {2 if whole else 3} # and about parcels: 3 forwarder, 2 ERP, 1 marketplace"
    yield f'zone = {_text(proposal.zone)}   # of dates without an offset: an IANA name, or "store"'
    yield f"locale = {_text(proposal.locale)}   # how amounts and months' names are written"
    yield from _dates(proposal)
    yield "requires = ["
    yield from (f"  [{_text(guess.alias)}]," for guess in _required(proposal))
    yield "]"
    yield from _listed("known = [", [guess.alias for guess in proposal.columns if guess.field is None])
    yield from _listed("footers = [", _FOOTERS)
    yield ""
    yield "[format.columns]"
    yield from (_column(guess) for guess in proposal.columns if guess.field is not None)
    if proposal.states or proposal.unknown_words:
        yield from _states(proposal)


def _dates(proposal: Proposal) -> Iterator[str]:
    if proposal.doubtful_dates:
        yield "# CHOOSE: day and month cannot be told apart; take the # off one of the two lines"
        yield from (f"# dates = {_texts(forms)}" for forms in proposal.doubtful_dates)
    elif proposal.dates:
        yield f"dates = {_texts(proposal.dates)}"


def _required(proposal: Proposal) -> list[Guess]:
    """Two headers at least, by which the layout is known again: the numbers first."""
    numbers = proposal.mapped(*_NUMBERS)
    others = [guess for guess in proposal.columns if guess.field is not None and guess not in numbers]
    unread = [guess for guess in proposal.columns if guess.field is None]
    return [*numbers, *others, *unread][: max(2, len(numbers))]


def _column(guess: Guess) -> str:
    setting = f"{guess.field} = [{_text(guess.alias)}]"
    return f"{setting:<40} # {guess.why}; {' | '.join(guess.examples) or 'empty'}"[: 2 * _WIDTH]


def _states(proposal: Proposal) -> Iterator[str]:
    yield ""
    yield "[format.states]   # unpaid, paid, shipped, finished, cancelled"
    yield from (f"{state} = {_texts(words)}" for state, words in proposal.states.items())
    if proposal.unknown_words:
        yield f"# not known, never read as shipped: {', '.join(proposal.unknown_words)}"[: 2 * _WIDTH]


def _listed(opening: str, names: Iterable[str]) -> Iterator[str]:
    """A list on lines of its own where it is long."""
    listed = [_text(name) for name in names]
    if not listed:
        return
    short = f"{opening}{', '.join(listed)}]"
    if len(short) <= _WIDTH:
        yield short
        return
    yield opening
    yield from (f"  {each}," for each in listed)
    yield "]"


def _texts(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """A basic string of TOML: JSON's escapes are its own, and `line` has left no control character in a header."""
    return json.dumps(value, ensure_ascii=False)
