"""What polling reads and writes: due parcels, memories, changes, quiet answers, failures, the breaker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from carriers.model import TrackingEvent, TrackingStatus
from tracker.model.journey import Journey


class DueShipment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One parcel that is due to be asked about: what a query and the cadence need, nothing more.

    `moved_at` is the newest scan, `last_answer_at` the last successful answer, `failures` the failed polls since then.
    `linked_number` is the last-mile number a source told, `linked_carrier` whose it is; `deadline_at` (epoch seconds) the
    next date of its order that people or money must meet.
    """

    id: int
    number: str
    next_poll_at: int
    carrier: str | None
    service: str
    country: str | None
    shipped_at: datetime | None
    status: TrackingStatus
    moved_at: int | None
    last_answer_at: int | None
    failures: int
    linked_number: str | None = None
    linked_carrier: str | None = None
    deadline_at: int | None = None


class Link(msgspec.Struct, frozen=True, gc=False):
    """The last-mile number that a source tells, and the carrier whose it probably is."""

    number: str
    carrier: str | None


class Remembered(msgspec.Struct, frozen=True, gc=False):
    """What one account's adapter keeps about one number, and the digest of the last slice that was read."""

    memory: Mapping[str, Any]
    digest: bytes | None
    found: bool = True
    """Whether that slice told anything of the number: False after a *not found*."""


class AccountMemory(msgspec.Struct, frozen=True):
    """An account's own memory, and what it keeps about the numbers asked for (unknown ones are absent)."""

    account: Mapping[str, Any]
    numbers: Mapping[str, Remembered]


class Polled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stored journey of a parcel whose slice changed. `fingerprints` = 8-byte event keys, one after the other."""

    id: int
    number: str
    journey: Journey
    fingerprints: bytes
    shipped_at: datetime | None
    country: str | None

    def knows(self) -> frozenset[bytes]:
        """The keys of the events that are stored already: what is not in here is new."""
        packed = self.fingerprints
        return frozenset(packed[at : at + 8] for at in range(0, len(packed), 8))


class PollChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One successful answer that says something else than before. `events` are the new ones only, oldest first.

    `material` False keeps dossiers asleep and their version as it is (a further *not found* of a run that is only counted),
    except those that wait for an answer.
    """

    id: int
    number: str
    next_poll_at: int | None
    journey: Journey
    source: str
    events: tuple[TrackingEvent, ...] = ()
    material: bool = True
    link: Link | None = None
    """A last-mile number that is news; None leaves the known one as it is."""


class PollQuiet(msgspec.Struct, frozen=True, gc=False):
    """One successful answer that says what it said before: two columns move, nothing else."""

    id: int
    number: str
    next_poll_at: int | None


class PollFailure(msgspec.Struct, frozen=True, gc=False):
    """One poll without an answer: `last_answer_at` stands still, so nothing ages."""

    id: int
    number: str
    next_poll_at: int
    kind: str | None = None
    """The error's kind, which tells apart down, throttled, not ready; None leaves the last one as it is."""


class PollLater(msgspec.Struct, frozen=True, gc=False):
    """A parcel that was not asked about, or whose answer is still being made: it is asked later, and nothing is counted."""

    id: int
    number: str
    next_poll_at: int


class Unmapped(msgspec.Struct, frozen=True, gc=False):
    """A code of an account's source that no table knows, with a number that carries it, and in how many answers it came."""

    account: str
    code: str
    number: str
    times: int


class AnswerWrite(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to keep per account and number. None leaves the stored value as it is."""

    account: str
    number: str
    memory: Mapping[str, Any] | None = None
    digest: bytes | None = None
    status: TrackingStatus | None = None
    slice: bytes | None = None
    """What the source said about the number, byte for byte: evidence (D10). None where it said nothing new."""


class PollWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction of at most 400 parcels. `at` is the epoch second of the answers.

    `answered` names the accounts that answered at all; `accounts` holds their own memory where it changed.
    """

    at: int
    changed: tuple[PollChange, ...] = ()
    quiet: tuple[PollQuiet, ...] = ()
    failed: tuple[PollFailure, ...] = ()
    later: tuple[PollLater, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    answers: tuple[AnswerWrite, ...] = ()
    answered: tuple[str, ...] = ()
    accounts: Mapping[str, Mapping[str, Any]] = {}
    asked: tuple[int, ...] = ()
    """Parcels that are to be asked about at once; one that is followed no more stays so."""
    forget: tuple[tuple[str, str], ...] = ()
    """(Account, number): what it says next is looked into, even word for word what it said before."""
    pushed: tuple[int, ...] = ()
    """Ids of pushed slices that are heard with this, and go."""
    token: str | None = None
    """Of the claim under which all this was asked: parcels that it has lost meanwhile are left alone (fencing)."""


class PollWritten(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: new events, dossiers that were woken."""

    events: int
    woken: int


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """Circuit breaker of one account. Closed while `open_until` is None; `kind` is the error that opened it."""

    failures: int = 0
    open_until: datetime | None = None
    since: datetime | None = None
    kind: str | None = None
