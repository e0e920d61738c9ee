"""The send journal: an append-only file beside the database that remembers what a restored backup forgets (faults rows 1 and 36).

One JSON line before and one after each call, each synced before the next step; one file a worker, no personal data. A line is
`{"at", "key", "attempt", "channel", "mark": "begin" | "end", "state", "provider_id", "result"}`, the last three with `end` only.
Kept at least as long as the oldest backup.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from tracker.model import Channel, JournalEnd, OutboxState

BEGIN = "begin"
END = "end"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. `at` is aware UTC; `state` says how the attempt ended (with `end`)."""

    at: datetime
    key: str
    attempt: int
    channel: Channel
    mark: str
    state: OutboxState | None = None
    provider_id: str | None = None
    result: str | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Entry)


class Journal:
    """An open journal. Several writers of one process may share it; two processes have a file each."""

    def __init__(self, path: Path) -> None:
        """Open for appending, made when missing. Raises OSError: without a journal nothing may be sent."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        self._cut = False
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o660)
        if fresh:
            _sync_folder(path.parent)
        elif _torn(self._file):
            # The line that a crash tore stays as it is; the next one starts on its own.
            os.write(self._file, b"\n")

    def begin(self, key: str, *, attempt: int, channel: Channel, now: datetime) -> None:
        """The line before the call. Raises OSError: then the call must not be made."""
        self._append(Entry(at=now, key=key, attempt=attempt, channel=channel, mark=BEGIN))

    def end(self, key: str, end: JournalEnd, *, channel: Channel, now: datetime) -> None:
        """The line after the call. Raises OSError."""
        self._append(
            Entry(
                at=now,
                key=key,
                attempt=end.attempt,
                channel=channel,
                mark=END,
                state=end.state,
                provider_id=end.provider_id,
                result=end.result,
            )
        )

    def ends(self) -> dict[str, JournalEnd]:
        """How the newest attempt of each key ended; a key whose newest line is `begin` is not in it."""
        return ends(read(self.path))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _append(self, entry: Entry) -> None:
        # A line that a full disk cut off stays as it is; the next one starts on its own.
        line = (b"\n" if self._cut else b"") + _ENCODER.encode(entry) + b"\n"
        written = os.write(self._file, line)
        self._cut = written != len(line)
        if self._cut:
            raise OSError(f"{self.path}: only {written} of {len(line)} bytes were written")
        os.fsync(self._file)


def read(path: Path) -> Iterator[Entry]:
    """The whole lines of a journal, oldest first. A torn line (the crash of the moment) is left out, wherever it stands."""
    try:
        lines = path.open("rb")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            try:
                yield _DECODER.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue


def ends(entries: Iterable[Entry]) -> dict[str, JournalEnd]:
    """How the newest attempt of each key ended; left out are keys whose newest attempt has a `begin` alone (`in_doubt`)."""
    found: dict[str, JournalEnd] = {}
    for entry in entries:
        if entry.mark == END and entry.state is not None:
            found[entry.key] = JournalEnd(
                attempt=entry.attempt, state=entry.state, provider_id=entry.provider_id, result=entry.result
            )
        else:
            found.pop(entry.key, None)
    return found


def in_doubt(entries: Iterable[Entry]) -> dict[str, int]:
    """Key -> attempt of those that began and of which nobody knows the end: they are `unknown`, for a person."""
    begun: dict[str, int] = {}
    for entry in entries:
        if entry.mark == BEGIN:
            begun[entry.key] = entry.attempt
        else:
            begun.pop(entry.key, None)
    return begun


def _torn(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _sync_folder(folder: Path) -> None:
    """A new file's name must survive a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
