"""What a command says: one JSON document for scripts, or text for eyes. stdout carries data, stderr everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tracker.phrases import Phrases, fill, wide

SCHEMA_VERSION = 1
"""Of every `--json` document; a change that breaks a script raises it."""

PIPE_WIDTH = 160
"""Columns of a table that goes into a pipe or a file, where nobody measures a window."""


class Console:
    """Text for eyes, in the language of `phrases`. rich, imported when the first line is written; honours NO_COLOR and pipes."""

    def __init__(self, phrases: Phrases | None = None) -> None:
        if phrases is None:
            from tracker.config import english

            phrases = english()
        self.phrases = phrases
        from rich.console import Console as Rich

        self._rich = Rich(highlight=False)
        if not self._rich.is_terminal:
            self._rich = Rich(highlight=False, width=PIPE_WIDTH, soft_wrap=True)

    def line(self, text: str = "") -> None:
        """One line, as it is: square brackets in an order's facts are no markup."""
        self._rich.print(text, markup=False, soft_wrap=True)

    def head(self, text: str) -> None:
        """A heading."""
        self._rich.print(text, style="bold", markup=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
        """A table, or the sentence `empty` where there is nothing to show. A column that has a phrase is headed with it."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(*map(self._heading, columns), box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*[Text(shown(cell)) for cell in row])
        if table.row_count:
            self._rich.print(table)
        else:
            self.line(self.phrases.say(empty))

    def _heading(self, column: str) -> str:
        key = f"column.{column.replace(' ', '_')}"
        return self.phrases.say(key) if self.phrases.knows(key) else column

    def facts(self, facts: Mapping[str, object]) -> None:
        """Names and values, one a line; what is not known is left out. Words of the house are said in the operators' language."""
        known = {
            self.phrases.name(name): self.phrases.value(name, shown(value))
            for name, value in facts.items()
            if value not in (None, "", (), [], {})
        }
        width = max(map(wide, known), default=0)
        for name, value in known.items():
            self.line(f"  {fill(name, width)}  {value}")


Text = Callable[[Console], None]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command found: `document` for `--json`, `text` for eyes, the exit code (0 done, 1 findings, 3 in part)."""

    document: Mapping[str, Any]
    text: Text
    code: int = 0


def emit(answer: Answer, *, json: bool, phrases: Phrases | None = None) -> int:
    """Print the answer, for eyes in the operators' language, and give its exit code."""
    if json:
        print_json(answer.document)
    else:
        answer.text(Console(phrases))
    sys.stdout.flush()
    return answer.code


def print_json(document: Mapping[str, Any]) -> None:
    """One document on stdout: money as strings, times UTC with `Z`."""
    encoded = msgspec.json.encode({"schema_version": SCHEMA_VERSION, **document}, enc_hook=str)
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


def shown(value: object) -> str:
    """A value as a person reads it: minutes are enough for an instant, an absent value is a dash."""
    match value:
        case None | "":
            return "-"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M") + ("Z" if value.utcoffset() == timedelta(0) else value.strftime("%z"))
        case bool():
            return "yes" if value else "no"
        case list() | tuple() | set() | frozenset():
            return ", ".join(shown(one) for one in value)
        case dict():
            return ", ".join(f"{name}={shown(one)}" for name, one in value.items())
        case _:
            return str(getattr(value, "value", value))


def money(amount: object, currency: str | None) -> str:
    """An amount with its currency, or a dash."""
    return "-" if amount is None else f"{amount} {currency or '?'}"
