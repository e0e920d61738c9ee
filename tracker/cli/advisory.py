"""`tracker advisory`: parcels somewhere are slow for a while (R35, D19)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from tracker.cli.brake import known
from tracker.cli.choice import by_language, one_of
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Day, Person
from tracker.cli.output import Answer, Console
from tracker.desk import advisories
from tracker.model import Advisory

app = App(
    name="advisory",
    help="Parcels somewhere are slow for a while: silence gains days there; buyers whose promised date falls inside are told.",
)

LEGS = ("origin", "destination", "any")

Causes = Annotated[
    list[str],
    Parameter(
        name="--cause",
        help="Why, for buyers, as LANGUAGE=words: en='a strike at the posts', once a language; or a word each knows: strike.",
    ),
]
_CAUSES = "causes."
"""How the words of words.toml's table begin."""
From = Annotated[Day, Parameter(name="--from", help="First day, inclusive.")]


@app.command
def add(  # noqa: PLR0913 - everything that an advisory can name
    *,
    from_: From,
    to: Day,
    days: int,
    cause: Causes,
    country: str | None = None,
    state: str | None = None,
    carrier: str | None = None,
    leg: str = "any",
    common: Person = Person(),
) -> int:
    """Say that parcels are slow there. Silence and loss verdicts wait so many days longer; no other date ever moves.

    Buyers whose promised date falls inside get the text `delay`, once, where it is switched on.

    Example: `tracker advisory add --country BR --leg destination --from 2026-12-01 --to 2026-12-20 --days 10 --cause en="a strike
    at the posts" --cause pt-BR="uma greve nos Correios" --by Mei`

    Args:
        to: Last day, inclusive.
        days: So many days parcels take longer; several advisories and seasons are never summed, the longest counts.
        country: Of that leg, as two letters; absent = every.
        state: Of the buyer, as order files write it.
        carrier: A carrier of carriers.toml.
        leg: origin (until export), destination (after import), or any.
    """

    async def work(room: Room) -> Answer:
        wanted = _wanted(room, from_, to, days, cause, country=country, state=state, carrier=carrier, leg=leg)
        made, reach = await advisories.add(room.store, room.loaded.rules, msgspec.structs.replace(wanted, by=room.who), room.now)
        return Answer(
            document={"advisory": _document(made, room.now.date()), **_reached(reach)},
            text=lambda console: _tell(console, "advisory.added", reach, id=made.id),
        )

    return answer(common, work, writes=True)


@app.command
def preview(  # noqa: PLR0913 - everything that an advisory can name
    *,
    from_: From,
    to: Day,
    days: int,
    cause: Causes,
    country: str | None = None,
    state: str | None = None,
    carrier: str | None = None,
    leg: str = "any",
    common: At = At(),
) -> int:
    """Count the parcels and the messages that such an advisory would touch; nothing is written.

    Example: `tracker advisory preview --country BR --from 2026-12-01 --to 2026-12-20 --days 10 --cause en="a strike"`

    Args:
        to: Last day, inclusive.
        days: So many days parcels take longer.
        country: Of that leg, as two letters; absent = every.
        state: Of the buyer, as order files write it.
        carrier: A carrier of carriers.toml.
        leg: origin (until export), destination (after import), or any.
    """

    async def work(room: Room) -> Answer:
        wanted = _wanted(room, from_, to, days, cause, country=country, state=state, carrier=carrier, leg=leg)
        reach = await advisories.preview(room.store, room.loaded.rules, wanted, room.now)
        return Answer(document=_reached(reach), text=lambda console: _tell(console, "advisory.would", reach))

    return answer(common, work)


@app.command
def end(advisory: int, /, *, reason: str, common: Person = Person()) -> int:
    """End one early: from today on it holds no more. Texts that wait are taken back; those that went out were true.

    Example: `tracker advisory end 3 --reason "the strike is over" --by Mei`

    Args:
        advisory: Its number, from `tracker advisory list`.
        reason: Why; the audit keeps it.
    """

    async def work(room: Room) -> Answer:
        ended, touched = await advisories.end(room.store, room.loaded.rules, advisory, by=room.who, reason=reason, now=room.now)
        return Answer(
            document={"advisory": _document(ended, room.now.date()), "orders": touched},
            text=lambda console: console.line(console.phrases.say("advisory.ended", id=ended.id, orders=touched)),
        )

    return answer(common, work, writes=True)


@app.command(name="list")
def list_(*, common: At = At()) -> int:
    """Every advisory, oldest first: what is ahead, what holds, what is over.

    Example: `tracker advisory list`
    """

    async def work(room: Room) -> Answer:
        found = await room.store.advisories()
        today = room.now.date()

        def text(console: Console) -> None:
            rows = [
                (
                    each.id,
                    console.phrases.word("advisory", advisories.lasts(each, today)),
                    _place(console, each),
                    each.start,
                    each.end,
                    each.add_days,
                    each.by,
                    "; ".join(dict.fromkeys(each.causes.values())),
                )
                for each in found
            ]
            console.table(("id", "state", "where", "first_day", "last_day", "days", "by", "reason"), rows, empty="advisory.none")

        return Answer(document={"advisories": [_document(each, today) for each in found]}, text=text)

    return answer(common, work)


def _wanted(  # noqa: PLR0913 - everything that an advisory can name
    room: Room,
    start: date,
    to: date,
    days: int,
    causes: Sequence[str],
    *,
    country: str | None,
    state: str | None,
    carrier: str | None,
    leg: str,
) -> Advisory:
    """As the configuration writes it. Raises UsageError for what it does not know."""
    named = {name: value for name, value in (("country", country), ("carrier", carrier)) if value is not None}
    place = known(named, room.loaded.rules)
    return Advisory(
        id=0,
        start=start,
        end=to,
        add_days=days,
        causes=_causes(room, causes),
        country=place.get("country"),
        region=None if state is None else state.strip(),
        carrier=place.get("carrier"),
        leg=one_of("leg", leg, LEGS),
    )


def _causes(room: Room, given: Sequence[str]) -> dict[str, str]:
    """Words by language. A word of `[causes]` stands for every language that knows it; a language's own words go before.

    Raises UsageError for what is neither.
    """
    texts = room.loaded.texts
    known = {
        language: [key.removeprefix(_CAUSES) for key in words if key.startswith(_CAUSES)]
        for language, words in texts.words.items()
    }
    every = sorted({word for words in known.values() for word in words})
    found: dict[str, str] = {}
    for word in (each.strip() for each in given if "=" not in each):
        if word not in every:
            raise UsageError(
                f"--cause {word!r}: write the language before it: --cause en='...'; "
                f"or a word that the languages know: {', '.join(every)}"
            )
        found |= {language: word for language, words in known.items() if word in words}
    return found | by_language("cause", [each for each in given if "=" in each], texts.sources.keys())


def _document(each: Advisory, today: date) -> dict[str, Any]:
    fields = {name: getattr(each, name) for name in Advisory.__struct_fields__}
    return fields | {"causes": dict(each.causes), "state": advisories.lasts(each, today)}


def _reached(reach: advisories.Reach) -> dict[str, Any]:
    return {"parcels": reach.parcels, "messages": reach.messages, "orders": len(reach.orders)}


def _tell(console: Console, key: str, reach: advisories.Reach, **named: object) -> None:
    say = console.phrases.say
    console.line(say(key, parcels=reach.parcels, messages=reach.messages, orders=len(reach.orders), **named))


def _place(console: Console, each: Advisory) -> str:
    named = [each.carrier, each.region, each.country]
    where = " ".join(name for name in named if name) or console.phrases.word("advisory", "everywhere")
    return f"{console.phrases.word('advisory', each.leg)}: {where}"
