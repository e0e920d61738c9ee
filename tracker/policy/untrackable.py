"""Untrackable: not found (confirmed), never scanned, silent beyond the limit (R8; facts/transit.md section 3).

Only what a source *answered* counts: every verdict is measured to the last successful answer, so that a carrier that is down,
throttled or answers rubbish never makes a parcel untrackable. Thresholds follow what the service's tracking can show.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from carriers.errors import ErrorKind
from carriers.model import TrackingReason, TrackingStatus
from tracker.dates import DAY, calendar_known, season_days, utc_text, whole_days, working_days_after
from tracker.model import Capability, DecisionReason, NotFound, Scan
from tracker.policy.slowdown import slow_days
from tracker.policy.view import Parcel, View

_ORIGIN = "CN"
_TWO_SOURCES = 2


class Trace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How well a parcel can be traced.

    `reason` is the verdict where `proven`, else why there is none. `quiet` says that its silence reached `investigate` (the
    claim is drafted, facts/compensation.md 1.2); `unscanned` that the forwarder is to be asked; the `…_at` say since when, where
    the calendar tells. `again`: time alone can change it then; `waits`: the next answer can.
    """

    reason: DecisionReason
    proven: bool = False
    quiet: bool = False
    unscanned: bool = False
    proven_at: datetime | None = None
    quiet_at: datetime | None = None
    unscanned_at: datetime | None = None
    again: datetime | None = None
    waits: bool = False
    evidence: Mapping[str, str] = {}


_NO_ANSWER: Mapping[str, DecisionReason] = {
    ErrorKind.UNAVAILABLE: DecisionReason.SOURCE_DOWN,
    ErrorKind.BAD_RESPONSE: DecisionReason.SOURCE_DOWN,
    ErrorKind.RATE_LIMITED: DecisionReason.SOURCE_THROTTLED,
    ErrorKind.NOT_READY: DecisionReason.SOURCE_NOT_READY,
    ErrorKind.REQUEST_EXPIRED: DecisionReason.SOURCE_NOT_READY,
    ErrorKind.NOT_REGISTERED: DecisionReason.SOURCE_NOT_READY,
    ErrorKind.ALREADY_REGISTERED: DecisionReason.SOURCE_NOT_READY,
    ErrorKind.AUTH: DecisionReason.SOURCE_REFUSES,
    ErrorKind.QUOTA_EXHAUSTED: DecisionReason.SOURCE_REFUSES,
    ErrorKind.INVALID_REQUEST: DecisionReason.SOURCE_REFUSES,
    ErrorKind.INVALID_NUMBER: DecisionReason.NUMBER_REFUSED,
}
"""Why a limit cannot be judged yet: each sort of missing answer has its own name, and none of them costs money."""


def trace(view: View, parcel: Parcel) -> Trace:
    """Whether this parcel, which is still on its way, counts as untrackable; where facts are missing, why they are."""
    found = _trace(view, parcel)
    if found.reason is not DecisionReason.WAITING_FOR_FACTS:
        return found
    shipment = parcel.shipment
    if shipment.unanswered is not None:
        return msgspec.structs.replace(found, reason=_NO_ANSWER.get(shipment.unanswered, found.reason))
    return found if shipment.stopped_at is None else msgspec.structs.replace(found, reason=DecisionReason.SOURCE_STOPPED)


def _trace(view: View, parcel: Parcel) -> Trace:
    shipment = parcel.shipment
    if shipment.capability is Capability.EXPORT_ONLY:
        return Trace(reason=DecisionReason.SILENCE_IS_NORMAL)
    if shipment.last_answer_at is None:
        return Trace(reason=DecisionReason.WAITING_FOR_FACTS, waits=True)
    heard = shipment.last_answer_at
    if shipment.stopped_at is not None:
        # A source that has stopped looking repeats what it knew: that says nothing of the parcel (facts/carriers.md 3, rule 7).
        heard = min(heard, shipment.stopped_at)
    if shipment.last_scan is None:
        return _unscanned(view, parcel, heard)
    pause = _pause(parcel)
    if pause is not None:
        return Trace(reason=pause)
    if shipment.reason is TrackingReason.CUSTOMS_HOLD:
        return _at_customs(view, parcel, shipment.last_scan, heard)
    return _silent(view, parcel, shipment.last_scan, heard)


# ------------------------------------------------------------------------------------------------------------------ silent


def _pause(parcel: Parcel) -> DecisionReason | None:
    """What pauses silence: the buyer has to act."""
    shipment = parcel.shipment
    if shipment.status is TrackingStatus.AVAILABLE_FOR_PICKUP:
        return DecisionReason.WAITS_FOR_BUYERS_ACTION
    if shipment.reason is TrackingReason.DUTIES_UNPAID or shipment.reason is TrackingReason.DOCUMENTS_MISSING:
        return DecisionReason.WAITS_FOR_BUYERS_ACTION
    return None


def _at_customs(view: View, parcel: Parcel, last: Scan, heard: datetime) -> Trace:
    """Customs have a longer threshold of their own: after it silence speaks again (facts/transit.md section 3)."""
    kept = last.latest + view.rules.untrackable.customs_hold_days * DAY
    if view.now < kept:
        return Trace(reason=DecisionReason.SILENCE_IS_NORMAL, again=kept)
    if heard < kept:
        return Trace(reason=DecisionReason.WAITING_FOR_FACTS, waits=True)
    return _silent(view, parcel, last, heard)


def _silent(view: View, parcel: Parcel, last: Scan, heard: datetime) -> Trace:
    limits = view.silence(parcel)
    since = last.latest
    if view.now - since < limits.investigate * DAY:
        return Trace(reason=DecisionReason.SILENCE_WITHIN_LIMIT, again=since + limits.investigate * DAY)
    if not parcel.shipment.matched:
        return Trace(reason=DecisionReason.SERVICE_NOT_MATCHED)
    shipment = parcel.shipment
    seasons = slow_days(view, shipment)
    ask_at = since + (limits.investigate + season_days(seasons, shipment, last, limits.investigate)) * DAY
    lost_at = since + (limits.probable_loss + season_days(seasons, shipment, last, limits.probable_loss)) * DAY
    quiet = heard >= ask_at
    facts = _counted(since, heard, lost_at)
    if heard >= lost_at:
        beyond = DecisionReason.SILENT_BEYOND_LIMIT
        return Trace(reason=beyond, proven=True, quiet=quiet, proven_at=lost_at, quiet_at=ask_at, evidence=facts)
    coming = min((at for at in (ask_at, lost_at) if at > view.now), default=None)
    # Past a limit only the next answer can prove that there was no scan until then.
    waits = heard < ask_at <= view.now or lost_at <= view.now
    reason = DecisionReason.WAITING_FOR_FACTS if waits else DecisionReason.SILENCE_WITHIN_LIMIT
    return Trace(reason=reason, quiet=quiet, quiet_at=ask_at, again=coming, waits=waits, evidence=facts)


def _counted(since: datetime, heard: datetime, lost_at: datetime) -> dict[str, str]:
    return {"silent_days": str(whole_days(since, heard)), "limit_days": str(whole_days(since, lost_at))}


# --------------------------------------------------------------------------------------------------------------- unscanned


def _unscanned(view: View, parcel: Parcel, heard: datetime) -> Trace:
    shipment, limits = parcel.shipment, view.rules.untrackable
    known_since = shipment.registered_at
    if known_since is not None and heard < known_since + timedelta(hours=limits.fresh_not_found_hours):
        # An aggregator knows nothing yet of a number it was just told: no news (facts/transit.md section 3).
        return Trace(reason=DecisionReason.NOT_FOUND_UNCONFIRMED, waits=True)
    shipped = shipment.shipped_at or view.order.shipped_at
    if shipment.capability is Capability.ARRIVAL_AND_DELIVERY:
        return _before_arrival(view, parcel, shipped, heard)
    if shipment.not_found is not None and _confirmed(view, shipment.not_found, heard):
        return _not_found(shipment.not_found, heard)
    return _never_scanned(view, parcel, shipped, heard)


def _confirmed(view: View, run: NotFound, heard: datetime) -> bool:
    """3 answers over 5 days from 2 sources, else 5 answers over 7 days: the shipped defaults."""
    limits = view.rules.untrackable
    two = run.sources >= _TWO_SOURCES
    answers = limits.two_sources_answers if two else limits.one_source_answers
    days = limits.two_sources_days if two else limits.one_source_days
    if run.answers >= answers and heard - run.since >= days * DAY:
        return True
    return run.answers >= limits.one_source_answers and heard - run.since >= limits.one_source_days * DAY


def _not_found(run: NotFound, heard: datetime) -> Trace:
    facts = {
        "not_found_answers": str(run.answers),
        "not_found_days": str(whole_days(run.since, heard)),
        "sources": "one source" if run.sources < _TWO_SOURCES else f"{run.sources} sources",
    }
    return Trace(reason=DecisionReason.NOT_FOUND_CONFIRMED, proven=True, quiet=True, evidence=facts)


def _never_scanned(view: View, parcel: Parcel, shipped: datetime | None, heard: datetime) -> Trace:
    """Working days in China (or wherever the parcel was handed over) without a first scan."""
    unconfirmed = parcel.shipment.not_found is not None
    reason = DecisionReason.NOT_FOUND_UNCONFIRMED if unconfirmed else DecisionReason.NO_FIRST_SCAN_YET
    if shipped is None:
        return Trace(reason=reason if unconfirmed else DecisionReason.NO_DAY_ZERO, waits=unconfirmed)
    limits, country = view.rules.untrackable, parcel.shipment.origin or _ORIGIN
    task_at = working_days_after(shipped, limits.pre_scan_task_biz, country)
    verdict_at = working_days_after(shipped, limits.pre_scan_verdict_biz, country)
    calendar = (
        country if calendar_known(country, view.now.year) else f"{country}: its holidays of {view.now.year} are not published"
    )
    facts = {"handed_over": utc_text(shipped), "working_days": str(limits.pre_scan_verdict_biz), "calendar": calendar}
    if heard >= verdict_at:
        return Trace(
            reason=DecisionReason.NEVER_SCANNED,
            proven=True,
            quiet=True,
            unscanned=True,
            proven_at=verdict_at,
            quiet_at=verdict_at,
            unscanned_at=task_at,
            evidence=facts,
        )
    coming = min((at for at in (task_at, verdict_at) if at > view.now), default=None)
    waits = unconfirmed or heard < task_at <= view.now or verdict_at <= view.now
    return Trace(reason=reason, unscanned=heard >= task_at, unscanned_at=task_at, again=coming, waits=waits, evidence=facts)


def _before_arrival(view: View, parcel: Parcel, shipped: datetime | None, heard: datetime) -> Trace:
    """R numbers show their first scan on arrival: neither *not found* nor a missing scan says anything for weeks."""
    if shipped is None:
        return Trace(reason=DecisionReason.NO_DAY_ZERO)
    if not parcel.shipment.matched:
        return Trace(reason=DecisionReason.SERVICE_NOT_MATCHED)
    limits = view.silence(parcel)
    ask_at, lost_at = shipped + limits.investigate * DAY, shipped + limits.probable_loss * DAY
    facts = _counted(shipped, heard, lost_at)
    if heard >= lost_at:
        beyond = DecisionReason.SILENT_BEYOND_LIMIT
        return Trace(reason=beyond, proven=True, quiet=True, proven_at=lost_at, quiet_at=ask_at, evidence=facts)
    coming = min((at for at in (ask_at, lost_at) if at > view.now), default=None)
    waits = heard < ask_at <= view.now or lost_at <= view.now
    reason = DecisionReason.WAITING_FOR_FACTS if waits else DecisionReason.SILENCE_IS_NORMAL
    return Trace(reason=reason, quiet=heard >= ask_at, quiet_at=ask_at, again=coming, waits=waits, evidence=facts)
