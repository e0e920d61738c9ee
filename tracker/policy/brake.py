"""The brake: what a pause stops, and which rules can be named in one (facts/operator-experience.md "the brake").

A pause stops what leaves the house: messages to buyers and refunds that were approved. Deadlines of ours go on, because
nobody who stops a bad text wants to lose a claim: extensions, lines of the claims register, tasks about cases, and a refund
inside an open case that must be answered by a date. Only a pause that says so (`deadlines`) stops them, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from tracker.messages import base_key
from tracker.model import ActionKind, Channel, Dossier, Intent, OutboxRow, Pause
from tracker.rules import STAGES, Rules

SCOPE = ("store", "country", "carrier", "rule", "template", "channel")
"""What a pause can name, in the order in which it is told."""

STOPPED = frozenset({ActionKind.MESSAGE, ActionKind.REFUND})
"""What every pause stops; the other kinds are deadlines."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What of an effect a pause can name. `pressing`: it belongs to an open case that must be answered by a date."""

    kind: ActionKind
    store: str
    rule: str
    channel: Channel
    template: str | None = None
    countries: Collection[str] = ()
    carriers: Collection[str] = ()
    pressing: bool = False


def reach(row: OutboxRow, dossier: Dossier) -> Reach:
    """The reach of an outbox row: its own parcel's country and carrier; where it names none, those of any parcel of the order."""
    mine = [each for each in dossier.shipments if each.number == row.shipment] or dossier.shipments
    return Reach(
        kind=row.kind,
        store=row.store,
        rule=row.rule,
        channel=row.channel,
        template=None if row.template is None else base_key(row.template),
        countries={each for each in (dossier.order.country, *(parcel.country for parcel in mine)) if each},
        carriers={each.carrier for each in mine if each.carrier},
        pressing=pressing(dossier),
    )


def pressing(dossier: Dossier) -> bool:
    """Whether a case is open that must be answered by a date: it is held back by no guess about the whole (D25).

    Where money is contested there always is one, known or not; any other case presses when somebody has told its date.
    """
    return any(case.closed_at is None and (case.due_at is not None or case.kind.contested) for case in dossier.cases)


def stops(pause: Pause, at: Reach) -> bool:
    """Whether this pause stops such an effect: it matches in everything the pause names, and is no deadline it leaves alone."""
    if not pause.deadlines and (at.kind not in STOPPED or (at.kind is ActionKind.REFUND and at.pressing)):
        return False
    return (
        pause.store in {None, at.store}
        and (pause.country is None or pause.country in at.countries)
        and (pause.carrier is None or pause.carrier in at.carriers)
        and (pause.rule is None or at.rule == pause.rule or at.rule.startswith(f"{pause.rule}."))
        and pause.template in {None, at.template}
        and pause.channel in {None, at.channel.value}
    )


def stopping(pauses: Iterable[Pause], at: Reach, now: datetime) -> Pause | None:
    """The pause that stops an effect the longest; None where nothing does. One without an end lasts longest."""
    found = [pause for pause in pauses if (pause.until is None or pause.until > now) and stops(pause, at)]
    return max(found, key=lambda pause: (pause.until is None, pause.until or pause.since, -pause.id), default=None)


def scope(pause: Pause) -> str:
    """What a pause names, in words: `store lume, template stage1`; `everything` where it names nothing."""
    named = [f"{name} {value}" for name in SCOPE if (value := getattr(pause, name)) is not None]
    return ", ".join(named) or "everything"


def rule_ids(rules: Rules) -> frozenset[str]:
    """Every rule id that an effect can carry, and what stands above it (`refund` above `refund.lost`): what a pause may name."""
    ladders = {f"{profile.id}.{stage.value}" for profile in (*rules.profiles, rules.fallback) for stage in STAGES}
    terms = {rule.id for rule in (*rules.compensation, rules.compensation_default)}
    fixed = {"window.extend", "refund.returned", "refund.lost", "refund.untrackable"}
    plain = {intent.value for intent in (*Intent,) if intent not in STAGES}
    return frozenset(_and_above(ladders | terms | fixed | plain))


def _and_above(ids: Iterable[str]) -> Iterable[str]:
    for each in ids:
        words = each.split(".")
        yield from (".".join(words[:count]) for count in range(1, len(words) + 1))
