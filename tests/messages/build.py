"""A Brazilian order with one parcel on its way, changed by what a test is about; the shipped rules and texts around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker import config
from tracker.messages import Value, variables
from tracker.model import ActionKind, Decision, DecisionReason, Dossier, Intent, Mode, Order, Scan, Shipment, Window, WindowSource
from tracker.rules import Rules, Store

DAY0 = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
NUMBER = "LX000000005CN"


def day(count: float) -> datetime:
    return DAY0 + timedelta(days=count)


@cache
def loaded() -> config.Loaded:
    return config.load(None, environ={})


@cache
def rules() -> Rules:
    markets = loaded().rules.marketplaces
    shops = {
        each: Store(id=each, platform=each, name="Casa Lume", zone="Asia/Shanghai", currency="USD", mode=Mode.LIVE)
        for each in markets
    }
    return replace(loaded().rules, stores=shops)


def scan(**changes: Any) -> Scan:
    at = day(20)
    values: dict[str, Any] = {
        "earliest": at,
        "latest": at,
        "local_time": "2026-04-21T22:00:00",
        "description": "Arrived in Curitiba",
    }
    return Scan(**values | changes)


def parcel(**changes: Any) -> Shipment:
    values: dict[str, Any] = {
        "id": 1,
        "number": NUMBER,
        "carrier": "china_post",
        "country": "BR",
        "shipped_at": DAY0,
        "day0": DAY0,
        "status": TrackingStatus.IN_TRANSIT,
        "last_scan": scan(),
    }
    return Shipment(**values | changes)


def dossier(*shipments: Shipment, **changes: Any) -> Dossier:
    platform = changes.get("platform", "aliexpress")
    values: dict[str, Any] = {
        "id": 1,
        "store": platform,
        "platform": platform,
        "number": "8170000000000099",
        "country": "BR",
        "buyer_name": "Maria Teste",
        "amount": Decimal("1234.5"),
        "currency": "USD",
        "promised_at": day(60),
        "paid_at": day(-2),
    }
    return Dossier(order=Order(**values | changes), shipments=shipments or (parcel(),))


def window(end: datetime, source: WindowSource = WindowSource.FILE) -> Window:
    return Window(end=end, source=source)


def about(template: str, **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "kind": ActionKind.MESSAGE,
        "reason": DecisionReason.STAGE_DUE,
        "rule": template,
        "subject": "order/x/1",
        "intent": Intent.STAGE1,
        "template": template,
        "shipment": NUMBER,
    }
    return Decision(**values | changes)


def values(template: str, case: Dossier, now: datetime, *, language: str = "pt-BR", **changes: Any) -> dict[str, Value]:
    words: Mapping[str, str] = loaded().texts.words_of(language)
    return variables(case, about(template, **changes), rules(), words, now, language=language)
