"""The shape of tracker.toml: where things lie, whom we ask, how we behave. Defaults stand in the shipped file, not here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from carriers.model import TrackingReason
from tracker.config.shape import (
    Address,
    Country,
    Currency,
    Days,
    Entry,
    Hours,
    Optional,
    Positive,
    Reference,
    Regex,
    Seconds,
    Shape,
    Zone,
)
from tracker.config.shape_accounts import MarketplaceAccount
from tracker.config.shape_alerts import Alerts, Reports, Target
from tracker.config.shape_times import TimeProfile
from tracker.model import CaseReason, DecisionReason, Liable, Remedy


class Database(Shape):
    """[database]."""

    url: Address
    password: Annotated[Reference | None, Optional] = None


class State(Shape):
    """[state]."""

    dir: Annotated[str | None, Optional] = None


class Journal(Shape):
    """[journal]."""

    path: str


class Inbox(Shape):
    """[inbox]."""

    path: Annotated[str | None, Optional] = None
    interval_s: Seconds


class Mail(Shape):
    """[mail]."""

    maildir: str


class Smtp(Shape):
    """[smtp]. `tls`: starttls | tls (from the first byte) | none."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    user: str | None = None
    password: Reference | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    from_: Annotated[str, Field(alias="from", pattern="@")]


class Backup(Shape):
    """[backup]. `at` is a local time of day in `zone`; without it nothing is copied by itself."""

    dir: str
    at: Annotated[time | None, Optional] = None
    zone: Zone
    keep: Positive


class Evidence(Shape):
    """[evidence]. An empty font: those of the machine."""

    font: str = ""


class Retention(Shape):
    """[retention]. Days since an order is settled; 0 = for ever. `at` as in [backup]."""

    personal_days: Days
    scans_days: Days
    answers_days: Days
    files_days: Days
    journal_days: Positive
    at: Annotated[time | None, Optional] = None
    zone: Zone


class Log(Shape):
    """[log]."""

    format: Literal["auto", "json", "console"]


class Engine(Shape):
    """[engine]."""

    poll_interval_s: Seconds
    sweep_interval_s: Seconds
    dispatch_interval_s: Seconds
    concurrency: Annotated[int, Field(ge=1, le=64)]
    drain_s: Seconds


class Poll(Shape):
    """[poll]. Sources refresh a number every 3-12 h: asking more often than every 6 h brings nothing and costs goodwill."""

    fresh_h: Annotated[int, Field(ge=6, le=168)]
    moving_h: Annotated[int, Field(ge=6, le=168)]
    stale_h: Annotated[int, Field(ge=6, le=168)]
    deadline_h: Annotated[int, Field(ge=6, le=168)]
    moving_days: Days
    deadline_days: Days
    final_days: Days
    longest_days: Annotated[int, Field(ge=30, le=3650)]
    fallback_after_h: Annotated[int, Field(ge=1, le=720)]
    reserve_share: Annotated[Decimal, Field(ge=0, lt=1)]


class Outreach(Shape):
    """[outreach]."""

    rounds: Positive
    quiet_hours_between: Annotated[int, Field(ge=0)]
    hourly_cap: Positive
    hourly_cap_later: Positive
    stale_stage_days: Days
    ramp_share: Annotated[Decimal, Field(gt=0, le=1)]
    facts_age_message_hours: Hours
    facts_age_money_hours: Hours
    buyer_waiting_hours: Hours
    grace_days_after_promise: Days
    learn_from: Days
    cutover_window_days: Days
    cutover_claim_days: Days
    delay_days: Positive


class Refunds(Shape):
    """[refunds]."""

    moved_within_days: Days
    refund_before_window_days: Days
    recommendation_days: Positive
    plausibility_factor: Positive
    plausibility_parcels: Positive
    second_person_above: Mapping[Currency, Annotated[Decimal, Field(ge=0)]]
    bulk_up_to: Mapping[Currency, Annotated[Decimal, Field(ge=0)]]
    early_below: Mapping[Currency, Annotated[Decimal, Field(ge=0)]]
    partial_share: Annotated[Decimal | None, Optional, Field(gt=0, lt=1)] = None
    problem_hours: Hours
    problem_days: Positive
    stuck_days: Positive
    stuck_parcels: Positive
    stuck_share: Annotated[Decimal, Field(gt=0, le=1)]


class Notices(Shape):
    """[notices]."""

    news_days: Positive
    state_days: Positive
    customs_answer_days: Positive
    pickup_kept_days: Positive
    storage_warn_days: Days
    review_after_days: Positive
    review_within_days: Positive
    review_repeats: Annotated[int, Field(ge=0, le=1)]
    review_repeat_days: Positive
    late_arrival_above: Mapping[Currency, Annotated[Decimal, Field(ge=0)]]


class QuietHours(Shape):
    """[quiet_hours]. Local times of the buyer between which a messenger may ring (D16)."""

    from_: Annotated[time, Field(alias="from")]
    to: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ >= self.to:
            raise ValueError(f"from has to be before to (got {self.from_:%H:%M} and {self.to:%H:%M})")
        return self


class WhatsAppTemplate(Shape):
    """One entry of [whatsapp.templates]: the template that was approved for a type of message, and what fills its places."""

    name: Annotated[str, Field(pattern="^[a-z0-9_]+$")]
    blanks: tuple[str, ...] = ()


class WhatsApp(Shape):
    """[whatsapp]. The Cloud API of one business number."""

    base_url: Annotated[str, Field(pattern=r"^https?://")] = "https://graph.facebook.com/v23.0"
    allow_private_hosts: bool = False
    phone_number_id: Annotated[str, Field(pattern=r"^\d+$")]
    token: Reference
    templates: Mapping[str, WhatsAppTemplate]


class Telegram(Shape):
    """[telegram]. One bot; it writes to buyers who have opened its chat."""

    base_url: Annotated[str, Field(pattern=r"^https?://")] = "https://api.telegram.org"
    allow_private_hosts: bool = False
    token: Reference


class Messages(Shape):
    """[messages]."""

    off: frozenset[str]
    reviewed: frozenset[str]
    languages: Mapping[Country, str]


class Preparing(Shape):
    """[preparing]."""

    delayed_payments: frozenset[str]
    boleto_after_days: Days
    boleto_until_days: Days
    tax_number_countries: frozenset[Country]
    tax_number_from: Mapping[Currency, Annotated[Decimal, Field(ge=0)]]
    channel_warnings: Mapping[Country, str]
    duty_countries: frozenset[Country]
    late_ship_hours: Hours
    news_days: Days
    stale_days: Positive
    case_warn_days: Days


class Time(Shape):
    """[time]."""

    profile: TimeProfile


class Health(Shape):
    """[health]."""

    file: Annotated[str | None, Optional] = None


class Metrics(Shape):
    """[metrics]. `listen`: a port on this machine alone."""

    file: Annotated[str | None, Optional] = None
    listen: Annotated[Annotated[str, Field(pattern=r"^(127\.0\.0\.1|\[::1\]):\d{2,5}$")] | None, Optional] = None
    every_s: Seconds


def _here(address: str) -> str:
    host, _, port = address.rpartition(":")
    if host not in {"127.0.0.1", "[::1]"} or not (port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT):
        raise ValueError(f'has to be a port of this machine, for instance "127.0.0.1:8787": {_WHY_HERE} (got "{address}")')
    return address


def _host(name: str) -> str:
    if _HOST.fullmatch(name) is None:
        raise ValueError(f'has to be a name alone, for instance "push.shop.example" (got "{name}")')
    return name


_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII | re.IGNORECASE)
"""The name of a server, or all below one: a pattern that the web server does not know would fail at every request."""

_HIGHEST_PORT = 65_535
_WHY_HERE = "your web server in front of it ends TLS"


class Receiver(Shape):
    """[receiver]. `listen`: a port on this machine alone, since neither TLS nor slow callers are this door's concern."""

    listen: Annotated[Annotated[str, AfterValidator(_here)] | None, Optional] = None
    max_body_kb: Annotated[int, Field(ge=16, le=16_384)]
    at_once: Annotated[int, Field(ge=1, le=256)]
    trusted_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()


class Operators(Shape):
    """[operators]."""

    language: str


class Source(Entry):
    """A [[source]]: one account at one service that knows about parcels."""

    adapter: str
    base_url: str = ""
    allow_private_hosts: bool = False
    secrets: Mapping[str, Reference] = {}
    options: Mapping[str, Any] = {}
    rps: Annotated[float, Field(gt=0, le=100)] | None = None
    connections: Annotated[int, Field(ge=1, le=16)] = 8
    batch: Positive | None = None
    daily_quota: Positive | None = None
    stores: tuple[str, ...] = ()
    quota: Annotated[int, Field(ge=0)] | None = None
    quota_since: date | None = None


def _cause(word: str) -> str:
    if word not in _CAUSES:
        raise ValueError(f'no reason of a recommendation nor of a case (got "{word}"; docs/reference/reasons.md lists them)')
    return word


_CAUSES = frozenset(DecisionReason) | frozenset(CaseReason)
Cause = Annotated[str, AfterValidator(_cause)]


class RemedyRule(Entry):
    """A [[remedy]]."""

    causes: Annotated[frozenset[Cause], Field(min_length=1)]
    remedy: Remedy
    up_to: Mapping[Currency, Annotated[Decimal, Field(ge=0)]] = {}


class PartialRule(Entry):
    """A [[partial]]."""

    share: Annotated[Decimal, Field(gt=0, lt=1)]
    up_to: Mapping[Currency, Annotated[Decimal, Field(ge=0)]] = {}


class Liability(Entry):
    """A [[liability]]."""

    liable: Liable
    reasons: Annotated[frozenset[TrackingReason], Field(min_length=1)]
    words: tuple[Regex, ...] = ()
    certificate: bool = False


class TrackerFile(Shape):
    """tracker.toml."""

    database: Database
    state: State
    journal: Journal
    inbox: Inbox
    mail: Mail
    backup: Backup
    evidence: Evidence = Evidence()
    retention: Retention
    smtp: Smtp | None = None
    log: Log
    engine: Engine
    poll: Poll
    outreach: Outreach
    refunds: Refunds
    notices: Notices
    messages: Messages
    quiet_hours: QuietHours
    whatsapp: WhatsApp | None = None
    telegram: Telegram | None = None
    operators: Operators
    preparing: Preparing
    time: Time
    health: Health
    metrics: Metrics
    receiver: Receiver
    alerts: Alerts
    reports: Reports
    target: tuple[Target, ...] = ()
    source: tuple[Source, ...] = ()
    marketplace_account: tuple[MarketplaceAccount, ...] = ()
    remedy: tuple[RemedyRule, ...] = ()
    partial: tuple[PartialRule, ...] = ()
    liability: tuple[Liability, ...] = ()
