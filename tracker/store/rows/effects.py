"""What the sweep writes and dispatch finds."""

from __future__ import annotations

import msgspec

from tracker.model import (
    Channel,
    Decision,
    HoldReason,
    OutboxState,
    Verdict,
)


class NewRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decision on its way into the outbox: `state` is HELD (with its `hold`) or PENDING."""

    decision: Decision
    channel: Channel
    state: OutboxState
    hold: HoldReason | None = None


class Freed(msgspec.Struct, frozen=True):
    """An effect that need not wait for the acceptance of its rules any more; `hold` is what else holds it back."""

    key: str
    hold: HoldReason | None = None


class VerdictWrite(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer of decide() for one dossier, with the version that it was given on: a stale one is dropped whole.

    A decision's `not_before` in the past says since when the effect is due (the ramp of D21 looks at that).
    """

    order_id: int
    version: int
    verdict: Verdict
    rows: tuple[NewRow, ...] = ()
    free: tuple[Freed, ...] = ()
    config_version: str = ""
    dates: tuple[tuple[int, int | None], ...] = ()
    """(Parcel's id, its next date in epoch seconds or None) where that is another one than polling knows."""
    gist: tuple[str, ...] | None = None
    """Its reasons without figures and dates, where telling them in full can wait until it turns out that they are news."""


class SweepWritten(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a batch of verdicts. `opened` are the dedup keys that are new in the outbox, `closed` those withdrawn."""

    written: int
    stale: int
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class SendingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was found `sending` at start, and what it became: `unknown`, or what the journal's end line says."""

    id: int
    key: str
    state: OutboxState
