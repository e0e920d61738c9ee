"""What a case expected against what happened, told so that a person sees the difference at once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tracker.model import ActionKind, Intent, Remedy
from tracker.rules import STAGES, Rules
from tracker.ruletest.play import Happened, Told, language_of
from tracker.ruletest.shape import Case, Expected, reasons_of

_MESSAGES = frozenset({ActionKind.MESSAGE})


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One moment that went otherwise. `path` leads to it in the file."""

    case: str
    at: str
    path: tuple[str | int, ...]
    expected: tuple[str, ...]
    got: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()


def judge(case: Case, index: int, played: Iterable[Told], rules: Rules) -> tuple[Difference, ...]:
    """The differences of one case; `index` is its place in the file."""
    found = []
    for told in played:
        missing, unexpected = _weigh(told, rules)
        if missing or unexpected:
            found.append(
                Difference(
                    case=case.name,
                    at=told.moment.at,
                    path=("case", index, "moment", case.moment.index(told.moment)),
                    expected=_expected(told),
                    got=tuple(describe(each, told, rules) for each in told.happened) or ("nothing",),
                    missing=missing,
                    unexpected=unexpected,
                )
            )
    return tuple(found)


def _weigh(told: Told, rules: Rules) -> tuple[tuple[str, ...], tuple[str, ...]]:
    moment = told.moment
    left = list(told.happened)
    missing = []
    for expected in moment.expect or ():
        hit = next((each for each in left if _fits(expected, each, told, rules)), None)
        if hit is None:
            missing.append(_words(expected))
        else:
            left.remove(hit)
    missing += [f"nothing because {text}" for text in (*moment.because, *reasons_of(moment)) if not _reason_given(text, told)]
    if moment.nothing is not None or (moment.expect is not None and not moment.more):
        extra = left
    else:
        extra = [each for each in left if each.decision.intent in moment.never]
    return tuple(missing), tuple(describe(each, told, rules) for each in extra)


def _reason_given(text: str, told: Told) -> bool:
    rule, _, word = text.rpartition(": ")
    return any(each.reason.value == word and rule in {"", each.rule} for each in told.verdict.considered)


def _fits(expected: Expected, happened: Happened, told: Told, rules: Rules) -> bool:
    """Whether this decision is the one; what the expectation does not name is not looked at."""
    decision = happened.decision
    kind, intent = _which(expected)
    remedy = decision.remedy or Remedy.FULL_REFUND
    pairs: tuple[tuple[object, object], ...] = (
        (kind, decision.kind),
        (intent, decision.intent),
        (expected.refund, remedy if decision.kind is ActionKind.REFUND else None),
        (expected.reason, decision.reason),
        (expected.rule, decision.rule),
        (expected.template, decision.template),
        (expected.language, language_of(told.dossier, rules) if decision.kind in _MESSAGES else None),
        (expected.parcel, decision.shipment),
        (expected.amount, decision.amount),
        (expected.currency, decision.currency),
    )
    return all(wanted is None or wanted == got for wanted, got in pairs)


def _which(expected: Expected) -> tuple[ActionKind, Intent | None]:
    if expected.stage is not None or expected.message is not None:
        return ActionKind.MESSAGE, expected.stage or expected.message
    if expected.extension:
        return ActionKind.EXTENSION, Intent.EXTENSION
    if expected.refund is not None:
        return ActionKind.REFUND, None
    return (ActionKind.COMPENSATION, None) if expected.claim else (ActionKind.TASK, expected.task)


def _words(expected: Expected) -> str:
    said = {name: getattr(expected, name) for name in expected.__struct_fields__}
    return ", ".join(f"{name} {getattr(value, 'value', value)}" for name, value in said.items() if value not in (None, False))


def _expected(told: Told) -> tuple[str, ...]:
    moment = told.moment
    said = [_words(expected) for expected in moment.expect or ()]
    said += ["nothing"] * (moment.nothing is not None or moment.expect == ())
    said += [f"nothing because {text}" for text in (*moment.because, *reasons_of(moment))]
    said += [f"never {intent.value}" for intent in moment.never]
    return tuple(said)


def describe(happened: Happened, told: Told, rules: Rules) -> str:
    """One decision in one line."""
    decision = happened.decision
    match decision.kind:
        case ActionKind.MESSAGE:
            word = "stage" if decision.intent in STAGES else "message"
            what = f"{word} {decision.intent.value}, template {decision.template}, language {language_of(told.dossier, rules)}"
        case ActionKind.EXTENSION:
            what = "extension"
        case ActionKind.REFUND:
            what = f"refund {(decision.remedy or Remedy.FULL_REFUND).value}, amount {decision.amount} {decision.currency}"
        case ActionKind.COMPENSATION:
            what = f"claim, amount {decision.amount} {decision.currency}"
        case _:
            what = f"task {decision.intent.value}"
    parcel = "" if decision.shipment is None else f", parcel {decision.shipment}"
    return f"{what}{parcel}, because {decision.reason.value} ({decision.rule}), at {happened.at:%Y-%m-%d %H:%M}Z"
