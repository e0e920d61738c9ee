"""When something opens, closes or is due at a marketplace: the time rules, counted from what an order and a case know (D3).

A date that a marketplace's API delivers beats what a person typed, that beats a file's, and the table comes last. Days and
business days keep the wall clock of the rule's zone across a change to summer time (D9); business days are those of the
marketplace's country (D8). Seasons and advisories never shift these clocks (D19). Instants in and out are aware; out is UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from tracker.dates import add_working_days, day0_bounds, utc_text, working_days_before
from tracker.model import Case, DateSource, Dossier, Order, WindowSource
from tracker.rules import Rules, TimeRule

PAYPAL = "paypal"
"""A payment service whose rules hold beside those of the marketplace, for orders that are paid with it (R32)."""
LOW = "low"
"""Confidence of a figure that people see, and on which nothing is done alone."""
RULE, API = "rule:", "api:"
"""What an anchor begins with that is another rule's date, or a date that only the marketplace's API tells."""

ORDER_ANCHORS = frozenset(
    {
        *("paid", "order_created", "edd_min", "edd_max", "latest_ship_date", "window_end"),
        *("day0", "shipped_all", "delivered", "order_completed"),
    }
)
OPENED = frozenset(
    {
        *("inquiry_opened", "issue_opened", "dispute_opened", "claim_opened", "claim_filed", "payment_dispute_opened"),
        *("chargeback_mail", "return_requested", "cancel_requested", "buyer_message_received", "exception_opened"),
        *("platform_notice", "last_message"),
    }
)
"""All that begins a case: its `opened_at`, the earlier bound where the instant is not exact."""
CLOSED = frozenset({"case_closed", "claim_granted", "ruling", "return_agreed"})
"""All that ends a case: its `closed_at`."""
ANCHORS = ORDER_ANCHORS | OPENED | CLOSED | {"now"}

ANSWERS = frozenset({"deadline", "target"})
"""Kinds of rule that say until when an answer is due."""
_NO_DATE = frozenset({"refusal", "metric"})
_EXACT = {"hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a rule: `at`, and of a window `until` (None: open, or its end is not known). Aware UTC."""

    at: datetime
    until: datetime | None
    rule: str
    confidence: str
    why: str
    """In words: figure, anchor, profile."""

    @property
    def hint(self) -> bool:
        """Whether people may see it, and nothing is done on it alone."""
        return self.confidence == LOW


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Until when an answer is due (aware UTC), and whose word that is. `rule` is None where no table was needed."""

    at: datetime
    source: DateSource
    rule: str | None
    confidence: str
    why: str

    @property
    def hint(self) -> bool:
        """Whether people may see it, and nothing is done on it alone."""
        return self.confidence == LOW


# ------------------------------------------------------------------------------------------------------------------- rules


def find(rules: Rules, rule_id: str, country: str | None, store: str | None = None) -> TimeRule | None:
    """The rule of this id in the profile of the `store`; a variant for `country` (`<id>.<word>` with regions) goes first.

    None: no such rule, switched off, or it holds for other countries only.
    """
    key = (rule_id, country, store)
    if key not in rules.times_found:
        rules.times_found[key] = _find(rules, rule_id, country, store)
    return rules.times_found[key]


def _find(rules: Rules, rule_id: str, country: str | None, store: str | None) -> TimeRule | None:
    general: TimeRule | None = None
    for group in rules.times_of(store).values():
        for each in group:
            if each.id == rule_id and not each.regions:
                general = each
            elif country in each.regions and rule_id in {each.id, _general(each.id)}:
                return each
    return general


def country_of(order: Order, rules: Rules) -> str | None:
    """Country of the marketplace's site where the order was made (D8): the store's, the marketplace's only one, the buyer's."""
    store, market = rules.stores.get(order.store), rules.marketplaces.get(order.platform)
    return (store.site if store else None) or (market.country if market else None) or order.country


def rules_for(order: Order, rules: Rules) -> Iterator[TimeRule]:
    """The rules that hold for this order: its marketplace's and, paid so, PayPal's, each in its country's variant."""
    table, country = rules.times_of(order.store), country_of(order, rules)
    for name in (order.platform, *([PAYPAL] if order.payment == PAYPAL else [])):
        group = table.get(name, ())
        special = [each for each in group if country in each.regions]
        for each in group:
            if not each.regions:
                if not any(_general(other.id) == each.id for other in special):
                    yield each
            elif each in special:
                yield each


def _general(rule_id: str) -> str:
    """The rule whose variant for some countries this one is, by its id: one word more. `a.b.warn.de` is none of `a.b`."""
    return rule_id.rpartition(".")[0]


# ------------------------------------------------------------------------------------------------------------------- dates


def when(rule: TimeRule, anchors: Mapping[str, datetime], *, rules: Rules, country: str | None) -> Moment | None:
    """The date of a rule, counted from `anchors` (name -> aware instant); None where its anchor is not known.

    `country` is that of the marketplace's site (`country_of`): it gives the working days, and the zone where the rule names none.
    An anchor `api:<field>` is looked up by that name, then as `api`. A marketplace's error or a metric has no date.
    """
    if rule.kind in _NO_DATE:
        return None
    start = _anchor(rule, rule.anchor, anchors, rules, country)
    if start is None:
        return None
    begin = _count(rule, start, rule.offset, rules, country)
    until = None
    if rule.offset_max is not None:
        last = start if rule.end_anchor is None else _anchor(rule, rule.end_anchor, anchors, rules, country)
        until = None if last is None else _count(rule, last, rule.offset_max, rules, country)
    return Moment(at=begin, until=until, rule=rule.id, confidence=_confidence(rule), why=_why(rule, start))


def _confidence(rule: TimeRule) -> str:
    """A date that is counted from a doubtful one is doubtful itself."""
    return LOW if rule.base is not None and _confidence(rule.base) == LOW else rule.confidence


def _anchor(rule: TimeRule, name: str, anchors: Mapping[str, datetime], rules: Rules, country: str | None) -> datetime | None:
    if name.startswith(RULE):
        found = None if rule.base is None else when(rule.base, anchors, rules=rules, country=country)
        return None if found is None else found.at
    if name.startswith(API):
        return anchors.get(name) or anchors.get("api")
    return anchors.get(name)


def _count(rule: TimeRule, start: datetime, offset: int, rules: Rules, country: str | None) -> datetime:
    sign = -1 if rule.direction == "before" else 1
    if rule.unit in _EXACT:
        return (start + sign * offset * _EXACT[rule.unit]).astimezone(UTC)
    local = start.astimezone(_zone(rule, start, rules, country))
    if rule.unit == "days":
        day = local.date() + timedelta(days=sign * offset)
    else:
        day = (add_working_days if sign > 0 else working_days_before)(local.date(), offset, country)
    return datetime.combine(day, local.time(), local.tzinfo).astimezone(UTC)


def _zone(rule: TimeRule, value: datetime, rules: Rules, country: str | None) -> tzinfo:
    if rule.tz == "value-offset" and value.utcoffset():
        return value.tzinfo or UTC
    if rule.tz in {"marketplace", "region", "value-offset"}:
        market = rules.marketplaces.get(rule.marketplace)
        return ZoneInfo(rules.zones.get(country or "") or (market.zone if market else "UTC"))
    return ZoneInfo(rule.tz)


def _why(rule: TimeRule, start: datetime) -> str:
    unit = rule.unit.replace("_", " ")
    much = str(rule.offset) if rule.offset_max is None else f"{rule.offset} to {rule.offset_max}"
    return f"{much} {unit} {rule.direction} {rule.anchor} ({utc_text(start)}), table:{rule.profile}"


def order_anchors(dossier: Dossier) -> dict[str, datetime]:
    """What an order knows, by the names of the rules; instants without a zone by their earlier bound."""
    order, parcels = dossier.order, dossier.shipments
    window = order.window
    starts = [bounds[0] for each in parcels if (bounds := day0_bounds(order, each)) is not None]
    shipped = [each.shipped_at or order.shipped_at for each in parcels]
    arrived = [each.delivered_scan.earliest for each in parcels if each.delivered_scan is not None and each.delivered]
    found = {
        "paid": order.paid_at,
        "order_created": order.ordered_at,
        "edd_min": order.promised_from,
        "edd_max": order.promised_at,
        "latest_ship_date": order.ship_by,
        "window_end": None if window is None or window.source is WindowSource.ESTIMATED else window.end,
        "order_completed": order.received_at,
        "day0": min(starts, default=None),
        "shipped_all": None if None in shipped else max((each for each in shipped if each is not None), default=order.shipped_at),
        "delivered": min(arrived, default=order.received_at),
    }
    return {name: at for name, at in found.items() if at is not None}


def case_anchors(case: Case, dossier: Dossier) -> dict[str, datetime]:
    """What a case and its order know, by the names of the rules."""
    found = order_anchors(dossier) | dict.fromkeys(OPENED, case.opened_at)
    if case.closed_at is not None:
        found |= dict.fromkeys(CLOSED, case.closed_at)
    if case.due_at is not None and case.due_source is DateSource.API:
        found["api"] = case.due_at
    return found


# ------------------------------------------------------------------------------------------------------------------- cases


def case_due(case: Case, dossier: Dossier, rules: Rules) -> Due | None:
    """Until when a case wants an answer: what was told, whoever told it, else the earliest of the table's dates (D3, R33, R75).

    Of the table's dates a doubtful one counts only where no better one is there. None: nobody knows.
    """
    if case.due_at is not None:
        source = case.due_source or DateSource.TYPED
        return Due(at=case.due_at, source=source, rule=None, confidence="high", why=f"told: {source.value}")
    order = dossier.order
    country, anchors = country_of(order, rules), case_anchors(case, dossier)
    fits = (each for each in rules_for(order, rules) if each.kind in ANSWERS and case.kind.value in each.case)
    found = [moment for each in fits if (moment := when(each, anchors, rules=rules, country=country)) is not None]
    if not found:
        return None
    best = min(found, key=lambda each: (each.hint, each.at))
    return Due(at=best.at, source=DateSource.TABLE, rule=best.rule, confidence=best.confidence, why=best.why)


def order_moment(rule_id: str, dossier: Dossier, rules: Rules) -> Moment | None:
    """The date of one rule for this order; None where the rule does not hold there or its anchor is not known."""
    order = dossier.order
    country = country_of(order, rules)
    rule = find(rules, rule_id, country, order.store)
    return None if rule is None else when(rule, order_anchors(dossier), rules=rules, country=country)
