"""Why an order is treated as it is: facts, rules top-down, decisions, what comes next. It is the daemon's own decide()."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from tracker.explain.facts import Fact, found_facts
from tracker.explain.words import changes, sentence
from tracker.model import Considered, Decision, DecisionReason, Dossier, Effect, Intent, Release, Verdict, WindowChange
from tracker.phrases import Phrases
from tracker.policy import decide
from tracker.policy.view import look
from tracker.rules import Rules


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that was looked at: `applied` or not, why in one word and in a sentence, when time alone can change it."""

    rule: str
    applied: bool
    reason: DecisionReason
    means: str
    shipment: str | None = None
    detail: str = ""
    key: str | None = None
    looks_again: datetime | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """An effect, new or old: its dedup key (subject : intent : occasion), and what became of it.

    `state` is `new` for what is decided at this instant, else the outbox row's; `release` is what the last guard said of a row on
    its way out.
    """

    key: str
    kind: str
    reason: DecisionReason
    state: str
    rule: str | None = None
    shipment: str | None = None
    task: str | None = None
    hold: str | None = None
    release: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    remedy: str | None = None
    """What a recommendation proposes: money, or another parcel."""
    deadline: datetime | None = None
    decided_at: datetime | None = None
    done_at: datetime | None = None
    evidence: Mapping[str, str] = {}


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer; `asked` is the number or order that was asked for, `summary` one sentence."""

    at: datetime
    order: str
    store: str
    asked: str
    summary: str
    facts: tuple[Fact, ...]
    rules: tuple[Weighed, ...]
    decisions: tuple[Decided, ...]
    next_decide_at: datetime | None
    next_poll_at: Mapping[str, datetime | None]
    asked_of: Mapping[str, tuple[str, ...]]
    """Parcel -> the sources that are asked about it, first choice first."""
    waits_for_answer: bool
    ask_now: tuple[str, ...]
    changes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: money as text, times in UTC with Z."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


def explain(  # noqa: PLR0913 - what only the store and the configuration know, by name
    dossier: Dossier,
    rules: Rules,
    now: datetime,
    phrases: Phrases,
    *,
    asked: str | None = None,
    next_poll_at: Mapping[str, datetime | None] | None = None,
    asked_of: Mapping[str, tuple[str, ...]] | None = None,
    releases: Mapping[str, Release] | None = None,
    windows: Sequence[WindowChange] = (),
) -> Explanation:
    """Explain this order at `now`. For another date hand over the dossier as it stood then (tracker.timeline.as_of).

    `phrases`: in whose language names and sentences are; `next_poll_at`: number -> when it is asked about next; `asked_of`: of
    which sources; `releases`: dedup key -> what release() says of a pending row; `windows`: every end the order's window had.
    """
    view = look(dossier, rules, now)
    verdict = decide(dossier, rules, now)
    return Explanation(
        at=now,
        order=dossier.order.number,
        store=dossier.order.store,
        asked=asked or dossier.order.number,
        summary=_summary(verdict, dossier, phrases),
        facts=tuple(found_facts(view, phrases, windows)),
        rules=_weighed(verdict, rules, phrases),
        decisions=(*map(_new, verdict.decisions), *(_old(effect, releases or {}, phrases) for effect in dossier.effects)),
        next_decide_at=verdict.next_at,
        next_poll_at=dict(next_poll_at or {}),
        asked_of=dict(asked_of or {}),
        waits_for_answer=verdict.waits_for_answer,
        ask_now=verdict.ask_now,
        changes=_changes(verdict, phrases),
    )


_USUAL = frozenset(
    {
        DecisionReason.NOT_YET_DUE,
        DecisionReason.ALREADY_DONE,
        DecisionReason.NO_EXTENSION_THERE,
        DecisionReason.WINDOW_FAR,
        DecisionReason.SILENCE_WITHIN_LIMIT,
        DecisionReason.NO_LOSS,
    }
)
"""What is said of nearly every parcel on nearly every day: it explains nothing in one sentence."""


def _summary(verdict: Verdict, dossier: Dossier, phrases: Phrases) -> str:
    """What is to do now, else what waits and for whom, else the most telling reason why there is nothing."""
    if verdict.decisions:
        return "; ".join(f"{phrases.word('intent', each.intent)}: {sentence(phrases, each.reason)}" for each in verdict.decisions)
    withdrawn = dict(verdict.withdraw)
    waiting = [each for each in dossier.effects if each.open and each.key not in withdrawn]
    if waiting:
        said = (
            phrases.say("explain.waits", intent=phrases.word("intent", each.intent), what=_waits_for(each, phrases))
            for each in waiting
        )
        return "; ".join(said)
    telling = [each for each in verdict.considered if each.reason not in _USUAL]
    if not telling:
        return phrases.say("explain.nothing_due")
    return phrases.say("explain.nothing_because", why=sentence(phrases, telling[0].reason), rule=telling[0].rule)


# ------------------------------------------------------------------------------------------------------------------- rules

_NOTICES = frozenset(intent.value for intent in Intent) - {
    "stage1",
    "stage2",
    "extension",
    "refund",
    "compensation",
    "buyer_waiting",
}
"""Rules that are called by what they say or ask."""

_CONCERNS = ("buyer_waiting", "window", "refund", "claim", "inquiry", "ladder", "notice")
"""Top down, as decide() asks them."""


def _weighed(verdict: Verdict, rules: Rules, phrases: Phrases) -> tuple[Weighed, ...]:
    terms = {rule.id for rule in (*rules.compensation, rules.compensation_default)}
    found = [_applied(each, phrases) for each in verdict.decisions]
    found += [_rejected(each, phrases) for each in verdict.considered]
    return tuple(sorted(found, key=lambda each: _CONCERNS.index(_concern(each.rule, terms))))


def _detail(told: str, phrases: Phrases) -> str:
    """What a rule adds to its reason; a word of the house in front of it is said in the operators' language."""
    word, semicolon, rest = told.partition("; ")
    table = "state" if phrases.knows(f"state.{word}") else "why"
    return phrases.word(table, word) + semicolon + rest


def _concern(rule: str, terms: set[str]) -> str:
    if rule in terms or rule == "compensation":
        return "claim"
    if rule in {"forwarder_inquiry", "suspect", "service_unmatched"}:
        return "inquiry"
    if rule.startswith("refund.") or rule == "refund" or (rule.endswith(".stage3")):
        return "refund"
    if rule in _NOTICES:
        return "notice"
    head = rule.split(".", maxsplit=1)[0]
    return head if head in {"buyer_waiting", "window"} else "ladder"


def _applied(decision: Decision, phrases: Phrases) -> Weighed:
    return Weighed(
        rule=decision.rule,
        applied=True,
        reason=decision.reason,
        means=sentence(phrases, decision.reason),
        shipment=decision.shipment,
        key=decision.key,
    )


def _rejected(considered: Considered, phrases: Phrases) -> Weighed:
    return Weighed(
        rule=considered.rule,
        applied=False,
        reason=considered.reason,
        means=sentence(phrases, considered.reason),
        shipment=considered.shipment,
        detail=_detail(considered.detail, phrases),
        looks_again=considered.looks_again,
    )


# --------------------------------------------------------------------------------------------------------------- decisions


def _waits_for(effect: Effect, phrases: Phrases) -> str:
    if effect.task is not None:
        return phrases.say("explain.task_is", state=phrases.word("state", effect.task))
    state = phrases.word("state", effect.state)
    return state if effect.hold is None else f"{state}, {phrases.word('hold', effect.hold)}"


def _new(decision: Decision) -> Decided:
    return Decided(
        key=decision.key,
        kind=decision.kind.value,
        reason=decision.reason,
        state="new",
        rule=decision.rule,
        shipment=decision.shipment,
        amount=decision.amount,
        currency=decision.currency,
        remedy=None if decision.remedy is None else decision.remedy.value,
        deadline=decision.deadline,
        evidence=decision.evidence,
    )


def _old(effect: Effect, releases: Mapping[str, Release], phrases: Phrases) -> Decided:
    said = releases.get(effect.key)
    return Decided(
        key=effect.key,
        kind=effect.kind.value,
        reason=effect.reason,
        state="rejected" if effect.rejected else effect.state.value,
        shipment=effect.shipment,
        task=None if effect.task is None else effect.task.value,
        hold=None if effect.hold is None else effect.hold.value,
        release=None if said is None else _released(said, phrases),
        amount=effect.amount,
        currency=effect.currency,
        remedy=None if effect.remedy is None else effect.remedy.value,
        decided_at=effect.created_at,
        done_at=effect.done_at,
    )


def _released(said: Release, phrases: Phrases) -> str:
    """The guard's verdict and why: a word of its own, a hold, or a decision's reason."""
    table = next((table for table in ("release", "hold") if phrases.knows(f"{table}.{said.why}")), "why")
    told = f"{phrases.word('verdict', said.verdict)}: {phrases.word(table, said.why)}"
    if said.until is not None:
        told = phrases.say("explain.until", what=told, at=f"{said.until:%Y-%m-%d %H:%M} UTC")
    return f"{told} ({said.detail})" if said.detail else told


def _changes(verdict: Verdict, phrases: Phrases) -> tuple[str, ...]:
    """What would change the answer: time first, then facts and people, each once."""
    timed = sorted((each.looks_again, each.rule) for each in verdict.considered if each.looks_again is not None)
    found = [phrases.say("explain.time", at=f"{at:%Y-%m-%d %H:%M} UTC", rule=rule) for at, rule in timed]
    told = ((changes(phrases, each.reason), each.rule) for each in verdict.considered)
    found += [phrases.say("explain.change", what=what, rule=rule) for what, rule in told if what]
    if verdict.waits_for_answer:
        found.append(phrases.say("explain.any_answer"))
    return tuple(dict.fromkeys(found))
