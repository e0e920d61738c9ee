"""What is said and settled once at a start, and at every new configuration: modes, pauses, what a raised mode lets go (D22)."""

from __future__ import annotations

from datetime import datetime

from tracker.dates import utc_text
from tracker.log import Event, get_logger
from tracker.messages import MESSAGE_TYPES
from tracker.model import Intent, Mode, Pause
from tracker.policy.brake import scope
from tracker.rules import Rules
from tracker.rules import Store as Shop
from tracker.store import Store

_log = get_logger()


async def begin(store: Store, rules: Rules, now: datetime) -> None:
    """Say what each store's mode withholds and which pauses stand; look again at what waited for a mode that was raised since."""
    pauses = await store.pauses(now)
    for shop in rules.stores.values():
        concerned = [pause.id for pause in pauses if pause.store in {None, shop.id}]
        types = withheld(shop, rules)
        _log.info(
            Event.STORE_MODE,
            store=shop.id,
            mode=shop.mode.value,
            observes=list(types[Mode.OBSERVE]),
            approves=list(types[Mode.APPROVE]),
            pauses=concerned,
        )
    for pause in pauses:
        _log.info(Event.PAUSE_STANDING, **told(pause))
    again = await store.look_again(lambda name, kind: _observes_no_more(rules, name, kind), now)
    for name, count in again.items():
        _log.info(Event.HOLD_MODE_RAISED, store=name, count=count)


def withheld(shop: Shop, rules: Rules) -> dict[Mode, tuple[str, ...]]:
    """The types of message that are switched on for a store and do not go by themselves, by the mode that withholds them."""
    off = rules.messages_off | rules.marketplace(shop.platform).messages_off
    modes = {kind: shop.mode_for(kind) for kind in sorted(MESSAGE_TYPES.keys() - off)}
    if not shop.refund_offer_approved and modes.get(Intent.STAGE2.value) is Mode.LIVE:
        modes[Intent.STAGE2.value] = Mode.APPROVE
    return {mode: tuple(kind for kind, its in modes.items() if its is mode) for mode in Mode}


def told(pause: Pause) -> dict[str, object]:
    """A pause as the log tells it."""
    until = None if pause.until is None else utc_text(pause.until)
    return {"pause": pause.id, "scope": scope(pause), "by": pause.by, "reason": pause.reason, "until": until}


def _observes_no_more(rules: Rules, name: str, kind: str) -> bool:
    shop = rules.stores.get(name)
    return shop is not None and shop.mode_for(kind) is not Mode.OBSERVE
