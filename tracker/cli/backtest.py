"""`tracker backtest`: past orders under today's rules, or two sets of rules side by side; no configuration, no database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from tracker import config
from tracker.backtest import REPEATED, Counts, RejectedRow, Repeats, compared, replay, suspicions
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import Common
from tracker.cli.output import Answer, Console, emit
from tracker.clock import SystemClock
from tracker.intake.errors import FileError
from tracker.intake.past import read_past, zone_of
from tracker.rules import Rules

IN_PART = 3
SHOWN = 10
"""Odd rows that the text shows; --json has all of them."""


class Odd(msgspec.Struct, frozen=True, gc=False):
    """A row that is told by name."""

    row: int
    reason: str


class Result(msgspec.Struct, kw_only=True):
    """A backtest's figures: of the rules in force, and of the others where they were asked for."""

    counts: Counts
    other: Counts | None
    suspect: list[Odd]
    rejected: list[Odd]


def backtest(
    file: Path,
    /,
    *,
    as_of: str | None = None,
    tz: Annotated[str, Parameter(name="--tz")] = "UTC",
    compare: Path | None = None,
    common: Common = Common(),
) -> int:
    """Run past orders through the rules: messages, refunds, claims, and what each refund day would have cost.

    FILE is a CSV with order_id, destination_country, destination_state, status, purchased_at, paid_at, handed_over_at,
    delivered_at, promised_at (and amount, currency, platform, service, tracking_number where you have them). Nothing is written.

    Example: `tracker backtest orders-2025.csv --as-of 2026-02-01 --tz America/Sao_Paulo --compare new/tracker.toml`

    Args:
        file: The orders, one a line.
        as_of: What is known: later dates of the file have not happened yet. Now, unless said.
        tz: The zone of times that name none, in the file and in --as-of.
        compare: The tracker.toml of other rules, or its folder.
    """
    try:
        until = _as_of(as_of, zone_of(tz))
        rules = config.load(config.find(common.config, os.environ), environ=os.environ).rules
        other = None if compare is None else config.load(config.find(compare, os.environ), environ=os.environ).rules
        found = run(file, rules, other, until, tz)
    except FileError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise Failed("unreadable_file", f"{file}: cannot be read: {error.strerror}") from error
    document = _document(found, until, rules, other)
    return emit(
        Answer(document=document, text=lambda console: _text(console, found, document), code=IN_PART if found.rejected else 0),
        json=common.json,
    )


def run(file: Path, rules: Rules, other: Rules | None, until: datetime, zone: str) -> Result:
    """Replay every row of the file. Raises FileError, OSError."""
    sets = [rules] if other is None else [rules, other]
    counts = [Counts(until) for _ in sets]
    suspect: list[Odd] = []
    rejected: list[Odd] = []
    repeats = Repeats()
    for past in read_past(file, sets, zone):
        if isinstance(past, RejectedRow):
            rejected.append(Odd(past.row, past.reason))
            continue
        for one, count in zip(sets, counts, strict=True):
            count.add(past, replay(past, one, until))
        odd = (*suspicions(past), REPEATED) if repeats.seen(past) else suspicions(past)
        if odd:
            suspect.append(Odd(past.row, ", ".join(odd)))
    return Result(counts=counts[0], other=counts[1] if other is not None else None, suspect=suspect, rejected=rejected)


def _as_of(text: str | None, zone: tzinfo) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        at = datetime.fromisoformat(text.strip())
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--as-of {text!r} is no time; write 2026-03-01 or 2026-03-01T12:30") from None


def _document(found: Result, until: datetime, rules: Rules, other: Rules | None) -> dict[str, Any]:
    differs = None
    if found.other is not None and other is not None:
        differs = {"config": rules.version, "against": other.version, "figures": compared(found.counts, found.other)}
    return {
        "as_of": until,
        "config": rules.version,
        **found.counts.document(),
        "compared": differs,
        "suspect": [msgspec.to_builtins(each) for each in found.suspect],
        "rejected": [msgspec.to_builtins(each) for each in found.rejected],
    }


# --------------------------------------------------------------------------------------------------------------------- words


def _text(console: Console, found: Result, document: Mapping[str, Any]) -> None:
    counts = found.counts
    console.head(f"{counts.orders:,} orders as of {document['as_of']:%Y-%m-%d %H:%M}Z, {counts.shipped:,} of them handed over")
    longer = ", ".join(f"{count:,} more than {day}" for day, count in document["open_longer_than"].items())
    console.line(f"Days on the way: {longer}.")
    paid = _money(document["refunds"]["amounts"])
    console.line(
        f"These rules: {sum(counts.messages.values()):,} messages, {counts.extensions:,} extensions, "
        f"{counts.recommended:,} refunds recommended{f' ({paid})' if paid else ''}, {counts.later_delivered:,} of them delivered "
        f"later, {counts.claims:,} compensation claims opened."
    )
    console.table(("message", "count"), document["messages"].items(), empty="No message.")
    console.table(
        ("days since hand-over", "never arrived", "of so many", "refunding all open then", "of them arrived", "cost"),
        [
            (day, _share(share), document["judged_by_day"][day], cost["orders"], cost["later_delivered"], _money(cost["amounts"]))
            for (day, share), cost in zip(
                document["never_arrived_by_day"].items(), document["refund_cost_by_day"].values(), strict=True
            )
        ],
        empty="Nothing was handed over.",
    )
    if document["compared"] is not None:
        console.head(f"Compared with {document['compared']['against']}")
        rows = [(name, *values.values()) for name, values in document["compared"]["figures"].items()]
        console.table(("figure", "these rules", "the others", "difference"), rows, empty="")
    _odd(console, "suspect (replayed as they stand)", found.suspect)
    _odd(console, "rejected (not replayed)", found.rejected)


def _odd(console: Console, what: str, rows: list[Odd]) -> None:
    if not rows:
        return
    console.head(f"{len(rows):,} rows are {what}")
    kinds: dict[str, int] = {}
    for each in rows:
        kinds[each.reason] = kinds.get(each.reason, 0) + 1
    for reason, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]:
        lines = [str(each.row) for each in rows if each.reason == reason][:3]
        console.line(f"  {count:,} x {reason} (line {', '.join(lines)}{' ...' if count > len(lines) else ''})")
    if len(kinds) > SHOWN:
        console.line(f"  and {len(kinds) - SHOWN} more kinds: --json lists every row")


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _money(amounts: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in dict(amounts).items())
