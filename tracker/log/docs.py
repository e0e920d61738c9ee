"""docs/events.md, made from the catalogue: `python -m tracker.log > docs/events.md`."""

from __future__ import annotations

from itertools import groupby

from tracker.log.events import Event

_HEAD = """\
# Log events

Made from the catalogue in `tracker/log/events.py` by `python -m tracker.log`; do not edit. Every line goes to stderr: one JSON
object with `time` (UTC), `level`, `event` and the fields below off a terminal, readable text on one. Secrets, e-mail addresses
and tax numbers are masked.
"""


def events_markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for room, events in groupby(Event, key=lambda event: event.value.split(".")[0]):
        parts.append(f"\n## {room}\n\n| event | level | fields | meaning | what to do |\n|---|---|---|---|---|\n")
        for event in events:
            fields = ", ".join(f"`{field}`" for field in event.fields)
            parts.append(f"| `{event.value}` | {event.level} | {fields} | {event.meaning} | {event.todo} |\n")
    return "".join(parts)
