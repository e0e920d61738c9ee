"""Outbox rows as people and scripts see them: the same words in review, outbox and hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tracker.cli.output import Answer, Console, money, shown
from tracker.desk import Outcome, people
from tracker.model import OutboxState, Remedy
from tracker.phrases import Phrases, fill
from tracker.policy.remedies import OPTION
from tracker.store.rows import OutboxView, TaskView

if TYPE_CHECKING:
    from tracker.cli.context import Room

View = TypeVar("View", OutboxView, TaskView)

COLUMNS = ("id", "facts", "deadline", "store", "order", "parcel", "what", "amount", "state", "reason")


_REMEDY = max(len(each) for each in Remedy)

_ELSEWHERE = frozenset({"currency", "hold", "evidence", "intent", "options", "order", "store"})


def row_document(view: OutboxView) -> dict[str, Any]:
    """One row for `--json`."""
    row = view.row
    return {
        "id": row.id,
        "key": row.key,
        "facts_version": view.order.version,
        "store": row.store,
        "platform": view.order.platform,
        "order": view.order.number,
        "country": view.order.country,
        "tracking_number": row.shipment,
        "kind": row.kind,
        "intent": row.intent,
        "occasion": row.occasion,
        "template": row.template,
        "channel": row.channel,
        "state": row.state,
        "hold": row.hold,
        "rejected": view.rejected,
        "reason": row.reason,
        "rule": row.rule,
        "amount": row.amount,
        "currency": row.currency,
        "remedy": row.remedy,
        "deadline": row.deadline,
        "not_before": row.not_before,
        "created_at": row.created_at,
        "held_since": view.held_since,
        "decided_at": view.decided_at,
        "approved_by": row.approved_by,
        "first_approved_by": view.first_approved_by,
        "snoozed_until": view.snoozed_until,
        "sent_at": view.sent_at,
        "provider_id": view.provider_id,
        "task": view.task_id,
        "attempts": row.attempts,
        "result": row.result,
        "config": row.config_version,
        "evidence": row.evidence,
        "options": options_of(view),
    }


def row_cells(view: OutboxView, phrases: Phrases) -> tuple[object, ...]:
    """One row for a table with `COLUMNS`, its words in the operators' language."""
    row = view.row
    return (
        row.id,
        view.order.version,
        row.deadline,
        row.store,
        view.order.number,
        row.shipment,
        what(view, phrases),
        money(row.amount, row.currency),
        state_of(view, phrases),
        phrases.word("why", row.reason),
    )


def what(view: OutboxView, phrases: Phrases) -> str:
    """What it is for; of a recommendation what it proposes, where that is no plain refund."""
    remedy = view.row.remedy
    plain = remedy is None or remedy is Remedy.FULL_REFUND
    return phrases.word("intent", view.row.intent) if plain or remedy is None else phrases.word("remedy", remedy)


def options_of(view: OutboxView) -> dict[str, str]:
    """Every remedy that a person can choose for a recommendation, with its cost."""
    return {name.removeprefix(OPTION): cost for name, cost in view.row.evidence.items() if name.startswith(OPTION)}


def state_of(view: OutboxView, phrases: Phrases) -> str:
    """The state with what keeps it there."""
    if view.rejected:
        return phrases.word("state", "rejected")
    state = phrases.word("state", view.row.state)
    if waits_for_second(view):
        return f"{state}: {phrases.say('review.second', first=view.first_approved_by)}"
    return f"{state}: {phrases.word('hold', view.row.hold)}" if view.row.hold else state


def waits_for_second(view: OutboxView) -> bool:
    """Whether one person has approved it and somebody else has to (D23)."""
    return view.row.state is OutboxState.HELD and view.first_approved_by is not None


def second_of(view: OutboxView, room: Room) -> str | None:
    """What is said of a row that wants another person's word after a decision."""
    if not waits_for_second(view):
        return None
    return room.phrases.say("review.second", first=people.name_of(view.first_approved_by, room.loaded.rules.team))


def listing(name: str, views: Sequence[OutboxView], *, empty: str) -> Answer:
    """A list of rows; `name` is its key in the document."""
    return Answer(
        document={name: [row_document(view) for view in views]},
        text=lambda console: console.table(COLUMNS, [row_cells(view, console.phrases) for view in views], empty=empty),
    )


def card(name: str, view: OutboxView, *, next_step: str = "") -> Answer:
    """One row with everything that led to it."""

    def text(console: Console) -> None:
        row, phrases = view.row, console.phrases
        console.head(phrases.say("card.head", intent=what(view, phrases), order=view.order.number, store=row.store))
        facts = row_document(view) | {"amount": money(row.amount, row.currency), "state": state_of(view, phrases)}
        console.facts({key: value for key, value in facts.items() if key not in _ELSEWHERE})
        options = options_of(view)
        evidence = {name: value for name, value in row.evidence.items() if not name.startswith(OPTION)}
        if evidence:
            console.head(phrases.say("card.evidence"))
            console.facts(evidence)
        if options:
            console.head(phrases.say("review.options"))
            for remedy, cost in options.items():
                console.line(_option(phrases, remedy, cost))
        if next_step:
            console.line()
            console.line(next_step)

    return Answer(document={name: row_document(view)}, text=text)


def _option(phrases: Phrases, remedy: str, cost: str) -> str:
    return f"  --as {fill(remedy, _REMEDY)}  {phrases.word('remedy', remedy)}: {cost}"


def outcomes(done: str, results: Sequence[Outcome[View]], *, note: Callable[[View], str | None] = lambda _: None) -> Answer:
    """What became of each id: exit 0 when all were taken, 3 in part, 1 when none was. `note` says more of one that was."""
    notes = {each.id: said for each in results if each.view is not None and (said := note(each.view)) is not None}
    refused = sum(result.refused is not None for result in results)

    def text(console: Console) -> None:
        key = f"outcome.{done.replace(' ', '_')}"
        word = console.phrases.say(key) if console.phrases.knows(key) else done
        for result in results:
            said = "; ".join([word, notes[result.id]] if result.id in notes else [word])
            console.line(f"{result.id}: {said if result.refused is None else result.refused}")

    return Answer(
        document={
            "results": [
                {
                    "id": each.id,
                    "done": each.refused is None,
                    "state": _state(each.view),
                    "message": each.refused or notes.get(each.id),
                }
                for each in results
            ]
        },
        text=text,
        code=0 if not refused else (1 if refused == len(results) else 3),
    )


def _state(view: OutboxView | TaskView | None) -> str | None:
    match view:
        case None:
            return None
        case OutboxView():
            return shown(view.row.state)
        case _:
            return shown(view.state)
