"""The send journal: an append-only file beside the database that remembers what a restored backup forgets (faults rows 1 and 36).

One JSON line before and one after each call, each synced before the next step; one file a worker, no personal data. A line is
`{"at", "key", "attempt", "channel", "mark": "begin" | "end", "state", "provider_id", "result"}`, the last three with `end` only.
Kept at least as long as the oldest backup.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from tracker.crashpoint import fault
from tracker.log.redact import masked
from tracker.model import Attempt, Channel, JournalEnd, OutboxState

BEGIN = "begin"
END = "end"

_TAIL_BYTES = 524_288
"""About two thousand lines: what is newer than any moment that a copied database may have missed."""

_PARTIAL = ".partial"

_MOST_SAID = 1000
"""Characters of a provider's reason that are kept."""


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
        self._file = _open(path)
        if fresh:
            _sync_folder(path.parent)
        elif _torn(self._file):
            # The line that a crash tore stays as it is; the next one starts on its own.
            os.write(self._file, b"\n")

    def begin(self, key: str, *, attempt: int, channel: Channel, now: datetime) -> None:
        """The line before the call. Raises OSError: then the call must not be made."""
        self._append(Entry(at=now, key=key, attempt=attempt, channel=channel, mark=BEGIN))

    def end(self, key: str, end: JournalEnd, *, channel: Channel, now: datetime) -> None:
        """The line after the call; what a provider said names nobody and is cut short (faults row 27). Raises OSError."""
        self._append(
            Entry(
                at=now,
                key=key,
                attempt=end.attempt,
                channel=channel,
                mark=END,
                state=end.state,
                provider_id=end.provider_id,
                result=end.result and masked(end.result)[:_MOST_SAID],
            )
        )

    def ends(self) -> dict[str, JournalEnd]:
        """How the newest attempt of each key ended; a key whose newest line is `begin` is not in it."""
        return ends(read(self.path))

    def tail(self) -> dict[str, Attempt]:
        """The newest attempts of the keys that the end of the file names (about two thousand lines)."""
        return attempts(tail(self.path))

    def prune(self, before: datetime) -> int:
        """Forget the lines before that instant, but for the last one of them; how many bytes that freed. Raises OSError.

        A backup notes the newest line of its time, so that a restore knows the journal for complete: that one stays. Whoever
        holds the journal open must be the one to prune it.
        """
        try:
            return prune(self.path, before)
        finally:
            # Whatever failed, the file of that name is the journal: lines must not go into one that has lost its name.
            fresh = _open(self.path)
            os.close(self._file)
            self._file = fresh

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
        fault("journal_before_sync")
        os.fsync(self._file)


def read(path: Path) -> Iterator[Entry]:
    """The whole lines of a journal, oldest first. A torn line (the crash of the moment) is left out, wherever it stands."""
    try:
        lines = path.open("rb")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            entry = _entry(line)
            if entry is not None:
                yield entry


def ends(entries: Iterable[Entry]) -> dict[str, JournalEnd]:
    """How the newest attempt of each key ended; left out are keys whose newest attempt has a `begin` alone."""
    found: dict[str, JournalEnd] = {}
    for entry in entries:
        if entry.mark == END and entry.state is not None:
            found[entry.key] = JournalEnd(
                attempt=entry.attempt, state=entry.state, provider_id=entry.provider_id, result=entry.result
            )
        else:
            found.pop(entry.key, None)
    return found


def attempts(entries: Iterable[Entry]) -> dict[str, Attempt]:
    """The newest attempt of each key; the entries may come from the files of several workers, one after the other."""
    found: dict[str, Attempt] = {}
    for entry in entries:
        known = found.get(entry.key)
        end = None
        if entry.mark == END and entry.state is not None:
            end = JournalEnd(attempt=entry.attempt, state=entry.state, provider_id=entry.provider_id, result=entry.result)
        if known is None or entry.attempt > known.attempt or (entry.attempt == known.attempt and end is not None):
            found[entry.key] = Attempt(key=entry.key, attempt=entry.attempt, channel=entry.channel, at=entry.at, end=end)
    return found


def tail(path: Path) -> list[Entry]:
    """The whole lines at the end of a journal, oldest first; none of a file that is not there."""
    return [entry for line in _tail_lines(path) if (entry := _entry(line)) is not None]


def newest_line(path: Path) -> str | None:
    """The newest whole line as it stands in the file: a backup keeps it, to know the journal again. None: there is none."""
    return next((line.decode() for line in reversed(_tail_lines(path)) if _entry(line) is not None), None)


def holds(path: Path, line: str) -> bool:
    """Whether a journal holds this line."""
    wanted = line.encode()
    try:
        lines = path.open("rb")
    except FileNotFoundError:
        return False
    with lines:
        return any(each.rstrip(b"\n") == wanted for each in lines)


def prune(path: Path, before: datetime) -> int:
    """See `Journal.prune`: for a file that nobody has open. The new file takes the old one's place as a whole or not at all."""
    start = _kept_from(path, before)
    if start == 0:
        return 0
    fresh = path.with_name(path.name + _PARTIAL)
    with path.open("rb") as old, fresh.open("wb") as new:
        old.seek(start)
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())
    was = path.stat()
    fresh.chmod(was.st_mode & 0o777)
    with suppress(PermissionError):
        os.chown(fresh, was.st_uid, was.st_gid)
    fresh.replace(path)
    _sync_folder(path.parent)
    return start


def _kept_from(path: Path, before: datetime) -> int:
    """Where the line before the first one that is kept begins."""
    newest_before = position = 0
    try:
        lines = path.open("rb")
    except FileNotFoundError:
        return 0
    with lines:
        for line in lines:
            entry = _entry(line)
            if entry is not None and entry.at >= before:
                return newest_before
            if entry is not None:
                newest_before = position
            position += len(line)
    return newest_before


def _tail_lines(path: Path) -> list[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return []
    with file:
        size = file.seek(0, os.SEEK_END)
        begin = max(0, size - _TAIL_BYTES)
        file.seek(begin)
        lines = file.read().split(b"\n")
    return lines[1:] if begin else lines


def _entry(line: bytes) -> Entry | None:
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o660)


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
