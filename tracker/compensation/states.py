"""The life of a claim against a carrier (facts/compensation.md section 4).

A table, no cleverness: an illegal move is an error, the same event twice is harmless, no state is ever left by accident. Filing,
answers and money are recorded by people; the calendar alone moves a claim to `ready` and to `expired`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from tracker.compensation.window import ClaimWindow
from tracker.model import ClaimState as S


class ClaimEvent(StrEnum):
    """What can happen to a claim. `found` is a parcel found or delivered before the money came."""

    WINDOW_OPENED = "window_opened"
    WINDOW_CLOSED = "window_closed"
    INQUIRY_SENT = "inquiry_sent"
    INQUIRY_FRUITLESS = "inquiry_fruitless"
    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    DOCUMENTS_WANTED = "documents_wanted"
    APPROVED = "approved"
    APPROVED_PARTLY = "approved_partly"
    REJECTED = "rejected"
    APPEALED = "appealed"
    GIVEN_UP = "given_up"
    PAID = "paid"
    OFFSET = "offset"
    RECONCILED = "reconciled"
    FOUND = "found"
    DELIVERED_AFTER_PAYMENT = "delivered_after_payment"
    PAID_BACK = "paid_back"


E = ClaimEvent
_DECIDABLE = (S.FILED, S.ACKNOWLEDGED, S.WAITING_DOCUMENTS, S.APPEALED)
_UNFILED = (S.DRAFT, S.READY, S.INQUIRY_OPEN)
_BEFORE_MONEY = (*_UNFILED, S.FILED, S.ACKNOWLEDGED, S.WAITING_DOCUMENTS, S.APPROVED, S.APPROVED_PARTIAL)

_MOVES: Mapping[ClaimEvent, tuple[S, tuple[S, ...]]] = {
    # event: (to, from ...)
    E.WINDOW_OPENED: (S.READY, (S.DRAFT,)),
    E.WINDOW_CLOSED: (S.EXPIRED, _UNFILED),
    E.INQUIRY_SENT: (S.INQUIRY_OPEN, (S.READY,)),
    E.INQUIRY_FRUITLESS: (S.WRITTEN_OFF, (S.INQUIRY_OPEN,)),
    E.FILED: (S.FILED, (S.READY, S.INQUIRY_OPEN)),
    E.ACKNOWLEDGED: (S.ACKNOWLEDGED, (S.FILED, S.WAITING_DOCUMENTS)),
    E.DOCUMENTS_WANTED: (S.WAITING_DOCUMENTS, (S.FILED, S.ACKNOWLEDGED)),
    E.APPROVED: (S.APPROVED, _DECIDABLE),
    E.APPROVED_PARTLY: (S.APPROVED_PARTIAL, _DECIDABLE),
    E.REJECTED: (S.REJECTED, _DECIDABLE),
    E.APPEALED: (S.APPEALED, (S.REJECTED, S.APPROVED_PARTIAL)),
    E.GIVEN_UP: (S.WRITTEN_OFF, (S.REJECTED,)),
    E.PAID: (S.PAID, (S.APPROVED, S.APPROVED_PARTIAL)),
    E.OFFSET: (S.OFFSET, (S.APPROVED, S.APPROVED_PARTIAL)),
    E.RECONCILED: (S.CLOSED, (S.PAID, S.OFFSET)),
    E.FOUND: (S.WITHDRAWN, _BEFORE_MONEY),
    E.DELIVERED_AFTER_PAYMENT: (S.REVERSED, (S.PAID, S.OFFSET, S.CLOSED)),
    E.PAID_BACK: (S.CLOSED, (S.REVERSED,)),
}

TERMINAL = frozenset({S.CLOSED, S.EXPIRED, S.WITHDRAWN, S.WRITTEN_OFF})
"""Nothing more happens by itself; only `closed` has a way out: a parcel delivered after the payment reverses it."""

WORDS: Mapping[S, str] = {
    S.FILED: "opened",
    S.ACKNOWLEDGED: "negotiating",
    S.WAITING_DOCUMENTS: "negotiating",
    S.APPEALED: "negotiating",
    S.PAID: "paid",
    S.OFFSET: "paid",
    S.REJECTED: "rejected",
}
"""The clerks' four words for a claim's state (R87); the other states keep their own."""


class IllegalMove(ValueError):  # noqa: N818 - said in the words of the business
    """This event cannot happen to a claim in this state; the message names the ones that can."""

    def __init__(self, state: S, event: ClaimEvent | S, allowed: tuple[ClaimEvent, ...]) -> None:
        can = ", ".join(allowed) or "nothing any more"
        super().__init__(f"a claim that is {state.value} cannot be moved by {event.value}; possible here: {can}")
        self.state, self.event, self.allowed = state, event, allowed


def advance(state: S, event: ClaimEvent, *, inquiry_only: bool = False) -> S:
    """The state after `event`; unchanged when the event has already brought it there. Raises IllegalMove.

    Under terms that only search (`inquiry_only`) nothing can be filed, and a fruitless inquiry ends the claim; under all others a
    fruitless inquiry is followed by the filing.
    """
    target, sources = _MOVES[event]
    if state is target:
        return state
    if state not in sources or event not in events_from(state, inquiry_only=inquiry_only):
        raise IllegalMove(state, event, events_from(state, inquiry_only=inquiry_only))
    return target


def events_from(state: S, *, inquiry_only: bool = False) -> tuple[ClaimEvent, ...]:
    """The events that can happen to a claim in `state`."""
    barred = E.FILED if inquiry_only else E.INQUIRY_FRUITLESS
    return tuple(event for event, (_, sources) in _MOVES.items() if state in sources and event is not barred)


def event_for(state: S, wanted: S) -> ClaimEvent:
    """The event by which a claim in `state` becomes `wanted`, for people who say the state. Raises IllegalMove.

    Where it is so already, the event that leads there: saying it twice is harmless.
    """
    leads = [event for event, (target, _) in _MOVES.items() if target is wanted]
    for event in leads:
        if state in _MOVES[event][1]:
            return event
    if state is wanted and leads:
        return leads[-1] if wanted is not S.CLOSED else E.RECONCILED
    raise IllegalMove(state, leads[0] if leads else wanted, events_from(state))


def due_event(state: S, window: ClaimWindow, today: date, *, inquiry_only: bool = False) -> ClaimEvent | None:
    """What the calendar alone does to a claim today (local date at origin): it opens, or its window closed with nothing filed.

    An inquiry that was sent in time does not expire under terms that only search: it *was* all there is to file.
    """
    unfiled = _UNFILED[:-1] if inquiry_only else _UNFILED
    if state in unfiled and window.is_over(today):
        return E.WINDOW_CLOSED
    return E.WINDOW_OPENED if state is S.DRAFT and window.is_open(today) else None


def money_open(state: S) -> bool:
    """Whether money of this claim can still move: polling of the parcel goes on as long (clawback of a paid one included)."""
    return state not in TERMINAL
