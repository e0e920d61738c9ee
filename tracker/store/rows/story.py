"""The whole case of an order as it was written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from carriers.model import TrackingEvent, TrackingStatus
from tracker.model import (
    Verdict,
)


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored scan, who told it and when we first saw it."""

    event: TrackingEvent
    source: str
    seen_at: datetime


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """What an account last said about a number, and since when it says so."""

    account: str
    number: str
    status: TrackingStatus | None
    changed_at: datetime


class RawAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an account answered about a number, byte for byte; `size` is that of the whole answer, `body` may be its beginning."""

    number: str
    account: str
    at: datetime
    size: int
    body: bytes


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict as it was given; stored only where it says something else than the one before."""

    at: datetime
    config_version: str
    verdict: Verdict


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when, why; `before` and `after` hold the facts that moved (I6)."""

    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}
