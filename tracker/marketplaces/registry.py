"""Platform -> adapter: what an API offers there, and where its gateway stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tracker.clock import Clock
from tracker.marketplaces.aliexpress import AliExpress
from tracker.marketplaces.base import Capability, Marketplace
from tracker.marketplaces.ebay import Ebay
from tracker.marketplaces.session import Session
from tracker.marketplaces.taobao import Taobao


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One platform with an API of which we make use."""

    make: Callable[[Session, Clock], Marketplace]
    offers: frozenset[Capability]


KNOWN: Mapping[str, Known] = {each.platform: Known(make=each, offers=each.offers) for each in (AliExpress, Taobao, Ebay)}
