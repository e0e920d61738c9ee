"""Whom we reach outside: the configured accounts at sources and at marketplaces, with their gates and connections."""

from __future__ import annotations

from pathlib import Path

import msgspec

from carriers import registry
from carriers.base import Account, Transport
from carriers.drop import DropTransport
from carriers.http import HttpTransport
from carriers.reach import reach_of
from tracker.clock import Clock
from tracker.config import Settings
from tracker.config import Source as SourceSettings
from tracker.marketplaces.accounts import Accounts, Connected, StoreKeeper
from tracker.marketplaces.base import Account as MarketAccount
from tracker.marketplaces.base import Capability
from tracker.marketplaces.registry import KNOWN
from tracker.marketplaces.session import Session
from tracker.polling import Pace, Source, StoreGate
from tracker.store import Store

_MARKET_BYTES = 4 * 1024 * 1024
"""No page of fifty disputes is larger."""

_BYTES_A_NUMBER = 65_536
"""Of an answer, at most: a parcel with a hundred scans tells a third of it. Parsed, JSON may cost a hundred times its size."""

_LEAST_BODY, _MOST_BODY = 2 << 20, 16 << 20

_DROP = "drop:"


def sources_of(settings: Settings, store: Store, clock: Clock) -> dict[str, Source]:
    """The configured accounts, ready to be asked. A quota counts registrations where a source wants those, else requests."""
    described = {source.id: registry.describe(source.adapter) for source in settings.sources}
    paces = {
        source.id: Pace(rps=source.rps, daily_quota=None if described[source.id].registers else source.daily_quota)
        for source in settings.sources
    }
    gate = StoreGate(store, clock, paces)
    ready = {}
    for source in settings.sources:
        adapter = registry.get(source.adapter)
        account = Account(
            id=source.id,
            base_url=source.base_url,
            secrets={name: secret.reveal() for name, secret in source.secrets.items()},
            options=source.options,
        )
        ready[source.id] = Source(
            account=account,
            adapter=adapter,
            transport=_transport(source, account, adapter.batch_size, gate, clock),
            batch=min(source.batch or adapter.batch_size, adapter.batch_size),
            concurrency=1 if described[source.id].asynchronous else min(source.connections, settings.engine.concurrency),
            registers=described[source.id].registers,
            registrations=source.daily_quota if described[source.id].registers else None,
            calls=None if described[source.id].registers else source.daily_quota,
            apiece=described[source.id].apiece,
            asynchronous=described[source.id].asynchronous,
            stores=source.stores,
        )
    return ready


def _transport(source: SourceSettings, account: Account, numbers: int, gate: StoreGate, clock: Clock) -> Transport:
    """How the account is reached. No answer about so many `numbers` is longer than the cap, and a hostile one costs no more."""
    if source.base_url.startswith(_DROP):
        return DropTransport(Path(source.base_url.removeprefix(_DROP)))
    most = min(max(_BYTES_A_NUMBER * numbers, _LEAST_BODY), _MOST_BODY)
    return HttpTransport(
        account_id=account.id,
        connections=source.connections,
        max_body_bytes=most,
        gate=gate,
        clock=clock,
        reach=reach_of(source.base_url, private=source.allow_private_hosts),
    )


class Markets(msgspec.Struct, frozen=True):
    """The accounts at marketplaces, and the connections they hold."""

    known: Accounts
    transports: tuple[Transport, ...]


def markets_of(settings: Settings, store: Store, clock: Clock) -> Markets:
    """The configured accounts at marketplaces, ready to be asked; each through a gate of its own."""
    gate = StoreGate(store, clock, {each.id: Pace(rps=each.rps) for each in settings.accounts})
    keeper = StoreKeeper(store, clock)
    found, transports = [], []
    for each in settings.accounts:
        account = MarketAccount(
            id=each.id,
            base_url=each.base_url,
            app_key=each.app_key,
            secrets={name: secret.reveal() for name, secret in each.secrets.items()},
            options=each.options,
        )
        reach = reach_of(each.base_url, private=each.allow_private_hosts)
        http = HttpTransport(account_id=each.id, connections=2, max_body_bytes=_MARKET_BYTES, gate=gate, clock=clock, reach=reach)
        transports.append(http)
        found.append(
            Connected(
                id=each.id,
                platform=each.platform,
                store=each.store,
                api=frozenset(Capability(name) for name in each.api),
                market=KNOWN[each.platform].make(Session(account, http, keeper), clock),
                disputes_every_s=60 * each.disputes_every_m,
            )
        )
    return Markets(Accounts(found), tuple(transports))
