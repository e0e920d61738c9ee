"""The shape of what operators are told in tracker.toml: [alerts], [reports.handover], [[target]]."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tracker.config.shape import Days, Entry, Hours, Optional, Positive, Reference, Seconds, Shape, Zone


class Target(Entry):
    """A [[target]]: where operators are told something. `kinds` and `stores` empty = all."""

    kind: Literal["mail", "webhook", "apprise"]
    address: Annotated[str | None, Field(pattern="@")] = None
    url: Reference | None = None
    allow_private_hosts: bool = False
    proxy: Annotated[str | None, Field(pattern=r"^https?://")] = None
    kinds: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _whole(self) -> Target:
        if self.kind == "mail" and self.address is None:
            raise ValueError('a target of kind "mail" wants an address')
        if self.kind != "mail" and self.url is None:
            raise ValueError(f'a target of kind "{self.kind}" wants a url, by reference: "credential:NAME", "env:NAME"')
        if self.allow_private_hosts and self.kind != "webhook":
            raise ValueError('allow_private_hosts is known to kind "webhook" alone; apprise goes wherever its url says')
        if self.proxy is not None and self.kind != "webhook":
            raise ValueError('proxy is known to kind "webhook" alone; apprise reads HTTPS_PROXY of the service')
        return self


class Alerts(Shape):
    """[alerts]."""

    every_s: Seconds
    shift_h: Hours
    window_lead_h: Hours
    claim_lead_days: Days
    case_lead_h: Hours
    task_lead_h: Hours
    free_mb: Positive


class Handover(Shape):
    """[reports.handover]."""

    at: Annotated[time | None, Optional] = None
    zone: Zone
    to: tuple[str, ...]


class Reports(Shape):
    """[reports]."""

    handover: Handover
