"""Sources that call us: which secrets sign what they push, and what is wrong with a push door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec

from carriers import registry
from tracker.config.merge import Merged
from tracker.config.problem import Level
from tracker.config.shape_tracker import Source, TrackerFile

PRESENT, BEFORE = "push_secret", "push_secret_before"

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")

_ERROR: Level = "error"
_WARNING: Level = "warning"


def push_secrets(source: Source) -> tuple[str, ...]:
    """The names of the secrets that may sign a push of this account, the present one first; none: it has no door.

    A source that signs with its key (17TRACK) needs no other secret; two are valid while one takes the place of the other.
    """
    if source.adapter not in registry.names():
        return ()
    described = registry.describe(source.adapter)
    if not described.push:
        return ()
    present = PRESENT if PRESENT in source.secrets else described.push_key
    return tuple(name for name in (present, BEFORE) if name in source.secrets) if present in source.secrets else ()


def check_pushes(tracker: TrackerFile) -> Iterator[tuple[Merged, str, Level]]:
    """Every finding: where, what, how bad."""
    listen = tracker.receiver.listen
    for each in tracker.source:
        yield from _source(each, is_open=listen is not None)
        if listen is not None and push_secrets(each) and not _PLAIN.fullmatch(each.id):
            message = f"its address for pushes would be /push/{each.id}: letters, digits, dots, - and _ alone"
            yield ("source", each.id, "id"), message, _ERROR
    if listen is None:
        return
    path: Merged = ("receiver", "listen")
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        wants = f"wants the extra `web` ({', '.join(missing)}): pip install '.[web]' in the program's folder"
        yield path, wants, _ERROR
    if listen == tracker.metrics.listen:
        yield path, f"[metrics] listens at {listen} already", _ERROR
    if not any(push_secrets(each) for each in tracker.source):
        message = 'no [[source]] can push: give one that can (tracker carriers list) its secret "push_secret"'
        yield path, message, _WARNING


def _source(source: Source, *, is_open: bool) -> Iterator[tuple[Merged, str, Level]]:
    path: Merged = ("source", source.id, "secrets")
    given = [name for name in (PRESENT, BEFORE) if name in source.secrets]
    if not given or source.adapter not in registry.names():
        return
    described = registry.describe(source.adapter)
    if not described.push:
        yield path, f"{described.title} never calls: leave {given[0]} out", _ERROR
    elif not push_secrets(source):
        yield path, f'{BEFORE} is the secret until yesterday: "{PRESENT}" is missing', _ERROR
    elif not is_open:
        yield path, f"{given[0]} opens nothing while [receiver] listen is empty", _WARNING
