"""Dossiers and rules of plain values: a Brazilian parcel on an AliExpress order, changed by what each test is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker.model import (
    ActionKind,
    Capability,
    Case,
    Channel,
    Decision,
    DecisionReason,
    Dossier,
    Effect,
    Intent,
    Mode,
    Order,
    OrderState,
    OutboxRow,
    OutboxState,
    Phase,
    Scan,
    Shipment,
    TaskState,
    Verdict,
    Window,
    WindowSource,
)
from tracker.policy import decide
from tracker.rules import (
    CompensationRule,
    Extension,
    Manners,
    Marketplace,
    Profile,
    Rules,
    Season,
    Service,
    Silence,
    Store,
    Timing,
    Untrackable,
)

DAY0 = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
"""Wednesday 09:00 in Shanghai; no season touches the weeks after it."""


def day(count: float) -> datetime:
    """So many days after day 0."""
    return DAY0 + timedelta(days=count)


def profile(country: str = "BR", service: str = "standard", **change: Any) -> Profile:
    values: dict[str, Any] = {
        "id": f"{country.lower() if country != '*' else 'any'}-{service}",
        "country": country,
        "service": service,
        "p50": 22,
        "p90": 45,
        "p99": 75,
        "promise_days": 60,
        "guarantee_days": 120,
        "stages": {Intent.STAGE1: 30, Intent.STAGE2: 45, Intent.STAGE3: 60},
        "silence": Silence(watch=10, investigate=25, probable_loss=45),
    }
    return Profile(**(values | change))


PROFILES = (
    profile(),
    profile(service="registered", silence=Silence(watch=25, investigate=60, probable_loss=75)),
    profile(
        "US",
        stages={Intent.STAGE1: 20, Intent.STAGE2: 30, Intent.STAGE3: 45},
        silence=Silence(watch=6, investigate=15, probable_loss=30),
    ),
    profile("*", "economy", stages={Intent.STAGE1: 45, Intent.STAGE2: 60, Intent.STAGE3: 75}),
)

MARKETS = {
    "aliexpress": Marketplace(
        id="aliexpress",
        channel=Channel.TASK,
        own_shop=False,
        zone="America/Los_Angeles",
        window_field=True,
        freeze_days=7,
        tasks_for=frozenset({"stage2", "stage3", "extended", "refund_issued"}),
        grouped=frozenset({"stage1"}),
        messages_off=frozenset({"late_arrival"}),
        extension=Extension(mode="manual", trigger_days=10, days=(15, 10, 7), max_extensions=2),
    ),
    "ebay": Marketplace(
        id="ebay",
        channel=Channel.TASK,
        own_shop=False,
        zone="UTC",
        tasks_for=frozenset({"stage2", "stage3", "refund_issued"}),
        grouped=frozenset({"stage1"}),
        messages_off=frozenset({"extended"}),
        extension=Extension(mode="none", trigger_days=0, days=(), max_extensions=0),
    ),
    "amazon": Marketplace(
        id="amazon",
        channel=Channel.TASK,
        own_shop=False,
        zone="UTC",
        tasks_for=frozenset({"stage2"}),
        messages_off=frozenset({"stage1"}),
        extension=Extension(mode="none", trigger_days=0, days=(), max_extensions=0),
    ),
    "ownshop": Marketplace(
        id="ownshop",
        channel=Channel.MAILDIR,
        own_shop=True,
        zone="UTC",
        extension=Extension(mode="none", trigger_days=0, days=(), max_extensions=0),
    ),
}

TERMS = (
    CompensationRule(
        id="yanwen-before",
        carriers=("yanwen",),
        phase=Phase.PRE_SCAN,
        clock="posted",
        earliest_days=7,
        latest_days=60,
        basis="declared",
        cap_amount=Decimal(100),
        cap_currency="USD",
    ),
    CompensationRule(
        id="yanwen-after",
        carriers=("yanwen",),
        phase=Phase.IN_TRANSIT,
        clock="posted",
        earliest_days=10,
        latest_days=60,
        basis="declared",
        cap_amount=Decimal(50),
        cap_currency="USD",
    ),
    CompensationRule(
        id="promised-carrier",
        carriers=("ups",),
        phase=Phase.ANY,
        clock="promised",
        earliest_days=1,
        latest_days=60,
        basis="declared",
    ),
)


def rules(**change: Any) -> Rules:
    values: dict[str, Any] = {
        "version": "test",
        "profiles": PROFILES,
        "fallback": profile("*", "fallback", id="fallback", guarantee_days=60),
        "untrackable": Untrackable(
            pre_scan_task_biz=5,
            pre_scan_verdict_biz=10,
            two_sources_answers=3,
            two_sources_days=5,
            one_source_answers=5,
            one_source_days=7,
            fresh_not_found_hours=48,
        ),
        "seasons": (),
        "services": (
            Service(
                id="yanwen-economy", patterns=(re.compile("economy"),), carrier="yanwen", service="economy", ladder="economy"
            ),
        ),
        "marketplaces": MARKETS,
        "stores": {
            "jade": Store(id="jade", platform="aliexpress", name="Jade", zone="Asia/Shanghai", currency="USD", mode=Mode.LIVE),
            "lotus": Store(id="lotus", platform="ownshop", name="Lotus", zone="Asia/Shanghai", currency="USD", mode=Mode.LIVE),
        },
        "compensation": TERMS,
        "compensation_default": CompensationRule(
            id="defaults", carriers=("*",), phase=Phase.ANY, clock="posted", earliest_days=45, latest_days=180
        ),
        "timing": Timing(),
        "manners": Manners(),
    }
    return Rules(**(values | change))


RULES = rules()


def order(**change: Any) -> Order:
    values: dict[str, Any] = {
        "id": 1,
        "store": "jade",
        "platform": "aliexpress",
        "number": "8001",
        "state": OrderState.SHIPPED,
        "country": "BR",
        "amount": Decimal("30.00"),
        "currency": "USD",
        "ordered_at": day(-3),
        "paid_at": day(-2),
        "shipped_at": day(-1),
    }
    return Order(**(values | change))


def scan(at: float, status: TrackingStatus = TrackingStatus.IN_TRANSIT, **change: Any) -> Scan:
    values: dict[str, Any] = {
        "earliest": day(at),
        "latest": day(at),
        "status": status,
        "description": "Departed",
        "country": "CN",
    }
    return Scan(**(values | change))


def parcel(number: str = "LP1", *, last: float | None = 20, heard: float | None = None, **change: Any) -> Shipment:
    """A parcel scanned on day 0 and last on day `last` (None: never), about which a source answered on day `heard`."""
    values: dict[str, Any] = {
        "id": 1,
        "number": number,
        "carrier": "yanwen",
        "country": "BR",
        "shipped_at": day(-1) if last is not None else day(0),
        "capability": Capability.END_TO_END,
        "declared_value": Decimal("20.00"),
        "declared_currency": "USD",
        "last_answer_at": None if heard is None else day(heard),
    }
    if last is not None:
        values |= {"first_scan": scan(0), "last_scan": scan(last), "status": TrackingStatus.IN_TRANSIT}
    return Shipment(**(values | change))


def delivered(shipment: Shipment, at: float) -> Shipment:
    end = scan(at, TrackingStatus.DELIVERED, country="BR")
    return replace(shipment, status=TrackingStatus.DELIVERED, last_scan=end, delivered_scan=end)


def window(ends: float, source: WindowSource = WindowSource.FILE, extensions: int = 0) -> Window:
    return Window(end=day(ends), source=source, extensions=extensions)


def dossier(*shipments: Shipment, effects: tuple[Effect, ...] = (), cases: tuple[Case, ...] = (), **change: Any) -> Dossier:
    return Dossier(order=order(**change), shipments=shipments, effects=effects, cases=cases)


def at(when: float, *shipments: Shipment, rules: Rules = RULES, **change: Any) -> Verdict:
    """decide() on day `when` with sources that answered an hour before, unless the parcel says otherwise."""
    fresh = [replace(each, last_answer_at=day(when - 1 / 24)) if each.last_answer_at is None else each for each in shipments]
    return decide(dossier(*fresh, **change), rules, day(when))


def effect(intent: Intent, made: float, **change: Any) -> Effect:
    subject, occasion = change.pop("subject", "order/jade/8001"), change.pop("occasion", "0")
    values: dict[str, Any] = {
        "key": f"{subject}:{intent.value}:{occasion}",
        "subject": subject,
        "intent": intent,
        "occasion": occasion,
        "kind": ActionKind.MESSAGE,
        "state": OutboxState.SENT,
        "reason": DecisionReason.STAGE_DUE,
        "created_at": day(made),
    }
    made_ = Effect(**(values | change))
    return (
        replace(made_, done_at=day(made)) if made_.state is OutboxState.SENT and made_.task in {None, TaskState.DONE} else made_
    )


def refund(made: float, reason: DecisionReason = DecisionReason.STAGE3_NOT_ARRIVED, **change: Any) -> Effect:
    values: dict[str, Any] = {
        "kind": ActionKind.REFUND,
        "reason": reason,
        "state": OutboxState.HELD,
        "shipment": "LP1",
        "amount": Decimal("30.00"),
        "currency": "USD",
    }
    return effect(Intent.REFUND, made, **(values | change))


def row(decision: Decision, made: float, **change: Any) -> OutboxRow:
    """The pending outbox row of a decision."""
    values: dict[str, Any] = {
        "id": 7,
        "key": decision.key,
        "subject": decision.subject,
        "intent": decision.intent,
        "occasion": decision.occasion,
        "kind": decision.kind,
        "state": OutboxState.PENDING,
        "channel": Channel.TASK,
        "reason": decision.reason,
        "rule": decision.rule,
        "order_id": 1,
        "store": "jade",
        "created_at": day(made),
        "not_before": day(made),
        "shipment": decision.shipment,
        "template": decision.template,
        "amount": decision.amount,
        "currency": decision.currency,
        "urgent": decision.urgent,
        "evidence": decision.evidence,
    }
    return OutboxRow(**(values | change))


def keys(verdict: Verdict) -> list[str]:
    """What was decided, as intent:occasion."""
    return [f"{each.intent.value}:{each.occasion}" for each in verdict.decisions]


def why(verdict: Verdict, rule: str) -> DecisionReason | None:
    """The reason for which a rule did nothing."""
    return next((each.reason for each in verdict.considered if each.rule == rule), None)


def decision(verdict: Verdict, intent: Intent) -> Decision:
    """The one decision of this intent."""
    [found] = [each for each in verdict.decisions if each.intent is intent]
    return found


def evidence(verdict: Verdict, intent: Intent) -> Mapping[str, str]:
    return decision(verdict, intent).evidence


CNY = Season(id="cny", leg="origin", country="CN", start=DAY0.date(), end=day(20).date(), add_days=10)
PEAK = Season(id="peak", leg="any", country=None, start=day(10).date(), end=day(60).date(), add_days=7)
CARNIVAL = Season(id="carnival", leg="destination", country="BR", start=day(10).date(), end=day(60).date(), add_days=5)
