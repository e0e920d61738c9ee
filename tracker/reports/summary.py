"""What was done and why, counted: the end of the demo, and the answer to "what did it do while I was away"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from tracker.model import ActionKind, Channel, OutboxState
from tracker.store.rows import OutboxView, TaskView


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`count` effects of one sort. `why` counts their reasons, `money` adds their amounts, one line per currency."""

    what: str
    count: int
    why: Mapping[str, int] = {}
    money: Mapping[str, str] = {}


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the summary."""

    title: str
    lines: tuple[Line, ...]


_DONE = frozenset({OutboxState.SENT})
_WAITS = frozenset({OutboxState.HELD, OutboxState.PENDING, OutboxState.SENDING})


def summarise(rows: Iterable[OutboxView], tasks: Iterable[TaskView], considered: Mapping[str, int]) -> tuple[Section, ...]:
    """Count effects and tasks. `considered` maps a reason to the number of orders that are left alone because of it."""
    rows = list(rows)
    return tuple(
        section
        for section in (
            _section("Sent to buyers", _of(rows, _mailed), _template),
            _handed_over(tasks),
            _section("Windows extended, or on the way to it", _of(rows, _kind(ActionKind.EXTENSION)), _fate),
            _section("Claims against carriers written down", _of(rows, _kind(ActionKind.COMPENSATION)), _fate),
            _section("Refunds recommended", _of(rows, _kind(ActionKind.REFUND)), _fate),
            _section("Held back", _of(rows, lambda view: view.row.state is OutboxState.HELD), _hold),
            _section("Doubtful or failed", _of(rows, _bad), _fate),
            _section("Given up, because the facts changed", _of(rows, _withdrawn), _fate),
            Section(
                title="Left alone at some time, orders by reason",
                lines=tuple(Line(what=why, count=count) for why, count in _most(considered)),
            ),
        )
        if section.lines
    )


def _of(rows: list[OutboxView], wanted: Callable[[OutboxView], bool]) -> list[OutboxView]:
    return [view for view in rows if wanted(view)]


def _mailed(view: OutboxView) -> bool:
    row = view.row
    return row.kind is ActionKind.MESSAGE and row.state in _DONE and row.channel in {Channel.SMTP, Channel.MAILDIR}


def _bad(view: OutboxView) -> bool:
    return view.row.state in {OutboxState.UNKNOWN, OutboxState.FAILED}


def _withdrawn(view: OutboxView) -> bool:
    return view.row.state is OutboxState.CANCELLED and not view.rejected


def _kind(kind: ActionKind) -> Callable[[OutboxView], bool]:
    return lambda view: view.row.kind is kind and view.row.state in _DONE | _WAITS


def _template(view: OutboxView) -> str:
    return view.row.template or view.row.intent.value


def _hold(view: OutboxView) -> str:
    return f"{view.row.intent.value}: {view.row.hold.value if view.row.hold else 'held'}"


def _fate(view: OutboxView) -> str:
    return f"{view.row.intent.value}: {view.row.state.value}"


def _section(title: str, rows: list[OutboxView], name: Callable[[OutboxView], str]) -> Section:
    groups: dict[str, list[OutboxView]] = {}
    for view in rows:
        groups.setdefault(name(view), []).append(view)
    lines = tuple(
        Line(
            what=what,
            count=len(group),
            why=dict(Counter(view.row.reason.value for view in group).most_common()),
            money=_money(group),
        )
        for what, group in sorted(groups.items())
    )
    return Section(title=title, lines=lines)


def _handed_over(tasks: Iterable[TaskView]) -> Section:
    counts = Counter(f"{task.kind}: {task.state.value}" for task in tasks)
    return Section(
        title="Handed to a person", lines=tuple(Line(what=what, count=count) for what, count in sorted(counts.items()))
    )


def _money(group: list[OutboxView]) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for row in (view.row for view in group):
        if row.currency and row.amount is not None:
            totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.amount
    return {currency: str(total) for currency, total in sorted(totals.items())}


def _most(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
