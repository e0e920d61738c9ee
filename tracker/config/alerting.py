"""Whom to tell what, and when: plain values for tracker.alerts and tracker.reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta

import msgspec

from tracker.config.secret import Secret
from tracker.config.shape_alerts import Alerts as AlertsShape
from tracker.config.shape_alerts import Handover as HandoverShape
from tracker.config.shape_alerts import Target as TargetShape


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One place where operators are told something. `kinds`, `stores` empty = all; `url` may hold a secret."""

    id: str
    kind: str
    address: str | None = None
    url: Secret | None = None
    proxy: str | None = None
    allow_private_hosts: bool = False
    kinds: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()

    def wants(self, kind: str, store: str | None) -> bool:
        """Whether an alert of this kind, about this store, belongs here."""
        return (not self.kinds or kind in self.kinds) and (store is None or not self.stores or store in self.stores)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often conditions are looked at (seconds), how long a shift without a team lasts, how early a deadline is told."""

    every_s: int
    shift: timedelta
    leads: Mapping[str, timedelta]
    """Kind of deadline (window, claim, case, task) -> time that the work needs."""
    free_bytes: int


class HandoverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the shift is handed over (local time in `zone`; None: only by command), and to whom: ids of targets and people."""

    at: time | None
    zone: str
    to: tuple[str, ...]


def build_target(shape: TargetShape, url: Secret | None) -> Target:
    """A target with its secret resolved."""
    return Target(
        id=shape.id,
        kind=shape.kind,
        address=shape.address,
        url=url,
        proxy=shape.proxy,
        allow_private_hosts=shape.allow_private_hosts,
        kinds=shape.kinds,
        stores=shape.stores,
    )


def build_alerts(shape: AlertsShape) -> AlertSettings:
    """[alerts]."""
    return AlertSettings(
        every_s=shape.every_s,
        shift=timedelta(hours=shape.shift_h),
        leads={
            "window": timedelta(hours=shape.window_lead_h),
            "claim": timedelta(days=shape.claim_lead_days),
            "case": timedelta(hours=shape.case_lead_h),
            "task": timedelta(hours=shape.task_lead_h),
        },
        free_bytes=shape.free_mb * 1024 * 1024,
    )


def build_handover(shape: HandoverShape) -> HandoverSettings:
    """[reports.handover]."""
    return HandoverSettings(at=shape.at, zone=shape.zone, to=shape.to)
