"""Whether a store's messages have a way: its fallbacks, the messengers they name, the types that a mode speaks of (R25, D5a)."""

from __future__ import annotations

from collections.abc import Iterator

from tracker.config.build import Shapes
from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.shape_market import Marketplace, StoreFile
from tracker.messages import MESSAGE_TYPES, VARIABLES

Found = tuple[Merged, str, Level]

_MESSENGERS = ("whatsapp", "telegram")
_OUTSIDE = (
    "contact outside the platform is forbidden there: its messages are watched, and stores were frozen for less. Only a task"
    " is allowed, unless contact_outside = true stands at the marketplace because its rules permit it (D5)"
)


def check_channels(id_: str, shapes: Shapes) -> Iterator[Found]:
    """The fallbacks of one store, and the modes that would do nothing."""
    store = shapes.stores[id_]
    market = next((each for each in shapes.marketplaces.marketplace if each.id == store.platform), None)
    if market is None:
        return
    yield from _fallbacks(store, market, shapes)
    for kind in sorted(store.modes.keys() & market.messages_off):
        yield ("modes", kind), f"does nothing: {market.id} does not permit {kind} (messages_off in marketplaces.toml)", "warning"


def _fallbacks(store: StoreFile, market: Marketplace, shapes: Shapes) -> Iterator[Found]:
    for name in store.fallback:
        if name != "task" and not (market.own_shop or market.contact_outside):
            yield ("fallback",), f'"{name}" would reach its buyers outside of {market.id}: {_OUTSIDE}', "error"
        elif name == (store.channel or market.channel):
            yield ("fallback",), f'"{name}" is the channel itself: what it refused, it refuses again', "error"
        elif name == "smtp" and shapes.tracker.smtp is None:
            yield ("fallback",), '"smtp" has no [smtp] in tracker.toml', "error"
        elif name in _MESSENGERS and getattr(shapes.tracker, name) is None:
            yield ("fallback",), f'"{name}" has no [{name}] in tracker.toml', "error"
        elif name in _MESSENGERS and not store.messenger_consent:
            message = f'"{name}" needs messenger_consent = true: your buyers have to agree to it when they order (R25)'
            yield ("fallback",), message, "error"


def check_messengers(shapes: Shapes) -> Iterator[Found]:
    """Approved templates that name no type of message, or a blank that none has."""
    account = shapes.tracker.whatsapp
    for kind, template in account.templates.items() if account else ():
        path: Merged = ("whatsapp", "templates", kind)
        if kind not in MESSAGE_TYPES:
            yield path, "no such type of message" + meant(kind, MESSAGE_TYPES), "error"
        for name in template.blanks:
            if name not in VARIABLES:
                yield (*path, "blanks"), "no such blank" + meant(name, VARIABLES), "error"
