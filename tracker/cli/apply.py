"""`tracker apply`: exactly the effects that a saved plan found due, or nothing where anything has moved since."""

from __future__ import annotations

from pathlib import Path

from tracker import config
from tracker.cli.context import Room, answer
from tracker.cli.errors import Failed
from tracker.cli.options import Person
from tracker.cli.output import Answer, Console
from tracker.plan import PlanFileError, SavedPlan, read_plan
from tracker.sweep import Applied, RulesGate, apply_plan

SHOWN = 20


def apply(file: Path, /, *, common: Person = Person()) -> int:
    """Let exactly that happen which a saved plan found due when it was made, nothing else, and nothing twice.

    Refused as a whole, with everything named that moved, where the configuration or the facts of one of its orders have changed.
    The effects go the usual way: what a store's mode or money holds back still waits for a person. What the plan saw for later is
    not done by it.

    Example: `tracker apply monday.json --by Mei`

    Args:
        file: What tracker plan --out wrote.
    """
    saved = _read(file)

    async def work(room: Room) -> Answer:
        gate = RulesGate(store=room.store, clock=room.clock, rules=room.loaded.rules, snapshot=config.snapshot(room.loaded))
        found = await apply_plan(saved, store=room.store, rules=room.loaded.rules, gate=gate, by=room.who, now=room.now)
        document = {
            "file": str(file),
            "planned_at": saved.at,
            "config": saved.config,
            "planned": saved.due,
            "applied": found.applied,
            "already": found.already,
            "moved": found.moved,
        }
        return Answer(document=document, text=lambda console: _text(console, found), code=1 if found.moved else 0)

    return answer(common, work, writes=True)


def _read(file: Path) -> SavedPlan:
    try:
        return read_plan(file.read_bytes())
    except PlanFileError as error:
        raise Failed("not_a_plan", f"{file}: {error}") from error
    except OSError as error:
        raise Failed("unreadable_file", f"{file}: cannot be read: {error.strerror}") from error


def _text(console: Console, found: Applied) -> None:
    if found.moved:
        console.head("Nothing was applied: things have moved since the plan was made.")
        for what in found.moved[:SHOWN]:
            console.line(f"  {what}")
        if len(found.moved) > SHOWN:
            console.line(f"  and {len(found.moved) - SHOWN} more")
        console.line("Make the plan anew: tracker plan --out FILE")
        return
    console.head(f"{len(found.applied)} effects applied, {len(found.already)} were there already.")
    for key in found.applied[:SHOWN]:
        console.line(f"  {key}")
    if len(found.applied) > SHOWN:
        console.line(f"  and {len(found.applied) - SHOWN} more: tracker outbox list")
