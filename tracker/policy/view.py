"""What the rules look at: one dossier at one instant, with everything that several rules derive from it computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from carriers.model import TrackingReason, TrackingStatus
from tracker.dates import day0_bounds, whole_days, window_end
from tracker.model import (
    Capability,
    DecisionReason,
    Dossier,
    Effect,
    Intent,
    Order,
    OrderState,
    OutboxState,
    Remedy,
    Shipment,
    TaskState,
    Window,
)
from tracker.rules import STAGES, Marketplace, Profile, Rules, Silence

PLATFORM = "platform"
"""`settled_by`: the marketplace itself settles non-receipt, inside the buyer's dispute (D14)."""

_OVER = {
    OrderState.CANCELLED: DecisionReason.CANCELLED,
    OrderState.UNPAID: DecisionReason.NOT_PAID,
    OrderState.FINISHED: DecisionReason.FINISHED,
}
_NOTHING: Mapping[Intent, list[Effect]] = {}
_NEVER = (None,) * len(STAGES)
_LOST = (TrackingReason.LOST, TrackingReason.DESTROYED)


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """One parcel of the order. `started` are the bounds of day 0, `age` the whole days since its later bound.

    `dues` are the instants of the ladder's stages (None: no day 0), `reached` the index of the last one that
    has come, -1 for none.

    `gone` says why nothing more is expected of it: delivered, returned_to_sender, refunded (its share is paid back), replaced.
    """

    shipment: Shipment
    profile: Profile
    started: tuple[datetime, datetime] | None
    age: int
    gone: DecisionReason | None
    dues: tuple[datetime | None, ...]
    reached: int

    @property
    def day0(self) -> datetime | None:
        """The later bound of day 0: stages and money count from it."""
        return None if self.started is None else self.started[1]

    @property
    def returned(self) -> bool:
        """Whether it went back to the seller, refunded since or not: then it is not lost."""
        return self.shipment.status is TrackingStatus.RETURNED

    @property
    def lost(self) -> bool:
        """Whether the carrier itself says that it is lost (R37)."""
        return self.shipment.reason in _LOST

    @property
    def damaged(self) -> bool:
        """Whether the carrier itself says that it is damaged (R85)."""
        return self.shipment.reason is TrackingReason.DAMAGED


class View(msgspec.Struct, frozen=True, gc=False):
    """A dossier at `now`. `over` says why the order as a whole wants nothing more of us: cancelled, finished, refunded ..."""

    dossier: Dossier
    order: Order
    rules: Rules
    now: datetime
    market: Marketplace
    parcels: tuple[Parcel, ...]
    expected: tuple[Parcel, ...]
    """Those that are still on their way."""
    over: DecisionReason | None
    past: Mapping[Intent, list[Effect]]
    """All that was decided before, by purpose."""

    def effects(self, intent: Intent, subject: str | None = None) -> list[Effect]:
        """What was decided for this purpose before, oldest first; about the order unless a subject is named."""
        past = self.past.get(intent)
        if past is None:
            return []
        about = subject or self.order.subject
        return [effect for effect in past if effect.subject == about]

    def window(self) -> Window | None:
        """End of the delivery window: as known, else the first day 0 + guarantee (a deadline: the earlier bound)."""
        if self.order.window is not None:
            return self.order.window
        started = [(parcel.started[0], parcel.profile.guarantee_days) for parcel in self.parcels if parcel.started is not None]
        ends = [window_end(self.order, begin, days) for begin, days in started]
        return min((end for end in ends if end is not None), key=lambda each: each.end, default=None)

    def fresh(self, parcel: Parcel, hours: int) -> bool:
        """Whether a source answered about this parcel within so many hours (D20)."""
        heard = parcel.shipment.last_answer_at
        return heard is not None and self.now - heard <= timedelta(hours=hours)

    def silence(self, parcel: Parcel) -> Silence:
        """The thresholds of silence: by capability first, then by profile (facts/transit.md section 3)."""
        if parcel.shipment.capability is Capability.ARRIVAL_AND_DELIVERY:
            return self.rules.profile(self.destination(parcel), "registered").silence
        return parcel.profile.silence

    def destination(self, parcel: Parcel) -> str | None:
        """Where this parcel goes."""
        return parcel.shipment.country or self.order.country


def look(dossier: Dossier, rules: Rules, now: datetime) -> View:
    """The dossier as the rules see it at `now` (aware UTC). KeyError: a marketplace that the configuration does not know."""
    order = dossier.order
    parcels = tuple(_parcel(dossier, shipment, rules, now) for shipment in dossier.shipments)
    expected = tuple([parcel for parcel in parcels if parcel.gone is None])
    past = _by_intent(dossier.effects) if dossier.effects else _NOTHING
    return View(dossier, order, rules, now, rules.marketplace(order.platform), parcels, expected, _over(order, parcels), past)


def _by_intent(effects: Sequence[Effect]) -> Mapping[Intent, list[Effect]]:
    found: dict[Intent, list[Effect]] = {}
    for effect in effects:
        found.setdefault(effect.intent, []).append(effect)
    return found


def _parcel(dossier: Dossier, shipment: Shipment, rules: Rules, now: datetime) -> Parcel:
    order = dossier.order
    started = day0_bounds(order, shipment)
    profile = rules.profile(shipment.country or order.country, shipment.service, store=order.store, tracking=shipment.capability)
    if order.stages:
        profile = msgspec.structs.replace(profile, stages={**profile.stages, **order.stages})
    gone = _gone(dossier, shipment)
    if started is None:
        return Parcel(shipment, profile, None, 0, gone, _NEVER, -1)
    day0 = started[1]
    dues = tuple([day0 + step for step in profile.steps])
    reached = -1
    for index, due in enumerate(dues):
        if due <= now:
            reached = index
    return Parcel(shipment, profile, started, whole_days(day0, now), gone, dues, reached)


def _gone(dossier: Dossier, shipment: Shipment) -> DecisionReason | None:
    if shipment.status is TrackingStatus.DELIVERED:
        return DecisionReason.DELIVERED
    if dossier.order.refunded_at is not None and _paid_back(dossier, shipment):
        return DecisionReason.REFUNDED
    if shipment.status is TrackingStatus.RETURNED:
        return DecisionReason.RETURNED_TO_SENDER
    return DecisionReason.REPLACED if dossier.effects and _replaced(dossier, shipment) else None


def _replaced(dossier: Dossier, shipment: Shipment) -> bool:
    """Whether a person has sent another parcel in its place (R37, R85)."""
    sent = (each for each in dossier.effects if each.remedy is Remedy.RESHIP and each.shipment == shipment.number)
    return any(each.task is TaskState.DONE for each in sent)


def _paid_back(dossier: Dossier, shipment: Shipment) -> bool:
    """Whether the refund that was paid covers this parcel.

    Of a split order a part may be paid back: then the refund's own parcel counts (D23). A partial refund that nobody tied to a
    parcel covers all of them, because writing on would be worse than falling silent (I4).
    """
    order = dossier.order
    if len(dossier.shipments) == 1 or not order.paid_left or order.refunded_amount is None:
        return True
    paid = [
        effect
        for effect in dossier.effects
        if effect.intent is Intent.REFUND and effect.acted and (effect.remedy is None or effect.remedy.pays)
    ]
    return not paid or any(effect.shipment in {shipment.number, None} for effect in paid)


def _over(order: Order, parcels: Sequence[Parcel]) -> DecisionReason | None:
    over = _OVER.get(order.state)
    if over is not None:
        return over
    if order.received_at is not None:
        return DecisionReason.RECEIVED_BY_BUYER
    if order.refunded_at is not None and all(parcel.gone is not None for parcel in parcels):
        return DecisionReason.REFUNDED
    return None


# ------------------------------------------------------------------------------------------------------------ past effects


def taken_back(effect: Effect) -> bool:
    """The facts, not a person, ended it before it reached anyone: it opens again under its key when they want it again."""
    if effect.rejected:
        return False
    if effect.task is not None:
        return effect.task is TaskState.DROPPED and effect.state is not OutboxState.UNKNOWN
    return effect.state is OutboxState.CANCELLED


def withdrawable(effect: Effect) -> bool:
    """It can still be taken back: nobody called, nobody has it in hand (D17)."""
    if effect.task is not None:
        return effect.task is TaskState.OPEN and effect.state is OutboxState.SENT
    return effect.state in {OutboxState.HELD, OutboxState.PENDING}


def standing(effects: Sequence[Effect]) -> Effect | None:
    """The effect that uses the slot up: on its way, arrived, failed or refused; None where the slot is free."""
    return next((effect for effect in reversed(effects) if not taken_back(effect)), None)
