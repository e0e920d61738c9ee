"""An advisory: a person says that parcels somewhere are slow for a while (R35, D19)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """Weather, a strike, a closed airport: between `start` and `end` (inclusive local dates) silence gains `add_days`.

    It holds on its leg (origin | destination | any) for parcels to `country` (None = all), its `region` and `carrier` where
    named.
    `causes` are the words for `{cause}` by language. Stages, promised dates and the clocks of claims and cases never shift (D19).
    """

    id: int
    start: date
    end: date
    add_days: int
    causes: Mapping[str, str]
    country: str | None = None
    region: str | None = None
    carrier: str | None = None
    leg: str = "any"
    by: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_because: str | None = None
