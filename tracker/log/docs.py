"""docs/events.md, made from the catalogue: `python -m tracker.log > docs/events.md`."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.log.events import Event
from tracker.log.meanings import MEANINGS

_HEAD = """\
# Log events

Made from the catalogue in `tracker/log/` by `python -m tracker.log`; do not edit. Every line goes to stderr: one JSON object with
`time` (UTC), `level`, `event` and the fields below off a terminal, readable text on one. Secrets, e-mail addresses
and tax numbers are masked.
"""


def events_markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for room, events in _rooms().items():
        parts.append(f"\n## {room}\n\n| event | level | fields | meaning | what to do |\n|---|---|---|---|---|\n")
        for event in events:
            fields = ", ".join(f"`{field}`" for field in event.fields)
            meaning, todo = MEANINGS[event.value]
            parts.append(f"| `{event.value}` | {event.level} | {fields} | {meaning} | {todo} |\n")
    return "".join(parts)


def _rooms() -> Mapping[str, list[Event]]:
    """The events of each room, in the catalogue's order; a room stands where its first event does."""
    rooms: dict[str, list[Event]] = {}
    for event in Event:
        rooms.setdefault(event.value.split(".")[0], []).append(event)
    return rooms
