"""Accounts at marketplaces: what each platform's API offers, one account's settings, what a store has done by API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from tracker.config.merge import Merged, Section
from tracker.config.problem import Level, meant
from tracker.config.secret import Secret
from tracker.config.shape_accounts import MarketplaceAccount
from tracker.config.shape_market import Marketplace, StoreFile

WINDOW, DISPUTES, EXTEND = "window", "disputes", "extend"

_ERROR: Level = "error"
_WARNING: Level = "warning"
_ADDRESS = re.compile(r"(?i:https?)://[^/?#\s]")
_WANTED = ("app_secret", "access_token")


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """A marketplace with an API of which we make use: where its gateway stands, what it can do."""

    base_url: str
    offers: frozenset[str]


PLATFORMS: Mapping[str, Platform] = {
    "aliexpress": Platform(base_url="https://api-sg.aliexpress.com", offers=frozenset({WINDOW, DISPUTES, EXTEND})),
    "taobao": Platform(base_url="https://gw.api.taobao.com/router/rest", offers=frozenset({WINDOW, DISPUTES, EXTEND})),
    "ebay": Platform(base_url="https://api.ebay.com", offers=frozenset({DISPUTES})),
}


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One account, secrets resolved. `api`: what it shall do; `disputes_every_m`: minutes between two looks at its cases."""

    id: str
    platform: str
    store: str
    app_key: str
    secrets: Mapping[str, Secret]
    base_url: str
    api: frozenset[str]
    options: Mapping[str, str]
    rps: float
    disputes_every_m: int
    allow_private_hosts: bool = False


def build_account(shape: MarketplaceAccount, open_: Callable[[str, tuple[str, ...]], Secret | None]) -> AccountSettings:
    """The settings of one account; a secret that leads nowhere is told by `open_` and left out."""
    opened = {name: open_(each, ("marketplace_account", shape.id, "secrets", name)) for name, each in shape.secrets.items()}
    known = PLATFORMS.get(shape.platform)
    return AccountSettings(
        id=shape.id,
        platform=shape.platform,
        store=shape.store,
        app_key=shape.app_key,
        secrets={name: secret for name, secret in opened.items() if secret is not None},
        base_url=shape.base_url or (known.base_url if known else ""),
        api=frozenset(shape.api),
        options=dict(shape.options),
        rps=shape.rps,
        disputes_every_m=shape.disputes_every_m,
        allow_private_hosts=shape.allow_private_hosts,
    )


def by_api(accounts: Iterable[MarketplaceAccount], store: str) -> frozenset[str]:
    """What the accounts of a store do by API; people do the rest."""
    return frozenset(capability for each in accounts if each.store == store for capability in each.api)


def check_accounts(
    accounts: tuple[MarketplaceAccount, ...],
    stores: Mapping[str, StoreFile],
    sources: Iterable[str],
) -> Iterator[tuple[Merged, str, Level]]:
    """What a single account cannot know: its store, its platform, what that platform's API can do."""
    taken = set(sources)
    served: dict[tuple[str, str], str] = {}
    for each in accounts:
        path: Merged = ("marketplace_account", each.id)
        if each.id in taken:
            yield path, "a [[source]] has the same id, and both stand in one list of `status`: name it otherwise", _ERROR
        shop = stores.get(each.store)
        if shop is None:
            yield (*path, "store"), "no such shop in stores/" + meant(each.store, stores), _ERROR
        elif shop.platform != each.platform:
            yield (*path, "platform"), f"the shop {each.store} sells on {shop.platform}", _ERROR
        yield from _alone(each, path)
        for name in each.api:
            other = served.setdefault((each.store, name), each.id)
            if other != each.id:
                yield (*path, "api"), f'the account {other} does "{name}" for this shop already', _ERROR


def _alone(account: MarketplaceAccount, path: Merged) -> Iterator[tuple[Merged, str, Level]]:
    """What is wrong with one account whatever else there is."""
    if account.base_url and not _ADDRESS.match(account.base_url):
        yield (*path, "base_url"), f'has to begin with https:// and a host (got "{account.base_url}")', _ERROR
    known = PLATFORMS.get(account.platform)
    if known is None:
        yield (*path, "platform"), "has no API of which Tracker makes use" + meant(account.platform, PLATFORMS), _ERROR
        return
    for name in sorted(set(account.api) - known.offers):
        yield (*path, "api"), f'{account.platform} offers no "{name}": leave it out, people do it', _ERROR
    if EXTEND in account.api and WINDOW not in account.api:
        yield (*path, "api"), '"extend" needs "window": the new end is proven by reading it back', _ERROR
    for wanted in _WANTED:
        if wanted not in account.secrets:
            message = f'wants a secret "{wanted}" (for instance {wanted} = "credential:{account.id}-{wanted.replace("_", "-")}")'
            yield (*path, "secrets"), message, _ERROR


def check_modes(
    markets: Iterable[Marketplace], stores: Mapping[str, StoreFile], accounts: tuple[MarketplaceAccount, ...], section: Section
) -> Iterator[tuple[Merged, str, Level]]:
    """Mode `api` that an operator asks for, and a shop there without an account: its extensions are people's tasks."""
    for each in markets:
        path: Merged = ("marketplace", each.id, "extension", "mode")
        origin = section.origin(path)
        if each.extension.mode != "api":
            continue
        if EXTEND not in PLATFORMS.get(each.id, Platform(base_url="", offers=frozenset())).offers:
            yield path, f'there is no API that extends a window on {each.id}: "manual", or "none"', _ERROR
        elif origin is not None and not origin.layer.shipped:
            for id_, shop in stores.items():
                if shop.platform == each.id and EXTEND not in by_api(accounts, id_):
                    message = f'the shop {id_} has no [[marketplace_account]] with "extend": its windows are extended by hand'
                    yield path, message, _WARNING
