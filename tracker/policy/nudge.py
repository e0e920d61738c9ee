"""A nudge: the text of a message that the buyer provably did not read, once more elsewhere, at most once (R25, R81).

Only buyers of the seller's own shop, whose store names a messenger as fallback: nobody is led outside of a marketplace (D5a). It
is no second message but the same one, so it has its own key and the text of the one that lies unread.
"""

from __future__ import annotations

from datetime import timedelta

from tracker.dates import utc_text
from tracker.messages import MESSAGE_TYPES, MessageType
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent
from tracker.policy.findings import Findings
from tracker.policy.ringing import RINGS
from tracker.policy.slots import OUTLASTS, outreach_stop
from tracker.policy.view import View, standing

WAIT = timedelta(hours=48)
"""How long a message may lie unread before it is pointed to: many look at their mail every other day."""

_SPOKEN: dict[Intent, MessageType] = {each.slot: each for each in MESSAGE_TYPES.values()}


def nudge(view: View, out: Findings) -> None:
    """Decide it. Of an order whose messages are read, or nobody can tell, nothing is built."""
    unread = view.order.unread_since
    if unread is None:
        return
    rule, past, stop = Intent.NUDGE.value, view.effects(Intent.NUDGE), outreach_stop(view)
    if stop is not None:
        out.nothing(rule, stop[0], again=stop[1])
        out.take_back(() if stop[0] in OUTLASTS else past, stop[0])
    elif standing(past) is not None:
        out.nothing(rule, DecisionReason.ALREADY_DONE)
    elif not _elsewhere(view):
        out.nothing(rule, DecisionReason.SWITCHED_OFF)
    elif (message := _unread(view)) is None:
        out.nothing(rule, DecisionReason.NOTHING_UNREAD)
    elif unread + WAIT > view.now:
        out.nothing(rule, DecisionReason.NOT_YET_DUE, again=unread + WAIT)
    else:
        out.act(
            Decision(
                kind=ActionKind.MESSAGE,
                reason=DecisionReason.MESSAGE_NOT_READ,
                rule=rule,
                subject=view.order.subject,
                intent=Intent.NUDGE,
                shipment=message.shipment,
                template=_SPOKEN[message.intent].key,
                evidence={"unread_since": utc_text(unread), "unread": message.intent.value, "due_at": utc_text(unread + WAIT)},
            )
        )


def _elsewhere(view: View) -> bool:
    """Whether the store has a messenger to point with: an own shop whose buyers agreed to it."""
    store = view.rules.stores.get(view.order.store)
    return view.market.own_shop and store is not None and store.messenger_consent and not RINGS.isdisjoint(store.fallback)


def _unread(view: View) -> Effect | None:
    """The newest stage or answer that was sent before the buyer stopped reading; notices of events are not pointed to."""
    unread = view.order.unread_since
    told = [
        effect
        for effect in view.dossier.effects
        if effect.kind is ActionKind.MESSAGE
        and effect.subject == view.order.subject
        and effect.intent in _SPOKEN
        and _SPOKEN[effect.intent].kind.counts
        and effect.acted
        and effect.done_at is not None
        and unread is not None
        and effect.done_at <= unread
    ]
    return max(told, key=lambda effect: (effect.done_at or effect.created_at, effect.key), default=None)
