"""The accounts that are set up, by what they shall do for which store; their tokens, kept across restarts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tracker.clock import Clock, epoch
from tracker.log import Event, get_logger, register_secret
from tracker.marketplaces.base import Capability, Marketplace
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.store import Store
from tracker.store.rows import Capable, PollWrite

AUTH_PAUSE = timedelta(hours=1)
"""A refused account waits for its person."""

GONE_PAUSE = timedelta(days=7)
"""A vanished method is tried again after so long: platforms bring some back under the same name."""

_log = get_logger()


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """One account, ready to be asked. `api`: what it shall do; `disputes_every_s`: seconds between two looks at its cases."""

    id: str
    platform: str
    store: str
    api: frozenset[Capability]
    market: Marketplace
    disputes_every_s: int = 1800


class Accounts:
    """All of them."""

    def __init__(self, connected: Sequence[Connected] = ()) -> None:
        self.all = tuple(connected)

    def of(self, store: str, capability: Capability) -> Connected | None:
        """Who does this for the store; None: people do."""
        return next((each for each in self.all if each.store == store and capability in each.api), None)


def stopped(states: Mapping[tuple[str, str], Capable], account: str, capability: Capability, now_epoch: int) -> Capable | None:
    """Why a capability is not used now: it vanished, or the account is refused; None: it may be (or is to be tried again)."""
    state = states.get((account, capability.value))
    return state if state is not None and state.stopped_at is not None and now_epoch < state.next_at else None


async def stop(store: Store, account: str, capability: Capability, error: MarketplaceError, now: datetime) -> None:
    """Switch a capability off until somebody, or time, brings it back. The log says it the first time, an alert once."""
    before = (await store.capabilities()).get((account, capability.value))
    until = epoch(now + (AUTH_PAUSE if error.fault is Fault.AUTH else GONE_PAUSE))
    fault, why = error.fault.value, error.message
    await store.stop_capability(account, capability.value, fault=fault, why=why, next_at=until, now=now)
    if before is None or before.stopped_at is None:
        _log.error(Event.MARKET_STOPPED, account=account, capability=capability.value, fault=fault, reason=why)


class StoreKeeper:
    """Tokens in the account's memory (the database is readable by the service alone); the log never shows one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def load(self, account: str) -> Mapping[str, str]:
        """What was kept; empty at first."""
        kept = (await self._store.load_memory(account, [])).account
        texts = {name: value for name, value in kept.items() if isinstance(value, str)}
        self._hide(texts)
        return texts

    async def keep(self, account: str, tokens: Mapping[str, str]) -> None:
        """Keep these from now on."""
        self._hide(tokens)
        at = epoch(self._clock.now())
        await self._store.write_poll(PollWrite(at=at, answered=(account,), accounts={account: dict(tokens)}))

    def _hide(self, tokens: Mapping[str, str]) -> None:
        for name in ("access", "refresh"):
            if tokens.get(name):
                register_secret(tokens[name])
