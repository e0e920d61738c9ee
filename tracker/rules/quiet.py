"""When it may ring at a buyer's: the hours, and whose clock they are read from (D16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

import msgspec


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """Between `begins` and `ends`, local time of the buyer, a messenger may ring (tracker.toml [quiet_hours]).

    `zones` has all zones of a country (zone1970.tab), `regions` the one of a state: country -> state, folded -> zone; the key ""
    is the zone of every state that is not named.
    """

    begins: time = time(9)
    ends: time = time(20)
    zones: Mapping[str, tuple[str, ...]] = {}
    regions: Mapping[str, Mapping[str, str]] = {}
