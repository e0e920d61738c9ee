"""The shape of a [[marketplace_account]] in tracker.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from tracker.config.shape import Entry, Reference


class MarketplaceAccount(Entry):
    """A [[marketplace_account]]: one seller's account at a marketplace's own API."""

    platform: str
    store: str
    app_key: Annotated[str, Field(min_length=1)]
    secrets: Mapping[str, Reference] = {}
    base_url: str = ""
    allow_private_hosts: bool = False
    api: tuple[Literal["window", "disputes", "extend"], ...] = ()
    options: Mapping[str, str] = {}
    rps: Annotated[float, Field(gt=0, le=20)] = 1.0
    disputes_every_m: Annotated[int, Field(ge=5, le=1440)] = 30
