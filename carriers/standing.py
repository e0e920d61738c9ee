"""Where a parcel stands, by its scans and by what its source says on top (facts: rules across carriers, 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from carriers.codes import UNKNOWN, Meaning
from carriers.model import TrackingEvent, TrackingReason, TrackingStatus, newest

_BACK = {TrackingReason.RETURNING}


class Standing(NamedTuple):
    """The status, why, and what contradicts it."""

    status: TrackingStatus
    reason: TrackingReason | None
    notes: tuple[str, ...] = ()


def handed_back(events: tuple[TrackingEvent, ...]) -> tuple[TrackingEvent, ...]:
    """`events`, oldest first, where a delivery that follows the start of a return is one to the sender: `returned`."""
    start = next((at for at, event in enumerate(events) if event.reason in _BACK), None)
    if start is None:
        return events
    return events[:start] + tuple(_returned(event) for event in events[start:])


def _returned(event: TrackingEvent) -> TrackingEvent:
    if event.status is not TrackingStatus.DELIVERED:
        return event
    return msgspec.structs.replace(event, status=TrackingStatus.RETURNED, reason=None)


def stand(events: Sequence[TrackingEvent], top: Meaning, said: str | None) -> Standing:
    """The newest scan's status; where it tells none, that of the top status, which the source calls `said`.

    "Not found" beside scans that tell nothing is no "not found", which may cost money. Both are named in a note where they
    differ. Where one says delivered and the other tells of a return, the return stands: that delivery is one to the sender. Where
    zones are missing, a scan with the top status that can be as late as the newest one (by their bounds) makes the top status
    right: the source knows the order, we do not.
    """
    last = newest(events)
    if last is None or last.status is TrackingStatus.UNKNOWN:
        contradicted = top[0] is TrackingStatus.NOT_FOUND and events
        return Standing(*UNKNOWN, (f"the status says {said}, and there are scans",)) if contradicted else Standing(*top)
    if top == UNKNOWN or top[0] is last.status:
        return Standing(last.status, last.reason)
    notes = (f"the status says {said}, the newest event {last.raw_code}",)
    scanned = (last.status, last.reason)
    if TrackingStatus.DELIVERED in {top[0], last.status} and (_is_back(top) or _is_back(scanned)):
        return Standing(*(top if _is_back(top) else scanned), notes)
    earliest = _bounds(last)[0]
    if any(event.status is top[0] and _bounds(event)[1] >= earliest for event in events):
        return Standing(*top, notes)
    return Standing(last.status, last.reason, notes)


def _is_back(meaning: Meaning) -> bool:
    return meaning[0] is TrackingStatus.RETURNED or meaning[1] in _BACK


def refined(word: Meaning, sub: Meaning) -> Meaning:
    """What a source's word and a sub-status of another family mean together: the word, unless a return denies a delivery."""
    return sub if word[0] is TrackingStatus.DELIVERED and _is_back(sub) else word


def _bounds(event: TrackingEvent) -> tuple[float, float]:
    return event.bounds() or (float("inf"), float("-inf"))


def led(events: Sequence[TrackingEvent], top: Meaning | None, said: str | None) -> Standing:
    """The top status of a source that has read all legs itself (an aggregator); None: its word, `said`, tells nothing.

    It stands also where the newest scan differs, but for two cases: "not found" beside scans is no "not found", which may cost
    money; and a return that is newer than a delivery wins, whatever scans without a meaning follow it. That the source stopped
    looking is never overruled.
    """
    last = newest(events)
    if top is not None and top[0] is TrackingStatus.DELIVERED:
        last = newest([event for event in events if event.status is not TrackingStatus.UNKNOWN])
    scanned = UNKNOWN if last is None else (last.status, last.reason)
    if top is None:
        return Standing(*scanned)
    status, reason = top
    if status is TrackingStatus.NOT_FOUND and events:
        return Standing(*scanned, ("the source says not found and lists events",))
    if last is None or last.status in {status, TrackingStatus.UNKNOWN} or status is TrackingStatus.EXPIRED:
        return Standing(status, reason)
    notes = (f"the source's status {said} and its newest event {last.raw_code} disagree",)
    return Standing(*(scanned if status is TrackingStatus.DELIVERED and _is_back(scanned) else top), notes)
