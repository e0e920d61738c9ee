"""`tracker backlog`: what a cut-over, an outage, a pause or a restore left behind, and what a person says about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Person, Time
from tracker.cli.output import Answer, Console
from tracker.desk import backlog
from tracker.desk.backlog import Backlog, Outcome, Pile, Turn, Wish
from tracker.model import Intent, Settle
from tracker.phrases import Phrases

app = App(name="backlog", help="What a cut-over, an outage, a pause or a restore left behind, and what becomes of it.")

_SETTLED = frozenset({Intent.STAGE1.value, Intent.STAGE2.value, Intent.STAGE3.value})


@app.command(name="list")
def list_(*, store: str | None = None, common: At = At()) -> int:
    """Stages that were skipped, messages that wait for their turn and until when, messages that are held for a person.

    Example: `tracker backlog list --store lume`
    """

    async def work(room: Room) -> Answer:
        found = await backlog.left(room.store, room.loaded.rules, room.now, of_store=store)
        return Answer(
            document=msgspec.to_builtins(found, str_keys=True), text=lambda console: _tell(console, found, room.phrases)
        )

    return answer(common, work)


@app.command
def settle(
    *orders: str,
    as_: Annotated[Literal["done", "send", "skip"], Parameter(name="--as")],
    reason: str,
    store: str | None = None,
    stage: Literal["stage1", "stage2", "stage3"] | None = None,
    on: Time | None = None,
    seen: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    common: Person = Person(),
) -> int:
    """Say what becomes of stages that were left behind: all of them, those of a store or stage, or those of single orders.

    An order whose facts moved meanwhile is left alone and named.

    Example: `tracker backlog settle --as skip --store lume --stage stage1 --reason "told by hand in May" --by Mei`

    Args:
        orders: Order numbers; without them all that the list shows.
        as_: done = the buyer was told elsewhere; send = it speaks after all, in its turn, on fresh facts, a refund into the
            review queue; skip = nothing is ever said of it.
        reason: Why; it is kept with your name.
        store: Of this store only.
        stage: Of this stage only.
        on: With --as done: when the buyers were told; now by default.
        seen: The value that the list shows beside what you looked at: refused when it is no longer exactly that.
        dry_run: Only show what would be settled, and when it would go out.
    """
    wish = Wish(
        how=Settle(as_),
        reason=reason.strip(),
        store=store,
        stage=None if stage is None else Intent(stage),
        orders=orders,
        at=on,
        seen=seen,
    )
    if seen is not None and (store is None or stage is None or orders):
        raise UsageError("--seen belongs to one line of the list: name its --store and --stage, and no order")
    if not wish.reason:
        raise UsageError("settling a backlog needs a reason that says something: --reason 'why'")

    async def work(room: Room) -> Answer:
        found = await backlog.settle(room.store, room.loaded.rules, wish, by=room.who, now=room.now, dry_run=dry_run)
        return Answer(
            document=_document(found, dry_run=dry_run),
            text=lambda console: _told(console, found, wish.how, room.phrases, dry_run=dry_run),
            code=_code(found),
        )

    return answer(common, work, writes=not dry_run)


# -------------------------------------------------------------------------------------------------------------------- list


def _tell(console: Console, found: Backlog, phrases: Phrases) -> None:
    if not (found.skipped or found.in_line or found.held):
        console.line(phrases.say("backlog.nothing"))
        return
    if found.skipped:
        console.head(phrases.say("backlog.skipped"))
        heads = [
            phrases.say("column.store"),
            phrases.say("column.what"),
            *(phrases.say(f"backlog.{n}") for n in ("orders", "seen")),
        ]
        console.table(heads, [_pile(pile, phrases) for pile in found.skipped], empty="")
        console.line(phrases.say("backlog.settle"))
        console.line()
    if found.in_line:
        console.head(phrases.say("backlog.in_line"))
        heads = [phrases.say("column.store"), *(phrases.say(f"backlog.{name}") for name in ("waiting", "today", "through_on"))]
        console.table(heads, [(turn.store, turn.waiting, turn.today, turn.through_on) for turn in found.in_line], empty="")
    if found.held:
        console.head(phrases.say("backlog.held"))
        heads = [phrases.say(f"column.{name}") for name in ("store", "reason", "what")]
        heads += [phrases.say(f"backlog.{name}") for name in ("rows", "since", "seen")]
        rows = [
            (each.store, phrases.word("hold", each.hold), phrases.word("intent", each.intent), each.rows, each.since, each.seen)
            for each in found.held
        ]
        console.table(heads, rows, empty="")
        console.line(phrases.say("backlog.hold"))


def _pile(pile: Pile, phrases: Phrases) -> tuple[object, ...]:
    return pile.store, _kind(pile.kind, phrases), len(pile.orders), pile.seen


def _kind(kind: str, phrases: Phrases) -> str:
    return phrases.word("intent" if kind in _SETTLED else "backlog", kind)


# ------------------------------------------------------------------------------------------------------------------ settle


def _told(console: Console, found: Outcome, how: Settle, phrases: Phrases, *, dry_run: bool) -> None:
    said = "backlog.would_settle" if dry_run else "backlog.settled"
    for (store, kind), count in sorted(found.settled.items()):
        word = phrases.word("settle", how)
        console.line(phrases.say(said, store=store, count=count, kind=_kind(kind, phrases), how=word))
    if not found.settled:
        console.line(phrases.say("backlog.nothing_settled"))
    for turn in found.in_line:
        console.line(_turn(turn, phrases))
    for store in found.observing:
        console.line(phrases.say("backlog.observing", store=store))
    for order, why in found.refused.items():
        console.line(f"{order}: {why}")


def _turn(turn: Turn, phrases: Phrases) -> str:
    return phrases.say("backlog.turn", store=turn.store, waiting=turn.waiting, today=turn.today, through_on=turn.through_on)


def _document(found: Outcome, *, dry_run: bool) -> dict[str, Any]:
    return {
        "settled": [{"store": store, "kind": kind, "orders": count} for (store, kind), count in sorted(found.settled.items())],
        "refused": [{"order": order, "message": why} for order, why in found.refused.items()],
        "in_line": msgspec.to_builtins(found.in_line),
        "observing": list(found.observing),
        "dry_run": dry_run,
    }


def _code(found: Outcome) -> int:
    """0 all settled (or nothing there), 3 in part, 1 when every order that was named is refused."""
    if not found.refused:
        return 0
    return 3 if sum(found.settled.values()) else 1
