"""The file of a rule test, as structs: `[[case]]` with order, parcels, events and moments (docs/how-to/rehearse.md).

An unknown key is an error: a test that tests nothing because of a slip of the pen would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from carriers.model import TrackingReason, TrackingStatus
from tracker.model import (
    Capability,
    CaseKind,
    CaseReason,
    DecisionReason,
    Intent,
    OrderState,
    Remedy,
    WindowSource,
)

START = datetime(2026, 4, 1, tzinfo=UTC)
"""Day 0 of a case that names none: no season touches the weeks after it."""

_DAY = re.compile(r"day\s*(-?\d+(?:\.\d+)?)")
_PLACE = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


class CaseError(Exception):
    """A file cannot be understood. `path` leads to the key, as far as it is known."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table: no other keys than these."""


class OrderFacts(_Shape, frozen=True, kw_only=True):
    """The order. Without a platform it is your own shop's."""

    platform: str = "own_shop"
    store: str = ""
    state: OrderState = OrderState.SHIPPED
    country: str | None = "BR"
    region: str | None = None
    language: str | None = None
    amount: Decimal | None = Decimal("30.00")
    currency: str | None = "USD"
    ordered: str | None = "day -3"
    paid: str | None = "day -2"
    shipped: str | None = None
    promised: str | None = None
    promised_from: str | None = None
    ship_by: str | None = None
    confirmed: str | None = None
    window_end: str | None = None
    window_source: WindowSource = WindowSource.FILE
    payment: str | None = None
    tax_number_known: bool = False
    opted_out: bool = False
    vip: bool = False
    cutover: str | None = None
    contacted: Mapping[Intent, str] = {}
    stages: Mapping[Intent, int] = {}


class ParcelFacts(_Shape, frozen=True, kw_only=True):
    """One parcel. `channel` is the text of a file; services.toml then says carrier, service and tracking, unless named here."""

    number: str = "LP00000000000001"
    channel: str | None = None
    carrier: str | None = None
    service: str | None = None
    tracking: Capability | None = None
    matched: bool = True
    settled_by: str | None = None
    origin: str | None = "CN"
    country: str | None = None
    shipped: str | None = "day 0"
    share: Decimal | None = None
    declared: Decimal | None = Decimal("20.00")
    declared_currency: str | None = "USD"


class Assumed(_Shape, frozen=True, kw_only=True):
    """What others are taken to do at once: texts go out, extensions are made, refunds are approved and paid."""

    messages: bool = True
    extensions: bool = True
    refunds: bool = True


class Event(_Shape, frozen=True, kw_only=True):
    """What becomes known at a time. Several keys may stand in one event."""

    at: str
    parcel: str | None = None
    scan: TrackingStatus | None = None
    reason: TrackingReason | None = None
    country: str | None = None
    text: str = ""
    not_found: bool = False
    sources: int = 1
    silent: bool = False
    """From here on no source answers any more (down, throttled): unknown stays unknown."""
    suspect: str | None = None
    state: OrderState | None = None
    refunded: Decimal | None = None
    received: bool = False
    waiting: bool | None = None
    opted_out: bool | None = None
    hold_until: str | None = None
    window_end: str | None = None
    window_source: WindowSource = WindowSource.FILE
    case: CaseKind | None = None
    case_reason: CaseReason = CaseReason.UNKNOWN
    due: str | None = None
    case_closed: bool = False


class Expected(_Shape, frozen=True, kw_only=True):
    """One action. Exactly one of stage, message, extension, refund, claim, task says which; others are looked at where named."""

    stage: Intent | None = None
    message: Intent | None = None
    extension: bool = False
    refund: Remedy | None = None
    claim: bool = False
    task: Intent | None = None
    reason: DecisionReason | None = None
    rule: str | None = None
    template: str | None = None
    language: str | None = None
    parcel: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


class Moment(_Shape, frozen=True, kw_only=True):
    """What happened since the moment before, until `at`. `expect` lists all of it, unless `more` allows other actions too.

    `never` names purposes that must not be among it. `nothing`: no action at all, because of these reasons; `because`: rules
    that did nothing at `at`, as REASON or "RULE: REASON".
    """

    at: str
    expect: tuple[Expected, ...] | None = None
    more: bool = False
    never: tuple[Intent, ...] = ()
    nothing: str | tuple[str, ...] | None = None
    because: tuple[str, ...] = ()


class Case(_Shape, frozen=True, kw_only=True):
    """One story."""

    name: str
    proves: tuple[str, ...] = ()
    start: str | None = None
    order: OrderFacts = OrderFacts()
    parcel: tuple[ParcelFacts, ...] = (ParcelFacts(),)
    assume: Assumed = Assumed()
    event: tuple[Event, ...] = ()
    moment: tuple[Moment, ...]

    @property
    def day0(self) -> datetime:
        """What `day N` counts from."""
        return START if self.start is None else instant(self.start, START)

    def at(self, text: str) -> datetime:
        """An instant of this case (aware UTC). Raises CaseError."""
        return instant(text, self.day0)

    def when(self, text: str | None) -> datetime | None:
        """The same, for what may be absent."""
        return None if text is None else self.at(text)


class _File(_Shape, frozen=True, kw_only=True):
    case: tuple[Case, ...]


def instant(text: str, day0: datetime) -> datetime:
    """`day 45`, `day 44.5`, or a time; one without a zone is UTC. Raises CaseError."""
    days = _DAY.fullmatch(text.strip())
    try:
        if days is not None:
            return day0 + timedelta(days=float(days[1]))
        at = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise CaseError(f'{text!r} is no time: write "day 45" or "2026-03-01T12:30Z"') from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def cases_of(data: Mapping[str, Any]) -> tuple[Case, ...]:
    """The cases of a parsed TOML file. Raises CaseError with the path of what is wrong."""
    try:
        cases = msgspec.convert(data, _File, strict=False).case
    except msgspec.ValidationError as error:
        raise _located(str(error)) from None
    for index, case in enumerate(cases):
        _check(case, ("case", index))
    return cases


def _located(message: str) -> CaseError:
    place = _PLACE.search(message)
    path = () if place is None else tuple(name or int(index) for name, index in _STEP.findall(place[1]))
    said = message if place is None else message[: place.start()]
    return CaseError(said.removeprefix("Object ").replace("`", "'"), path)


def _check(case: Case, path: tuple[str | int, ...]) -> None:
    times: list[tuple[str | None, tuple[str | int, ...]]] = [(case.start, ("start",))]
    times += [(getattr(case.order, name), ("order", name)) for name in _ORDER_TIMES]
    times += [(each.shipped, ("parcel", at, "shipped")) for at, each in enumerate(case.parcel)]
    times += [(getattr(each, name), ("event", at, name)) for at, each in enumerate(case.event) for name in _EVENT_TIMES]
    times += [(each.at, ("moment", at, "at")) for at, each in enumerate(case.moment)]
    for text, where in times:
        try:
            case.when(text)
        except CaseError as error:
            raise CaseError(str(error), (*path, *where)) from None
    if not case.moment:
        raise CaseError("a case without a moment tests nothing", (*path, "moment"))
    for at, moment in enumerate(case.moment):
        _check_moment(moment, (*path, "moment", at))
    numbers = [each.number for each in case.parcel]
    for at, number in enumerate(numbers):
        if number in numbers[:at]:
            raise CaseError(f"two parcels are called {number!r}: give each its own number", (*path, "parcel", at, "number"))
    if case.order.amount is not None and case.order.currency is None:
        raise CaseError("money without a currency", (*path, "order", "amount"))


_ORDER_TIMES = ("ordered", "paid", "shipped", "promised", "promised_from", "ship_by", "confirmed", "window_end", "cutover")
_EVENT_TIMES = ("at", "hold_until", "window_end", "due")
_WHICH = ("stage", "message", "extension", "refund", "claim", "task")


def _check_moment(moment: Moment, path: tuple[str | int, ...]) -> None:
    for expected in moment.expect or ():
        if sum(bool(getattr(expected, name)) for name in _WHICH) != 1:
            raise CaseError(f"an expected action names exactly one of {', '.join(_WHICH)}", (*path, "expect"))
    if moment.expect is None and moment.nothing is None and not moment.never and not moment.because:
        raise CaseError("a moment names expect, nothing, never or because: else it tests nothing", (*path, "at"))
    reasons = {each.value for each in DecisionReason}
    for key, texts in (("because", moment.because), ("nothing", reasons_of(moment))):
        for word in (text.rsplit(": ", 1)[-1] for text in texts):
            if word not in reasons:
                raise CaseError(f"no such reason: {word!r} (docs/reference/reasons.md lists them)", (*path, key))


def reasons_of(moment: Moment) -> tuple[str, ...]:
    """The reasons that `nothing` names."""
    if moment.nothing is None:
        return ()
    return (moment.nothing,) if isinstance(moment.nothing, str) else moment.nothing
