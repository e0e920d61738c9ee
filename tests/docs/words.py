"""docs/reference/reasons.md: the words that log, database, `--json` and `tracker explain` share, each in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from tests.docs.markdown import code, table
from tracker.config import english
from tracker.explain import changes, sentence
from tracker.model import DecisionReason, HoldReason, OutboxState, TaskState
from tracker.model.alerts import AlertKind
from tracker.outbox import MOVES, TASK_MOVES
from tracker.phrases import Phrases

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
    HoldReason.STORE_OBSERVES: (
        "The store is in mode `observe`; once that is raised, each row is decided afresh. A released row goes all the same."
    ),
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
    "quiet_hours": "A messenger would ring at night: the message waits for nine in the morning of the buyer.",
    "hourly_cap": "The store has sent as many messages this hour as it may.",
    "ramp": "Much became due at once: a tenth of it goes out a day.",
    "on_hold": "A person asked to leave the order alone until then.",
    "waiting_for_facts": "The newest answer is older than `outreach.facts_age_message_hours`: the source is asked first.",
}
"""What `release()` may say of a row that waits for a better moment; tracker/policy/release.py."""

ALERTS: Mapping[AlertKind, str] = {
    AlertKind.DOUBTFUL_SEND: "Nobody can say whether a message, a refund, an extension was done. It is never repeated.",
    AlertKind.SOURCE_DOWN: "A source refuses, fails, or has been silent for half a day. No parcel ages meanwhile.",
    AlertKind.ORDER_FILES_LATE: "A store's order files are 1.5 times `files_every_h` old; from 3 times on its outreach waits.",
    AlertKind.FILE_FAILED: "A file of the inbox could not be read; it lies in `inbox/failed` with the reason beside it.",
    AlertKind.WINDOW_CLOSES: "A delivery window closes within `alerts.window_lead_h`.",
    AlertKind.CLAIM_CLOSES: (
        "A claim against a carrier has to be filed: told `warn_days` of compensation.toml and `alerts.claim_lead_days` before "
        "the window closes, and at once where it closes before the buyer's next stage."
    ),
    AlertKind.CLAIM_EXPIRED: "Nobody filed a claim before its window closed: that money is gone.",
    AlertKind.CASE_DUE: "A case has to be answered within `alerts.case_lead_h`.",
    AlertKind.ANSWER_NOW: (
        "A first answer that a platform wants within minutes, a problem on the way, or a mail of the platform itself: "
        "told at once."
    ),
    AlertKind.TASK_DUE: "A task has to be done within `alerts.task_lead_h`.",
    AlertKind.REVIEW_DUE: "A recommendation has to be decided within a day.",
    AlertKind.SECOND_PERSON: "A refund that one person approved has waited a day for the second one.",
    AlertKind.STUCK_CLUSTER: (
        "Many parcels of one carrier, or on one route, have no scan for `refunds.stuck_days`: at least "
        "`refunds.stuck_parcels` of them, and `refunds.stuck_share` of all under way there. Told once a week while it lasts."
    ),
    AlertKind.RULES_WAIT: "A change of the rules touches so many parcels that its new effects wait for your word.",
    AlertKind.ERRAND_FAILED: "The backup, the handover or the cleaning up of the schedule failed.",
    AlertKind.QUOTA_ENDS: "A source's quota is used up within three days, at the present pace.",
    AlertKind.PARKED: "Orders could not be decided; everything else went on.",
    AlertKind.DISK_LOW: "Less than `alerts.free_mb` is free. On a full disk nothing is sent.",
    AlertKind.MARKETPLACE_STOPPED: (
        "A marketplace's API refuses for good what it did before, or its account lost its rights: people do it until then."
    ),
    AlertKind.WORK_FAILS: (
        "A unit of work has failed for five minutes: a full disk, a locked database. Told without the database where that takes "
        "nothing any more."
    ),
    AlertKind.CLOCK: "The clock jumped. Messages and refunds wait until somebody has looked.",
}
"""What each kind of alert means; the command that shows more is the phrase that the message itself ends with."""


def page() -> str:
    """The whole page."""
    phrases = english()
    reasons = "".join(
        f"| {code(reason.value)} | {_sentence(sentence(phrases, reason))} | {changes(phrases, reason) or ''} |\n"
        for reason in DecisionReason
    )
    holds = table(("held because", "what it means"), [(code(reason.value), HOLDS[reason]) for reason in HoldReason])
    deferred = table(("waits because", "what it means"), [(code(word), said) for word, said in DEFERRED.items()])
    alerts = table(
        ("alert", "what it means", "told", "what shows more"),
        [
            (code(kind.value), ALERTS[kind], "at once" if kind.at_once else "once a shift", _look(phrases, kind))
            for kind in AlertKind
        ],
    )
    return (
        f"{HEAD}{reasons}\n## Why a decided effect is held\n\n{holds}"
        f"\n## Why it waits by itself\n\nNobody has to do anything; `tracker explain` tells until when.\n\n{deferred}"
        f"\n## States of an outbox row\n\n{_moves(MOVES)}"
        f"\nEverything that is not in this table cannot happen. In particular `unknown` never becomes `pending` again.\n"
        f"\n## States of a task\n\n{_moves(TASK_MOVES)}"
        f"\n## Alerts\n\nThe words for `kinds` of a `[[target]]`; who is told, and how: [be told](../how-to/be-told.md).\n\n"
        f"{alerts}"
    )


def _look(phrases: Phrases, kind: AlertKind) -> str:
    """The command with which the alert's message ends."""
    return code(phrases.say(f"alert_command.{kind.value}"))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _moves(
    moves: Mapping[tuple[OutboxState | None, OutboxState], str] | Mapping[tuple[TaskState | None, TaskState], str],
) -> str:
    rows = [(code(before.value) if before else "(new)", code(after.value), when) for (before, after), when in moves.items()]
    return table(("from", "to", "when"), rows)
