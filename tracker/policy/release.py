"""release(): the last look before a call, on fresh facts and with the totals that no single order knows (D17, D20-D22, D25).

Two questions: do the facts still want it (decide() is asked again), and is now the moment. Deadlines are never held by caps: an
extension, a claim and a person's task pass everything but the facts and a pause that names deadlines, an approved refund
everything but the facts, the brake and the plausibility hold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from tracker.dates import DAY, utc_text
from tracker.messages import MESSAGE_TYPES, Kind, base_key
from tracker.model import (
    ActionKind,
    Channel,
    DecisionReason,
    Dossier,
    HoldReason,
    Intent,
    Mode,
    OutboxRow,
    Pause,
    Release,
    ReleaseVerdict,
    Totals,
)
from tracker.policy.brake import pressing, reach, stopping
from tracker.policy.decider import decide
from tracker.policy.ladder import MESSAGES
from tracker.policy.ramp import share
from tracker.policy.ringing import RINGS, rings_from
from tracker.rules import Manners, Rules

PAUSED = "paused"
"""The word with which a row waits for the brake; the store finds those rows by it."""


class _Moment(msgspec.Struct, frozen=True):
    row: OutboxRow
    dossier: Dossier
    totals: Totals
    rules: Rules
    now: datetime


_HOUR = timedelta(hours=1)
_BRAKE = timedelta(hours=6)
"""A pause without an end is looked at again so often; whoever resumes wakes its rows at once."""

FIRST_MONTH = 30 * DAY
"""How long a store counts as new since its first start: its texts and rules are not proven yet."""

_FILES_MISSED = 3
"""Expected order files that may fail to come before outreach stops: 72 hours of a daily one (D20)."""


def release(row: OutboxRow, dossier: Dossier, totals: Totals, rules: Rules, now: datetime) -> Release:
    """Whether a pending row goes out now: send | hold (a person) | defer (until) | cancel (the facts no longer want it)."""
    gone = dict(decide(dossier, rules, now).withdraw).get(row.key)
    if gone is not None:
        return Release(verdict=ReleaseVerdict.CANCEL, why=gone.value)
    if totals.paused and (pause := stopping(totals.paused, reach(row, dossier), now)) is not None:
        return _brake(pause, now)
    moment = _Moment(row, dossier, totals, rules, now)
    guards = _ALWAYS.get(row.kind, ())
    if row.approved_by is None:
        guards = (*_BY_A_PERSON.get(row.kind, ()), *guards)
    for guard in guards:
        found = guard(moment)
        if found is not None:
            return found
    cap = hourly_cap(row.store, totals.store_since, rules, now) if row.kind is ActionKind.MESSAGE else None
    return Release(verdict=ReleaseVerdict.SEND, why="free", cap=cap)


def hourly_cap(store: str, since: datetime | None, rules: Rules, now: datetime) -> int:
    """Messages an hour of a store and channel: its own limit, else that of its first month, else the wider one (faults row 35).

    `since` is the store's first start; unknown counts as new.
    """
    shop, manners = rules.stores.get(store), rules.manners
    if shop is not None and shop.hourly_cap is not None:
        return shop.hourly_cap
    new = since is None or now - since < FIRST_MONTH
    return manners.hourly_cap if new else manners.hourly_cap_later


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
    """What was due before this store's first start, or before the order itself came in, is held once (D22, faults row 35).

    A cut-over names the day from which on we speak: what came due since then is ours, if it came due within a day before the
    order came in. An older one was named by mistake, and lets nothing loose.
    """
    since = max((each for each in (at.totals.store_since, at.totals.order_since) if each is not None), default=None)
    if since is None:
        return None
    cut = at.dossier.order.cutover_at
    begins = since if cut is None else min(since, max(cut, since - DAY))
    return _hold(HoldReason.FIRST_START) if due_since(at.row) < begins else None


def _restored(at: _Moment) -> Release | None:
    """What came due since a backup that was put back is looked at once: facts typed since then are gone (faults row 36).

    A task is somebody's look already.
    """
    until = at.totals.restored_until
    if until is None or due_since(at.row) > until or (at.row.kind is ActionKind.EXTENSION and at.row.channel is Channel.TASK):
        return None
    return _hold(HoldReason.RESTORED)


def _stale(at: _Moment) -> Release | None:
    """A stage more than 5 days late goes to the queue instead of out (faults row 35).

    What the brake or a ramp makes it wait is not counted: else a week's pause would hand everything to people, and a ramp of ten
    days its second half.
    """
    came = at.row.in_line_since or at.now
    late = at.row.intent in MESSAGES and came - due_since(at.row) > at.rules.manners.stale_stage_days * DAY
    return _hold(HoldReason.STALE_STAGE) if late else None


def _approval(at: _Moment) -> Release | None:  # noqa: ARG001 - one shape for all guards
    """Money wants a person, always (D11)."""
    return _hold(HoldReason.MONEY_NEEDS_APPROVAL)


def _plausible(at: _Moment) -> Release | None:
    """A mass change that is not plausible stops the money, approved or not, and calls a person once more (D25).

    Never inside an open case with a deadline, and once only: who released it from this hold has answered.
    """
    odd = implausible(at.totals.turned_bad_24h, at.totals.bad_per_day_28d, at.rules.manners)
    answered = at.row.answered is HoldReason.PLAUSIBILITY
    return _hold(HoldReason.PLAUSIBILITY) if odd and not pressing(at.dossier) and not answered else None


def implausible(within_24h: int, usual: float, manners: Manners) -> bool:
    """Whether so many parcels of one carrier that turned bad within a day, where `usual` do, are rather a mistake (D25)."""
    return within_24h >= manners.plausibility_parcels and within_24h > manners.plausibility_factor * usual


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


def _files(at: _Moment) -> Release | None:
    """Outreach waits while a store's order files are overdue three times over: who was refunded is written in them (D20)."""
    store = at.rules.stores.get(at.row.store)
    kind = MESSAGE_TYPES.get(base_key(at.row.template or at.row.intent.value))
    read = at.totals.order_file_at
    if store is None or store.files_every_h is None or read is None or kind is None or not kind.kind.outreach:
        return None
    stale = at.now - read > timedelta(hours=_FILES_MISSED * store.files_every_h)
    return _defer("order_files_stale", at.now + _HOUR, f"the last one was read {utc_text(read)}") if stale else None


def _ramp(at: _Moment) -> Release | None:
    """What came due all at once goes out at a tenth a day; open cases first and unhindered (D21).

    A row less than a day late is no part of it, nor is one that a person let go by itself.
    """
    row, waiting, gone = at.row, at.totals.overdue_backlog, at.totals.released_today
    alone = row.approved_by is not None and not row.overdue
    if at.dossier.dispute_open or row.urgent or alone or at.now - due_since(row) <= DAY:
        return None
    today = share(waiting, gone, at.rules.manners)
    if gone < today:
        return None
    tomorrow = (at.now + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    return _defer("ramp", tomorrow, f"{gone} have gone out today, {waiting} wait", in_line=True)


def _cap(at: _Moment) -> Release | None:
    """So many messages an hour, a store and a channel (facts/messages.md section 8)."""
    full = at.totals.sent_this_hour >= hourly_cap(at.row.store, at.totals.store_since, at.rules, at.now)
    return _defer("hourly_cap", at.now.replace(minute=0, second=0, microsecond=0) + _HOUR) if full else None


def _quiet(at: _Moment) -> Release | None:
    """One message an order in 72 hours, those outside of this product included; dispatch hands over the urgent one first."""
    if base_key(at.row.template or at.row.intent.value) in _AT_ONCE:
        return None
    told = [*at.dossier.order.contacted.values(), *filter(None, [at.totals.last_message_at])]
    if not told:
        return None
    until = max(told) + timedelta(hours=at.rules.manners.quiet_hours_between)
    return _defer("72_hours", until) if until > at.now else None


_DATED = frozenset({"customs_hold", "duties_unpaid", "storage_expiring"})
"""Notices with a date that the buyer must keep."""
_AT_ONCE = _DATED | {each.key for each in MESSAGE_TYPES.values() if each.kind is Kind.ANSWER}
"""Types that no 72 hours hold back; but they count for the next one (facts/messages.md section 8)."""


def _rings(at: _Moment) -> Release | None:
    """A messenger waits for the buyer's morning, by his own clock; the message is never dropped for it (D16, R25)."""
    if at.row.channel not in RINGS:
        return None
    until = rings_from(at.dossier.order, at.rules.quiet, at.now)
    return None if until is None else _defer("quiet_hours", until)


_Guard = Callable[[_Moment], Release | None]
_BY_A_PERSON: dict[ActionKind, tuple[_Guard, ...]] = {
    ActionKind.MESSAGE: (_clock, _mode, _offer, _restored, _first_start, _stale),
    ActionKind.EXTENSION: (_restored,),
    ActionKind.REFUND: (_approval,),
}
"""What a person can wave through: who approved or released a row has answered them."""

_ALWAYS: dict[ActionKind, tuple[_Guard, ...]] = {
    ActionKind.MESSAGE: (_on_hold, _files, _facts, _ramp, _cap, _quiet, _rings),
    ActionKind.REFUND: (_plausible,),
}
"""By kind, like the ones above; a kind that is not named is a deadline of ours and passes."""


def due_since(row: OutboxRow) -> datetime:
    """Since when the effect is due: the stage's own day, which no deferral moves; else when it was decided."""
    due = row.evidence.get("due_at")
    return row.created_at if due is None else datetime.fromisoformat(due)


def _hold(reason: HoldReason) -> Release:
    return Release(verdict=ReleaseVerdict.HOLD, why=reason.value, hold=reason)


def _brake(pause: Pause, now: datetime) -> Release:
    """Until the pause ends; one without an end is looked at again now and then."""
    end = "until somebody resumes" if pause.until is None else f"until {utc_text(pause.until)}"
    detail = f"by {pause.by}, {end}: {pause.reason} (tracker resume {pause.id})"
    return _defer(PAUSED, pause.until or now + _BRAKE, detail, in_line=True)


def _defer(why: str, until: datetime, detail: str = "", *, in_line: bool = False) -> Release:
    return Release(verdict=ReleaseVerdict.DEFER, why=why, until=until, detail=detail, in_line=in_line)
