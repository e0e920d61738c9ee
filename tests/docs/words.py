"""docs/reference/reasons.md: the words that log, database, `--json` and `tracker explain` share, each in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from tests.docs.markdown import code, table
from tracker.config import english
from tracker.explain import changes, sentence
from tracker.model import DecisionReason, HoldReason, OutboxState, TaskState
from tracker.outbox import MOVES, TASK_MOVES

HEAD = """\
# Reasons and states

Made from `config/operators/en.toml` and `tracker/outbox.py` by `python -m tests.docs`; do not edit.

One word means the same in the log, the database, `--json`, `tracker explain` and the tests.

## Why something is decided, or nothing is

| reason | in a sentence | what would change it, beside time |
| --- | --- | --- |
"""

HOLDS: Mapping[HoldReason, str] = {
    HoldReason.MONEY_NEEDS_APPROVAL: "A refund is only recommended: `tracker review approve` or `reject`.",
    HoldReason.MESSAGE_NEEDS_APPROVAL: "The store is in mode `approve`: `tracker review approve` or `reject`.",
    HoldReason.STORE_OBSERVES: "The store is in mode `observe`; once that is raised, each row is decided afresh. A released row goes all the same.",
    HoldReason.FIRST_START: "It was due before this store was first looked at: a person decides whether it still makes sense.",
    HoldReason.STALE_STAGE: "The stage is more than `outreach.stale_stage_days` late, so its words may no longer fit.",
    HoldReason.PLAUSIBILITY: "Too many parcels of one carrier turned bad at once: probably the source is wrong, not the parcels.",
    HoldReason.TIME_GUARD: "The clock is not trusted: mend it, or confirm it with `tracker hold release --reason time_guard`.",
    HoldReason.RULES_WAIT: "A change of the rules gave it, and touches many parcels: `tracker config accept` lets it go.",
    HoldReason.RESTORED: "It came due after the backup that was put back: look whether it went out already.",
}
"""What to think of a held row; the first two wait in `tracker review list`, the others in `tracker hold list`."""

DEFERRED: Mapping[str, str] = {
    "paused": "Somebody has pulled the brake: who, why and until when stands behind the word; `tracker resume`.",
    "order_files_stale": "The store's order files fail to come: the last one is older than three times `files_every_h`.",
    "72_hours": "This order's buyer was written to within `outreach.quiet_hours_between`.",
    "hourly_cap": "The store has sent as many messages this hour as it may.",
    "ramp": "Much became due at once: a tenth of it goes out a day.",
    "on_hold": "A person asked to leave the order alone until then.",
    "waiting_for_facts": "The newest answer is older than `outreach.facts_age_message_hours`: the source is asked first.",
}
"""What `release()` may say of a row that waits for a better moment; tracker/policy/release.py."""


def page() -> str:
    """The whole page."""
    phrases = english()
    reasons = "".join(
        f"| {code(reason.value)} | {_sentence(sentence(phrases, reason))} | {changes(phrases, reason) or ''} |\n"
        for reason in DecisionReason
    )
    holds = table(("held because", "what it means"), [(code(reason.value), HOLDS[reason]) for reason in HoldReason])
    deferred = table(("waits because", "what it means"), [(code(word), said) for word, said in DEFERRED.items()])
    return (
        f"{HEAD}{reasons}\n## Why a decided effect is held\n\n{holds}"
        f"\n## Why it waits by itself\n\nNobody has to do anything; `tracker explain` tells until when.\n\n{deferred}"
        f"\n## States of an outbox row\n\n{_moves(MOVES)}"
        f"\nEverything that is not in this table cannot happen. In particular `unknown` never becomes `pending` again.\n"
        f"\n## States of a task\n\n{_moves(TASK_MOVES)}"
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _moves(
    moves: Mapping[tuple[OutboxState | None, OutboxState], str] | Mapping[tuple[TaskState | None, TaskState], str],
) -> str:
    rows = [(code(before.value) if before else "(new)", code(after.value), when) for (before, after), when in moves.items()]
    return table(("from", "to", "when"), rows)
