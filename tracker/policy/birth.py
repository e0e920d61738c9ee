"""How a decided effect begins: through which channel it goes, and whether a person is asked first (D11, D17, D22). Pure."""

from __future__ import annotations

import msgspec

from tracker.messages import base_key
from tracker.model import ActionKind, Channel, Decision, Dossier, HoldReason, Intent, Mode, WindowSource
from tracker.policy.ringing import RINGS
from tracker.rules import Rules

API, EXTEND = "api", "extend"
"""The mode of a marketplace, and the capability of a store's account there."""

_KNOWN = frozenset({WindowSource.API.value, WindowSource.TYPED.value, WindowSource.FILE.value})
_BY_MODE = {Mode.OBSERVE: HoldReason.STORE_OBSERVES, Mode.APPROVE: HoldReason.MESSAGE_NEEDS_APPROVAL}


class Birth(msgspec.Struct, frozen=True):
    """The channel of an effect, and what holds it back from the start; None: it goes as soon as it may."""

    channel: Channel
    hold: HoldReason | None = None


def birth(decision: Decision, dossier: Dossier, rules: Rules) -> Birth | None:
    """How one decision begins; None for a decision to do nothing. KeyError: no file describes the order's store.

    Money waits for approval everywhere. A message follows the store's mode for its type, and some types go to a person even
    where mail would do. Tasks and register lines reach no buyer and never wait.
    """
    match decision.kind:
        case ActionKind.NOTHING:
            return None
        case ActionKind.REFUND:
            return Birth(Channel.TASK, HoldReason.MONEY_NEEDS_APPROVAL)
        case ActionKind.COMPENSATION:
            return Birth(Channel.REGISTER)
        case ActionKind.MESSAGE:
            store, market = rules.stores[dossier.order.store], rules.marketplace(dossier.order.platform)
            kind = base_key(decision.template or decision.intent.value)
            channel = Channel.TASK if kind in market.tasks_for else store.channel or market.channel
            if decision.intent is Intent.NUDGE:
                channel = next((each for each in store.fallback if each in RINGS), channel)
            hold = _BY_MODE.get(store.mode_for(kind))
            answered = hold is HoldReason.MESSAGE_NEEDS_APPROVAL and decision.approved_by is not None
            return Birth(channel, None if answered else hold)
        case ActionKind.EXTENSION:
            return Birth(Channel.MARKETPLACE if extended_by_call(decision, dossier, rules) else Channel.TASK)
        case _:
            return Birth(Channel.TASK)


def extended_by_call(decision: Decision, dossier: Dossier, rules: Rules) -> bool:
    """Whether the marketplace's own API extends this window (R7); else a person does.

    The mode of the marketplace allows it, the store's account shall do it, the end is known and not only estimated, and the store
    is live: the mode of a store stands above every capability (D22).
    """
    store, market = rules.stores.get(dossier.order.store), rules.marketplace(dossier.order.platform)
    known = decision.evidence.get("window_source") in _KNOWN
    return (
        market.extension.mode == API
        and known
        and store is not None
        and EXTEND in store.api
        and store.mode_for(decision.intent.value) is Mode.LIVE
    )
