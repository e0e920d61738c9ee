"""release(): the last look before a call, on fresh facts and with the totals that no single order knows (D17, D20-D22, D25).

Two questions: do the facts still want it (decide() is asked again), and is now the moment. Deadlines are never held by caps: an
extension, a claim, a person's task and an approved refund pass everything but the facts and the brake.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_CEILING

import msgspec

from tracker.dates import DAY
from tracker.model import (
    ActionKind,
    DecisionReason,
    Dossier,
    HoldReason,
    Intent,
    Mode,
    OutboxRow,
    Release,
    ReleaseVerdict,
    Totals,
)
from tracker.policy.decider import decide
from tracker.policy.ladder import MESSAGES
from tracker.rules import Rules


class _Moment(msgspec.Struct, frozen=True):
    row: OutboxRow
    dossier: Dossier
    totals: Totals
    rules: Rules
    now: datetime


_HOUR = timedelta(hours=1)
_BRAKE = timedelta(minutes=15)


def release(row: OutboxRow, dossier: Dossier, totals: Totals, rules: Rules, now: datetime) -> Release:
    """Whether a pending row goes out now: send | hold (a person) | defer (until) | cancel (the facts no longer want it)."""
    gone = dict(decide(dossier, rules, now).withdraw).get(row.key)
    if gone is not None:
        return Release(verdict=ReleaseVerdict.CANCEL, why=gone.value)
    if totals.paused is not None:
        return _defer(f"paused: {totals.paused}", now + _BRAKE)
    moment = _Moment(row, dossier, totals, rules, now)
    guards = _ALWAYS.get(row.kind, ())
    if row.approved_by is None:
        guards = (*_BY_A_PERSON.get(row.kind, ()), *guards)
    for guard in guards:
        found = guard(moment)
        if found is not None:
            return found
    return Release(verdict=ReleaseVerdict.SEND, why="free")


# -------------------------------------------------------------------------------------------------------------- for a person


def _clock(at: _Moment) -> Release | None:
    """Nobody is written to while the clock is not trusted (faults row 13)."""
    return _hold(HoldReason.TIME_GUARD) if at.totals.time_guard else None


def _mode(at: _Moment) -> Release | None:
    """A store starts in observe, then approve, then live, per message type (D22)."""
    store = at.rules.stores.get(at.row.store)
    mode = Mode.OBSERVE if store is None else store.mode_for(at.row.template or at.row.intent.value)
    if mode is Mode.OBSERVE:
        return _hold(HoldReason.STORE_OBSERVES)
    return _hold(HoldReason.MESSAGE_NEEDS_APPROVAL) if mode is Mode.APPROVE else None


def _offer(at: _Moment) -> Release | None:
    """Stage 2 offers a refund: a store that has not approved the standing offer decides each one (D11)."""
    store = at.rules.stores.get(at.row.store)
    unapproved = at.row.intent is Intent.STAGE2 and store is not None and not store.refund_offer_approved
    return _hold(HoldReason.MESSAGE_NEEDS_APPROVAL) if unapproved else None


def _first_start(at: _Moment) -> Release | None:
    """What was due before this store's first start is held once (D22)."""
    early = at.totals.store_since is not None and due_since(at.row) < at.totals.store_since
    return _hold(HoldReason.FIRST_START) if early else None


def _stale(at: _Moment) -> Release | None:
    """A stage more than 5 days late goes to the queue instead of out (faults row 35)."""
    late = at.row.intent in MESSAGES and at.now - due_since(at.row) > at.rules.manners.stale_stage_days * DAY
    return _hold(HoldReason.STALE_STAGE) if late else None


def _approval(at: _Moment) -> Release | None:  # noqa: ARG001 - one shape for all guards
    """Money wants a person, always (D11)."""
    return _hold(HoldReason.MONEY_NEEDS_APPROVAL)


def _plausible(at: _Moment) -> Release | None:
    """A mass change that is not plausible stops the money, approved or not, and calls a person once more (D25).

    Never inside an open case with a deadline. The row's `result` keeps why it was held: who released it has answered this.
    """
    manners, totals = at.rules.manners, at.totals
    mass = totals.turned_bad_24h >= manners.plausibility_parcels
    odd = totals.turned_bad_24h > manners.plausibility_factor * totals.bad_per_day_28d
    pressing = any(case.closed_at is None and case.due_at is not None for case in at.dossier.cases)
    answered = at.row.result == HoldReason.PLAUSIBILITY.value
    return _hold(HoldReason.PLAUSIBILITY) if mass and odd and not pressing and not answered else None


# ------------------------------------------------------------------------------------------------------------- later by itself


def _on_hold(at: _Moment) -> Release | None:
    """A clerk asked to leave this order alone until then."""
    until = at.dossier.order.hold_until
    return _defer(DecisionReason.ON_HOLD.value, until) if until is not None and until > at.now else None


def _facts(at: _Moment) -> Release | None:
    """A stage that waited for its turn may speak of old facts: they must be of the last 48 hours (D20)."""
    if at.row.intent not in MESSAGES:
        return None
    limit = timedelta(hours=at.rules.manners.facts_age_message_hours)
    heard = next((each.last_answer_at for each in at.dossier.shipments if each.number == at.row.shipment), None)
    stale = heard is None or at.now - heard > limit
    return _defer(DecisionReason.WAITING_FOR_FACTS.value, at.now + _HOUR) if stale else None


def _ramp(at: _Moment) -> Release | None:
    """What came due all at once goes out at a tenth a day; open cases first and unhindered (D21)."""
    backlog = at.totals.overdue_backlog + at.totals.released_today
    if at.dossier.dispute_open or at.row.urgent or at.now - due_since(at.row) <= DAY:
        return None
    share = int((at.rules.manners.ramp_share * backlog).to_integral_value(ROUND_CEILING))
    if at.totals.released_today < max(share, at.rules.manners.ramp_floor):
        return None
    return _defer("ramp", (at.now + DAY).replace(hour=0, minute=0, second=0, microsecond=0))


def _cap(at: _Moment) -> Release | None:
    """So many messages an hour, a store and a channel (facts/messages.md section 8)."""
    store = at.rules.stores.get(at.row.store)
    cap = at.rules.manners.hourly_cap if store is None or store.hourly_cap is None else store.hourly_cap
    full = at.totals.sent_this_hour >= cap
    return _defer("hourly_cap", at.now.replace(minute=0, second=0, microsecond=0) + _HOUR) if full else None


def _quiet(at: _Moment) -> Release | None:
    """One message an order in 72 hours; dispatch hands over the urgent one first."""
    if at.totals.last_message_at is None:
        return None
    until = at.totals.last_message_at + timedelta(hours=at.rules.manners.quiet_hours_between)
    return _defer("72_hours", until) if until > at.now else None


_Guard = Callable[[_Moment], Release | None]
_BY_A_PERSON: dict[ActionKind, tuple[_Guard, ...]] = {
    ActionKind.MESSAGE: (_clock, _mode, _offer, _first_start, _stale),
    ActionKind.REFUND: (_approval,),
}
"""What a person can wave through: who approved or released a row has answered them."""

_ALWAYS: dict[ActionKind, tuple[_Guard, ...]] = {
    ActionKind.MESSAGE: (_on_hold, _facts, _ramp, _cap, _quiet),
    ActionKind.REFUND: (_plausible,),
}
"""By kind, like the ones above; a kind that is not named is a deadline of ours and passes."""


def due_since(row: OutboxRow) -> datetime:
    """Since when the effect is due: the stage's own day, which no deferral moves; else when it was decided."""
    due = row.evidence.get("due_at")
    return row.created_at if due is None else datetime.fromisoformat(due)


def _hold(reason: HoldReason) -> Release:
    return Release(verdict=ReleaseVerdict.HOLD, why=reason.value, hold=reason)


def _defer(why: str, until: datetime) -> Release:
    return Release(verdict=ReleaseVerdict.DEFER, why=why, until=until)
