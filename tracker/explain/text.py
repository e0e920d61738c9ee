"""An explanation as lines for eyes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from tracker.explain.explanation import Decided, Explanation, Weighed
from tracker.explain.facts import Fact
from tracker.phrases import Phrases, fill, wide

_NAMES = 18
_RULES = 22
"""Columns of a fact's name, and of a rule's."""


def to_text(story: Explanation, phrases: Phrases) -> list[str]:
    """The lines of an explanation, without colours: facts, rules top-down, decisions, what comes next.

    `phrases` are those it was made with: names of reasons, rules and states stay, they are the ones of log and database.
    """
    return [
        phrases.say("explain.head", order=story.order, store=story.store, at=_at(story.at, phrases)),
        f"  {story.summary}",
        "",
        phrases.say("explain.facts"),
        *_facts(story, phrases),
        "",
        phrases.say("explain.rules"),
        *(_rule(each, phrases) for each in story.rules),
        "",
        phrases.say("explain.decisions"),
        *([line for each in story.decisions for line in _decided(each, phrases)] or [f"  {phrases.say('explain.none_so_far')}"]),
        "",
        phrases.say("explain.next"),
        *_next(story, phrases),
    ]


def _at(instant: datetime | None, phrases: Phrases) -> str:
    return phrases.say("explain.never") if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


def _facts(story: Explanation, phrases: Phrases) -> Iterator[str]:
    about = ""
    for fact in story.facts:
        if fact.about != about:
            about = fact.about
            yield f"  {about}{'  <- ' + phrases.say('explain.asked_for') if about == story.asked else ''}"
        yield f"    {fill(fact.name, _NAMES)} {fact.value}  [{_source(fact, phrases)}]"


def _source(fact: Fact, phrases: Phrases) -> str:
    return fact.source if fact.at is None else f"{fact.source}, {_at(fact.at, phrases)}"


def _rule(rule: Weighed, phrases: Phrases) -> str:
    answers = {yes: phrases.say(f"explain.{'yes' if yes else 'no'}") for yes in (True, False)}
    mark = fill(answers[rule.applied], max(map(wide, answers.values())))
    about = "" if rule.shipment is None else f" {rule.shipment}"
    detail = f" ({rule.detail})" if rule.detail else ""
    again = "" if rule.looks_again is None else f"; {phrases.say('explain.looks_again', at=_at(rule.looks_again, phrases))}"
    return f"  {mark} {fill(rule.rule, _RULES)}{about}  {rule.reason.value}: {rule.means}{detail}{again}"


def _decided(effect: Decided, phrases: Phrases) -> Iterator[str]:
    money = "" if effect.amount is None else f" {effect.amount} {effect.currency or ''}".rstrip()
    what = phrases.word("kind", effect.kind) + (f" ({phrases.word('remedy', effect.remedy)})" if effect.remedy else "")
    states = [phrases.word("state", effect.state)]
    if effect.task:
        states.append(phrases.say("explain.task", state=phrases.word("state", effect.task)))
    if effect.hold:
        states.append(phrases.say("explain.hold", why=phrases.word("hold", effect.hold)))
    yield f"  {effect.key}  {what}{money}  {', '.join(states)}  ({effect.reason.value})"
    if effect.release is not None:
        yield f"    {fill(phrases.say('explain.release'), 8)} {effect.release}"
    if effect.deadline is not None:
        yield f"    {fill(phrases.say('explain.deadline'), 8)} {_at(effect.deadline, phrases)}"
    for name, value in effect.evidence.items():
        yield f"    {phrases.name(name)}: {phrases.value(name, value)}"


def _of(sources: Sequence[str] | None, phrases: Phrases) -> str:
    """Whom: a fallback is told too, because it may be the one that answered."""
    if sources is None:
        return ""
    return f"  {phrases.say('explain.asked_of', sources=', '.join(sources)) if sources else phrases.say('explain.asked_nobody')}"


def _next(story: Explanation, phrases: Phrases) -> Iterator[str]:
    again, asked, now = (phrases.say(f"explain.{name}") for name in ("decided_again", "asked_again", "asked_now"))
    width = 14
    answer = f" {phrases.say('explain.or_answer')}" if story.waits_for_answer else ""
    yield f"  {fill(again, width)} {_at(story.next_decide_at, phrases)}{answer}"
    for number, at in story.next_poll_at.items():
        yield f"  {fill(asked, width)} {number}  {_at(at, phrases)}{_of(story.asked_of.get(number), phrases)}"
    for number in story.ask_now:
        yield f"  {fill(now, width)} {number}"
    for change in story.changes:
        yield f"  {phrases.say('explain.would_change', what=change)}"
