"""An explanation as lines for eyes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tracker.explain.explanation import Decided, Explanation, Fact, Weighed


def to_text(story: Explanation) -> list[str]:
    """The lines of an explanation, without colours: facts, rules top-down, decisions, what comes next."""
    return [
        f"Order {story.order} of store {story.store}, as of {_at(story.at)}",
        f"  {story.summary}",
        "",
        "Facts",
        *_facts(story),
        "",
        "Rules, top down",
        *(_rule(each) for each in story.rules),
        "",
        "Decisions",
        *([line for each in story.decisions for line in _decided(each)] or ["  none so far"]),
        "",
        "Next",
        *_next(story),
    ]


def _at(instant: datetime | None) -> str:
    return "never" if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


def _facts(story: Explanation) -> Iterator[str]:
    about = ""
    for fact in story.facts:
        if fact.about != about:
            about = fact.about
            yield f"  {about}{'  <- asked for' if about == story.asked else ''}"
        yield f"    {fact.name:<18} {fact.value}  [{_source(fact)}]"


def _source(fact: Fact) -> str:
    return fact.source if fact.at is None else f"{fact.source}, {_at(fact.at)}"


def _rule(rule: Weighed) -> str:
    mark = "yes" if rule.applied else "no "
    about = "" if rule.shipment is None else f" {rule.shipment}"
    detail = f" ({rule.detail})" if rule.detail else ""
    again = "" if rule.looks_again is None else f"; looks again {_at(rule.looks_again)}"
    return f"  {mark} {rule.rule:<22}{about}  {rule.reason.value}: {rule.means}{detail}{again}"


def _decided(effect: Decided) -> Iterator[str]:
    money = "" if effect.amount is None else f" {effect.amount} {effect.currency or ''}".rstrip()
    states = [effect.state, *(f"{name} {value}" for name, value in (("task", effect.task), ("hold", effect.hold)) if value)]
    yield f"  {effect.key}  {effect.kind}{money}  {', '.join(states)}  ({effect.reason.value})"
    if effect.release is not None:
        yield f"    release  {effect.release}"
    if effect.deadline is not None:
        yield f"    deadline {_at(effect.deadline)}"
    for name, value in effect.evidence.items():
        yield f"    {name.replace('_', ' ')}: {value}"


def _next(story: Explanation) -> Iterator[str]:
    yield f"  decided again  {_at(story.next_decide_at)}{' or at the next answer' if story.waits_for_answer else ''}"
    for number, at in story.next_poll_at.items():
        yield f"  asked again    {number}  {_at(at)}"
    for number in story.ask_now:
        yield f"  asked now      {number}"
    for change in story.changes:
        yield f"  would change it: {change}"
