"""The guard on rule changes (faults row 20): how many open parcels new rules would act on that the rules before would not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker.model import Dossier, Effect, HoldReason, OutboxState
from tracker.plan.ahead import Planned, forecast
from tracker.plan.compare import Changed, compare
from tracker.policy import decide
from tracker.rules import Rules

SHARE = 0.01
FLOOR = 50
"""More than this share of the open parcels, and at least so many: then new effects wait for a person's word."""

HORIZON = timedelta(hours=24)
"""How far the two sets of rules are compared: what the old ones do by this time tomorrow is no new effect."""

_ARRIVED = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """What new rules do to one order within the horizon.

    `effects` are new, `parcels` of `open_parcels` get them. `look_at` is when the new rules want to look at the order (None:
    never by time alone), `waits` whether they want the next answer of a source.
    """

    effects: tuple[Planned, ...]
    parcels: int
    open_parcels: int
    look_at: datetime | None
    waits: bool


def touch(dossier: Dossier, old: Rules | None, new: Rules, now: datetime, *, asleep_until: datetime | None) -> Touch:
    """Compare two sets of rules on one order. KeyError as in decide().

    Where the old rules cannot be had (None), their last verdict stands in: the order sleeps until `asleep_until` (None: for
    good), so what is due earlier is new. What was due already when the rules changed is not.
    """
    bare = without_waiting(dossier)
    ahead = forecast(bare, new, now, now + HORIZON)
    verdict = ahead.steps[0].verdict if bare is dossier else decide(dossier, new, now)
    fresh = _fresh(bare, ahead.effects, old, now, asleep_until) if ahead.effects else ()
    acts = verdict.decisions or verdict.withdraw or verdict.claims
    still_open = _open_parcels(dossier)
    return Touch(
        effects=fresh,
        parcels=_touched(fresh, still_open),
        open_parcels=still_open,
        look_at=now if acts else verdict.next_at,
        waits=verdict.waits_for_answer,
    )


def too_many(touched: int, open_parcels: int) -> bool:
    """Whether so many are more than a change of rules may touch unasked."""
    return touched >= FLOOR and touched > SHARE * open_parcels


def awaits_rules(effect: Effect) -> bool:
    """Whether this effect waits until the rules that decided it are accepted."""
    return effect.state is OutboxState.HELD and effect.hold is HoldReason.RULES_WAIT


def without_waiting(dossier: Dossier) -> Dossier:
    """The dossier as if what waits for the acceptance of its rules had never been decided."""
    if not any(awaits_rules(effect) for effect in dossier.effects):
        return dossier
    return replace(dossier, effects=tuple(effect for effect in dossier.effects if not awaits_rules(effect)))


def _fresh(
    dossier: Dossier, mine: tuple[Planned, ...], old: Rules | None, now: datetime, asleep_until: datetime | None
) -> tuple[Planned, ...]:
    if old is None:
        return mine if asleep_until is None else tuple(effect for effect in mine if effect.at < asleep_until)
    theirs = forecast(dossier, old, now, now + HORIZON).effects
    return tuple(change.effect for change in compare(theirs, mine) if change.how is Changed.NEW)


def _open_parcels(dossier: Dossier) -> int:
    if dossier.order.refunded_at is not None or dossier.order.received_at is not None:
        return 0
    return sum(shipment.status not in _ARRIVED for shipment in dossier.shipments)


def _touched(effects: Iterable[Planned], still_open: int) -> int:
    named = {effect.shipment for effect in effects}
    if not named:
        return 0
    return max(still_open, 1) if None in named else len(named)
