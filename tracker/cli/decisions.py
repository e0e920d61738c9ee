"""`tracker decisions`: what was decided by which rule and configuration; and taking back what a wrong rule decided."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from tracker.cli.choice import by_language, known_rule, known_store
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import EVERYWHERE, Person, Time
from tracker.cli.output import Answer, Console
from tracker.cli.rows import row_document, state_of
from tracker.desk import corrections
from tracker.desk.corrections import Corrected
from tracker.model import Intent
from tracker.phrases import Phrases
from tracker.store.decisions import DecidedView, DecisionFilter, Withdrawn

app = App(name="decisions", help="What was decided, by rule, configuration and time; and taking back what a wrong rule decided.")

_COLUMNS = ("id", "decided", "store", "order", "what", "rule", "config", "state", "task")
_LEFT = ("id", "store", "order", "what", "channel", "sent", "what to do", "text")

_HASH = re.compile(r"[0-9a-f]{4,16}")

_WHY_LEFT = {
    "told": "it has reached the buyer, or was done: correct it by hand",
    "in_hand": "somebody has the task in hand: ask him",
    "registered": "it stands in the claims register",
    "doubtful": "it is on its way, or nobody knows: tracker outbox list --state unknown",
}
"""Fate -> what a person has to do about a decision that cannot be taken back."""


@Parameter(name="*")
@dataclasses.dataclass(frozen=True)
class Which:
    """Which decisions, and what every command takes: here `--config` is a file, a hash, or both, one after the other."""

    rule: Annotated[str | None, Parameter(help="Rule id, or its family: br-standard also names br-standard.stage1.")] = None
    since: Annotated[Time | None, Parameter(help="Decided at or after this time (UTC).")] = None
    store: Annotated[str | None, Parameter(help="One store only.")] = None
    intent: Annotated[Intent | None, Parameter(help="One purpose only: stage1, refund, extension ...")] = None
    by: Annotated[
        str | None, Parameter(env_var="TRACKER_BY", help="Whose word it is: an id or name of team.toml; without a team any name.")
    ] = None
    config: Annotated[
        list[str] | None,
        Parameter(
            group=EVERYWHERE,
            help="Hash of the configuration that decided (its beginning is enough), or the tracker.toml to use; or both.",
        ),
    ] = None
    json: Annotated[bool, Parameter(group=EVERYWHERE, negative=(), help="One JSON document on stdout.")] = False
    at: Annotated[
        Time | None,
        Parameter(group=EVERYWHERE, help="As of this time (UTC). A command that writes takes it on a rehearsal database only."),
    ] = None

    @property
    def common(self) -> Person:
        """What every command takes."""
        files = [Path(each) for each in self.config or () if not _is_hash(each)]
        return Person(config=files[-1] if files else None, json=self.json, at=self.at, by=self.by)

    @property
    def filter(self) -> DecisionFilter:
        """The others."""
        hashes = [each for each in self.config or () if _is_hash(each)]
        config = hashes[-1] if hashes else None
        return DecisionFilter(rule=self.rule, config=config, since=self.since, store=self.store, intent=self.intent)


@app.command(name="list")
def list_(*, limit: int = 200, which: Which = Which()) -> int:
    """Decisions that became an effect, newest first, with what became of them.

    Example: `tracker decisions list --rule br-standard --since 2026-03-01`

    Args:
        limit: At most so many.
    """

    async def work(room: Room) -> Answer:
        found = await room.store.decisions(await _known(which.filter, room), limit=limit)
        return Answer(
            document={"decisions": [_document(each) for each in found]},
            text=lambda console: console.table(
                _COLUMNS, [_cells(each, console.phrases) for each in found], empty="Nothing was decided that fits."
            ),
        )

    return answer(which.common, work)


@app.command
def withdraw(
    *,
    reason: str,
    correct: Annotated[list[str] | None, Parameter(negative=())] = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    which: Which = Which(),
) -> int:
    """Take back what a wrong rule decided: what waits is cancelled, tasks that nobody took are dropped; the rest is listed.

    What was taken back may be decided again: put the right rules in force first. What has left is listed with its text, as far
    as a task holds it; with `--correct` each of its buyers gets the text `correction`: by a channel that sends, else as a line
    of one grouped worksheet.

    Example: `tracker decisions withdraw --config 4f2a91c0 --rule br-standard --reason "stage 1 came ten days early" --by Mei`

    Args:
        reason: Why; the audit keeps it.
        correct: What was wrong and what is right, for buyers, as LANGUAGE=words. Once a language.
        dry_run: Only say what would be done.
    """
    if not which.filter.named:
        raise UsageError("say which decisions: --rule, --config HASH, --since, --store or --intent; see: tracker decisions list")
    if not reason.strip():
        raise UsageError("say why: --reason 'stage 1 came ten days early'")

    async def work(room: Room) -> Answer:
        wanted = await _known(which.filter, room)
        words = corrections.checked(by_language("correct", correct or (), room.loaded.texts.sources.keys()))
        done = await room.store.withdraw_decisions(
            wanted, by="" if dry_run else room.who, reason=reason.strip(), now=room.now, dry_run=dry_run
        )
        in_force = next((each.hash for each in await room.store.rulesets() if each.in_force), None)
        again = in_force in done.versions
        put_right = None
        if words:
            who = "" if dry_run else room.who
            put_right = await corrections.correct(
                room.store, room.loaded.rules, done.left, words, by=who, reason=reason.strip(), now=room.now, dry_run=dry_run
            )
        return Answer(
            document={
                "dry_run": dry_run,
                "cancelled": done.cancelled,
                "dropped": done.dropped,
                "left": [_document(each) for each in done.left],
                "still_in_force": in_force if again else None,
                "corrections": None if put_right is None else msgspec.to_builtins(put_right),
            },
            text=lambda console: _text(console, done, put_right, dry_run=dry_run, again=again),
        )

    return answer(which.common, work, writes=not dry_run)


async def _known(wanted: DecisionFilter, room: Room) -> DecisionFilter:
    """The same, as it is written here. Raises UsageError for a store or rule that nobody knows: no decision is no all-clear."""
    store, rule = await known_store(wanted.store, room), await known_rule(wanted.rule, room)
    return msgspec.structs.replace(wanted, store=store, rule=rule)


def _is_hash(text: str) -> bool:
    return _HASH.fullmatch(text) is not None and not Path(text).exists()


def _document(each: DecidedView) -> dict[str, Any]:
    return row_document(each.view) | {
        "task_state": each.task,
        "task_taken_by": each.taken_by,
        "text": each.text,
        "withdrawal": each.fate,
    }


def _cells(each: DecidedView, phrases: Phrases) -> tuple[object, ...]:
    row = each.view.row
    state = state_of(each.view, phrases)
    return (row.id, row.created_at, row.store, each.view.order.number, phrases.word("intent", row.intent), row.rule,
            row.config_version[:8], state, each.task)  # fmt: skip


def _text(console: Console, done: Withdrawn, put_right: Corrected | None, *, dry_run: bool, again: bool) -> None:
    would = "would be " if dry_run else ""
    console.line(f"{done.cancelled} effects {would}cancelled, {done.dropped} tasks {would}dropped, {len(done.left)} cannot be.")
    if again:
        console.line(
            "The rules in force decided some of them: they will decide the same again at the next look. "
            "Mend the rules and reload first."
        )
    if put_right is not None:
        _text_corrections(console, put_right, "would be " if dry_run else "")
    if done.left:
        console.line()
        rows = [
            (
                each.view.row.id,
                each.view.row.store,
                each.view.order.number,
                console.phrases.word("intent", each.view.row.intent),
                each.view.row.channel,
                each.view.sent_at,
                _WHY_LEFT[each.fate or "told"],
                (each.text or "").partition("\n")[0],
            )
            for each in done.left
        ]
        console.table(_LEFT, rows, empty="")


def _text_corrections(console: Console, put_right: Corrected, would: str) -> None:
    console.line(f"{put_right.opened} corrections {would}ordered, {put_right.switched_off} have no way to their buyers.")
    for language, count in sorted(put_right.without_words.items()):
        console.line(f"{count} of them in {language} lack their words: a person fills them in, or say --correct {language}='…'.")
