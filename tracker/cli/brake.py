"""`tracker pause` and `tracker resume`: the brake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from tracker.cli.choice import one_of
from tracker.cli.context import Room, answer
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import Person, Time
from tracker.cli.output import Answer, Console, shown
from tracker.desk import brake
from tracker.messages import MESSAGE_TYPES
from tracker.model import Channel, Pause
from tracker.policy.brake import rule_ids, scope
from tracker.rules import Rules
from tracker.store.brake import Deadline

Switch = Parameter(negative=())
All = Annotated[bool, Parameter(name="--all", negative=())]
DeadlinesToo = Annotated[bool, Parameter(name=("--deadlines-too", "--everything"), negative=())]

_DEADLINES_SHOWN = 10


def pause(  # noqa: PLR0913 - everything that a pause can name
    *,
    store: str | None = None,
    country: str | None = None,
    carrier: str | None = None,
    rule: str | None = None,
    template: str | None = None,
    channel: str | None = None,
    all_: All = False,
    reason: str | None = None,
    until: Time | None = None,
    deadlines_too: DeadlinesToo = False,
    common: Person = Person(),
) -> int:
    """Pull the brake: no message and no approved refund that matches all that is named leaves, until then or until resumed.

    Decided, polled and reviewed is as before. Extensions, the claims register, tasks about cases and a refund in an open case go
    on. Without any option: the pauses that stand.

    Example: `tracker pause --store lume --template stage2 --reason "new wording" --until 2026-12-01 --by Mei`

    Args:
        store: One store.
        country: A destination, as two letters.
        carrier: A carrier of carriers.toml.
        rule: A rule as `tracker explain` names it, or all below it: br-standard is br-standard.stage1 too.
        template: A type of message.
        channel: A channel: task, smtp, maildir, register.
        all_: Everything.
        reason: Why; whoever looks or resumes reads it.
        until: When it ends by itself.
        deadlines_too: Extensions, claims and tasks about cases wait as well; the deadlines that fall into the pause are shown.
    """
    named = _named(store=store, country=country, carrier=carrier, rule=rule, template=template, channel=channel)
    if not (named or all_ or reason or until or deadlines_too):
        return answer(common, _list)
    _check(named, everything=all_)
    if not (reason or "").strip():
        raise UsageError("a pause needs a reason that whoever resumes it can judge: --reason 'why'")

    async def work(room: Room) -> Answer:
        fields = known(named, room.loaded.rules)
        if until is not None and until <= room.now:
            raise UsageError(f"--until: {shown(until)} has passed; a pause ends in the future")
        wanted = Pause(
            id=0, reason=(reason or "").strip(), by=room.who, since=room.now, until=until, deadlines=deadlines_too, **fields
        )
        pulled = await brake.pull(room.store, room.loaded.rules, wanted, room.now)
        document = {
            "pause": pause_document(pulled.pause),
            "stopped": msgspec.to_builtins(pulled.stopped),
            "deadlines": [_deadline(each) for each in pulled.deadlines],
        }
        return Answer(document=document, text=lambda console: _tell_pulled(console, pulled))

    # Everything can be stopped whatever somebody has just written into a file: a daemon works on with the rules it has.
    return answer(common, work, writes=True, anyway=all_)


def resume(  # noqa: PLR0913 - everything that a pause can name
    *ids: int,
    store: str | None = None,
    country: str | None = None,
    carrier: str | None = None,
    rule: str | None = None,
    template: str | None = None,
    channel: str | None = None,
    all_: All = False,
    dry_run: Annotated[bool, Switch] = False,
    common: Person = Person(),
) -> int:
    """Let go of the brake, and show what goes out: what is more than a day late at a tenth of the backlog a day, the rest now.

    Each row still passes the guards of its moment: delivered meanwhile, it is cancelled.

    Example: `tracker resume --store lume --by Mei --dry-run`

    Args:
        ids: Pauses by number; they stand in `tracker pause`.
        store: Every pause that names this store.
        country: Every pause that names this destination.
        carrier: Every pause that names this carrier.
        rule: Every pause that names this rule.
        template: Every pause that names this type of message.
        channel: Every pause that names this channel.
        all_: Every pause.
        dry_run: Show what would go out, and end nothing.
    """
    named = _named(store=store, country=country, carrier=carrier, rule=rule, template=template, channel=channel)
    if bool(ids) + bool(named) + all_ != 1:
        raise UsageError("name pauses by number, by what they name (--store …), or --all; they stand in: tracker pause")

    async def work(room: Room) -> Answer:
        ended = await _to_end(room, ids, named)
        chosen = [pause.id for pause in ended]
        who = None if dry_run else room.who
        look = await brake.outlook(room.store, await room.store.freed_by(chosen, room.now), room.loaded.rules.manners, room.now)
        if who is not None:
            await room.store.resume(chosen, by=who, now=room.now)
        document = {
            "dry_run": dry_run,
            "ended": [pause_document(pause) for pause in ended],
            "outlook": msgspec.to_builtins(look),
        }
        return Answer(document=document, text=lambda console: _tell_ended(console, ended, look, dry_run=dry_run))

    return answer(common, work, writes=not dry_run)


def _named(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


def _check(named: Collection[str], *, everything: bool) -> None:
    if everything and named:
        raise UsageError(f"--all is everything: leave out --{next(iter(named))}, or --all")
    if not everything and not named:
        raise UsageError(
            "say what stands still: --store, --country, --carrier, --rule, --template, --channel (all that is named must match); "
            "or --all"
        )


def known(named: Mapping[str, str], rules: Rules) -> dict[str, str]:
    """What was named, as the configuration writes it. Raises UsageError for what it does not know."""
    return {field: one_of(field, value, _values(field, rules)) for field, value in named.items()}


def _values(field: str, rules: Rules) -> Collection[str]:
    if field == "country":
        from babel import Locale

        return {code for code in map(str, Locale("en").territories) if len(code) == len("XX") and code.isalpha()}
    values: Mapping[str, Collection[str]] = {
        "store": rules.stores.keys(),
        "carrier": rules.carriers.keys(),
        "rule": rule_ids(rules),
        "template": MESSAGE_TYPES.keys(),
        "channel": tuple(channel.value for channel in Channel),
    }
    return values[field]


async def _to_end(room: Room, ids: Collection[int], named: Mapping[str, str]) -> list[Pause]:
    standing = await room.store.pauses(room.now)
    if ids:
        missing = sorted(set(ids) - {pause.id for pause in standing})
        if missing:
            raise Failed("not_there", f"no pause {', '.join(map(str, missing))} stands; see: tracker pause")
        return [pause for pause in standing if pause.id in ids]
    found = brake.matching(standing, known(named, room.loaded.rules))
    if named and not found:
        what = " ".join(f"--{name} {value}" for name, value in named.items())
        raise Failed("not_there", f"no pause that names {what} stands; see: tracker pause")
    return found


async def _list(room: Room) -> Answer:
    found = await brake.standing(room.store, room.now)
    document = {"pauses": [pause_document(each.pause) | {"waiting": each.waiting} for each in found]}

    def text(console: Console) -> None:
        rows = [
            (
                each.pause.id,
                _scope(console, each.pause),
                _until(console, each.pause),
                each.pause.by,
                each.waiting,
                each.pause.reason,
            )
            for each in found
        ]
        console.table(("id", "scope", "until", "by", "waiting", "reason"), rows, empty="brake.none")

    return Answer(document=document, text=text)


def pause_document(pause: Pause) -> dict[str, Any]:
    """A pause for `--json`."""
    return {**msgspec.to_builtins(pause), "since": pause.since, "until": pause.until, "scope": scope(pause)}


def _deadline(each: Deadline) -> dict[str, Any]:
    return {"kind": each.kind, "store": each.store, "subject": each.subject, "at": each.at}


def _scope(console: Console, pause: Pause) -> str:
    named = brake.named_by(pause)
    if not named:
        return console.phrases.say("brake.everything")
    return ", ".join(f"{console.phrases.word('column', name)} {value}" for name, value in named.items())


def _until(console: Console, pause: Pause) -> str:
    return console.phrases.say("brake.endless") if pause.until is None else shown(pause.until)


def _tell_pulled(console: Console, pulled: brake.Pulled) -> None:
    say, pause = console.phrases.say, pulled.pause
    console.head(say("brake.pulled", id=pause.id, scope=_scope(console, pause), until=_until(console, pause)))
    groups(console, pulled.stopped, empty="brake.nothing_waits")
    if not pause.deadlines:
        console.line(say("brake.goes_on"))
        return
    console.line(say("brake.deadlines", count=len(pulled.deadlines)))
    rows = [(each.at, console.phrases.word("brake", each.kind), each.store, each.subject) for each in pulled.deadlines]
    if rows:
        console.table(("deadline", "what", "store", "order"), rows[:_DEADLINES_SHOWN], empty="")
    if len(rows) > _DEADLINES_SHOWN:
        console.line(say("brake.more", count=len(rows) - _DEADLINES_SHOWN))


def _tell_ended(console: Console, ended: list[Pause], look: brake.Outlook, *, dry_run: bool) -> None:
    say = console.phrases.say
    if not ended:
        console.line(say("brake.none"))
        return
    for pause in ended:
        key = "brake.would_end" if dry_run else "brake.ended"
        console.head(say(key, id=pause.id, scope=_scope(console, pause), by=pause.by, reason=pause.reason))
    groups(console, look.groups, empty="brake.nothing_waits")
    if look.at_once:
        console.line(say("brake.at_once", count=look.at_once))
    lines(console, look.lines)
    for key, sums in (("brake.refunds", look.refunds), ("brake.orders", look.orders)):
        if sums:
            console.line(say(key, sum=", ".join(f"{amount} {currency}" for currency, amount in sums.items())))


def groups(console: Console, found: Collection[brake.Group], *, empty: str) -> None:
    """Rows counted by store, purpose and channel."""
    rows = [
        (each.store, console.phrases.word("intent", each.what), console.phrases.word("channel", each.channel), each.count)
        for each in found
    ]
    console.table(("store", "what", "channel", "count"), rows, empty=empty)


def lines(console: Console, found: Collection[brake.Line]) -> None:
    """How backlogs go out."""
    if found:
        console.line(console.phrases.say("brake.ramp"))
        rows = [(each.store, each.backlog, each.today, each.days) for each in found]
        console.table(("store", "backlog", "today", "days"), rows, empty="")
