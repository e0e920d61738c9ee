"""All lines of a worksheet, one by one: first looked at, then written, each in a transaction of its own.

So nothing is ever half done, and a file that was imported halfway can be imported again: what was taken is unchanged then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import msgspec

from tracker.crashpoint import fault
from tracker.desk.errors import Refused
from tracker.desk.worksheet.answering import look as look_at_cases
from tracker.desk.worksheet.became import Asking, Became, Fate, Ready, Same, Told
from tracker.desk.worksheet.claims import look as look_at_claims
from tracker.desk.worksheet.closing import Closing
from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.desk.worksheet.reviewing import look as look_at_review
from tracker.store.errors import Conflict, NotThere

Found: TypeAlias = Ready | Same | NotTaken
Look: TypeAlias = Callable[[Asking, Filled], Awaitable[Ready | Same | None]]

LOOKS: Mapping[str, Callable[[], Look]] = {
    "review": lambda: look_at_review,
    "tasks": lambda: Closing().look,
    "claims": lambda: look_at_claims,
    "cases": lambda: look_at_cases,
}
"""Kind of worksheet -> how its lines are looked at."""

_Facts: TypeAlias = tuple[int, int | None]
"""An order, and the facts version that its lines were exported with."""


class _Line(msgspec.Struct, frozen=True):
    filled: Filled
    found: Found


async def decide(asking: Asking, kind: str, filled: Sequence[Filled]) -> Told:
    """Write what the lines of a worksheet of this kind decide. What is refused does not stop the others."""
    look = LOOKS[kind]()
    lines = _once([_Line(each, found) for each in filled if (found := await _looked(asking, look, each)) is not None])
    lines = _on_these_facts(lines)
    moved: dict[_Facts, int] = {}
    became = [await _written(line, moved) for line in lines]
    pays = [pay for line, each in zip(lines, became, strict=True) if each.fate is Fate.TAKEN and (pay := _pays(line)) is not None]
    return Told(lines=became, silent=len(filled) - len(lines), refunds=len(pays), approves=_sums(pays))


async def _looked(asking: Asking, look: Look, filled: Filled) -> Found | None:
    try:
        return await look(asking, filled)
    except NotTaken as problem:
        return problem


def _once(lines: Sequence[_Line]) -> list[_Line]:
    """A row that stands in the file twice: the same word is said once, two words are none."""
    said: dict[tuple[int | None, str], list[_Line]] = {}
    for line in lines:
        if not isinstance(line.found, NotTaken):
            said.setdefault((line.filled.row, line.filled.key), []).append(line)
    return [_unless_twice(line, said.get((line.filled.row, line.filled.key), [])) for line in lines]


def _unless_twice(line: _Line, mine: Sequence[_Line]) -> _Line:
    if isinstance(line.found, NotTaken) or len(mine) == 1:
        return line
    if any(_answers(each.filled) != _answers(line.filled) for each in mine):
        other = next(each for each in mine if each is not line)
        return _Line(line.filled, NotTaken("twice", row=other.filled.at))
    same = Same(order_id=line.found.order_id, word=line.found.word, steps=0)
    return line if line is mine[0] else _Line(line.filled, same)


def _answers(filled: Filled) -> tuple[str, ...]:
    names = ("decision", "amount", "until", "window_end", "amount_paid", "reference", "tracking_number", "on", "figure")
    return tuple(filled.text(name).casefold() for name in names)


def _on_these_facts(lines: Sequence[_Line]) -> list[_Line]:
    """Refuse what was decided on other facts than today's.

    What this very file has moved before (a first try that broke off, another line of the order) is no news to the person.
    """
    steps: Counter[_Facts] = Counter()
    for line in lines:
        if isinstance(line.found, Same):
            steps[line.found.order_id, line.filled.version] += line.found.steps
    return [_Line(line.filled, _unless_moved(line, steps)) for line in lines]


def _unless_moved(line: _Line, steps: Mapping[_Facts, int]) -> Found:
    found, seen = line.found, line.filled.version
    if not isinstance(found, Ready) or found.locked or seen is None:
        return found
    if found.version in {seen, seen + steps.get((found.order_id, seen), 0)}:
        return found
    return NotTaken("moved", seen=seen, now=found.version)


def _pays(line: _Line) -> tuple[Decimal, str] | None:
    return line.found.pays if isinstance(line.found, Ready) else None


def _sums(pays: Iterable[tuple[Decimal, str]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for amount, currency in pays:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return dict(sorted(sums.items()))


async def _written(line: _Line, moved: dict[_Facts, int]) -> Became:
    """Write one line. `moved` is what our own words have made of an order's facts version since it was looked at."""
    filled, found = line.filled, line.found
    if isinstance(found, NotTaken):
        return Became(filled=filled, fate=Fate.REFUSED, problem=found)
    if isinstance(found, Same):
        return Became(filled=filled, fate=Fate.UNCHANGED, word=found.word, first=found.first)
    known = (found.order_id, found.version)
    try:
        acted = await found.act(moved.get(known, found.version))
    except (Refused, Conflict, NotThere) as error:
        problem = NotTaken("other", message=str(error))
        return Became(filled=filled, fate=Fate.REFUSED, word=found.word, problem=problem)
    moved[known] = acted.version
    fault("worksheet_line_written")
    return Became(filled=filled, fate=Fate.TAKEN, word=found.word, first=acted.first)
