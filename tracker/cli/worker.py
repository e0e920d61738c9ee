"""`tracker worker`: the workers of a fleet, as far as people have a word in it."""

from __future__ import annotations

from cyclopts import App

from tracker.cli.context import Room, answer
from tracker.cli.options import Person
from tracker.cli.output import Answer, Console
from tracker.store import Conflict, NotThere
from tracker.store.workers import Forgotten

app = App(name="worker", help="The workers of a fleet. Who they are and how they do: tracker status.")


@app.command
def forget(name: str, /, *, reason: str = "", common: Person = Person()) -> int:
    """Say that a worker will not come back: status and doctor tell of it no more. Refused while it is at work.

    Example: `tracker worker forget tokyo-1 --by Mei --reason "that host was given back"`

    Args:
        name: The worker's name, as `tracker status` shows it.
        reason: Why.
    """

    async def work(room: Room) -> Answer:
        try:
            found = await room.store.forget_worker(name, by=room.who, reason=reason.strip(), now=room.now)
        except (Conflict, NotThere) as error:
            said = str(error)
            document = {"worker": name, "forgotten": False, "message": said, "journal": None}
            return Answer(document=document, text=lambda console: console.line(said), code=1)
        document = {"worker": name, "forgotten": True, "message": None, "journal": found.journal}
        return Answer(document=document, text=lambda console: _told(console, found))

    return answer(common, work, writes=True)


def _told(console: Console, found: Forgotten) -> None:
    console.line(f"{found.worker.name} is forgotten. What it was sending at its end: tracker outbox list --state unknown")
    if found.journal is not None:
        where = f" on {found.worker.host}" if found.worker.host else ""
        console.line(f"Keep its send journal, {found.journal}{where}: a restore of an older backup wants it.")
