"""`tracker carriers status`: each account at a source, what it still affords, who waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from carriers.errors import CarrierError
from tracker.cli.carrier_standing import UNMAPPED_SHOWN, Seen, Standing, standings, stranded
from tracker.cli.context import Room, answer
from tracker.cli.options import At
from tracker.cli.output import Answer, Console
from tracker.connections import sources_of
from tracker.metrics import count
from tracker.polling.conversation import ask_quota
from tracker.polling.metering import metered
from tracker.polling.routing import ANY
from tracker.store.status import Spans


def show(common: At, *, ask: bool) -> int:
    """Print it; exit code 1 when something needs a person. `ask`: the sources are asked what is left."""

    async def work(room: Room) -> Answer:
        store, poll = room.store, room.loaded.settings.poll
        spans = Spans(**{name: getattr(poll, name) for name in Spans.__struct_fields__})
        seen = Seen(
            counted=await count(store, room.loaded, room.now),
            followed=await store.followed(spans, room.now),
            days=await store.quota_days(),
            told=await store.told_quotas(),
            unmapped=await store.unmapped_codes(room.now - UNMAPPED_SHOWN),
        )
        found, lost = standings(room.loaded, seen), stranded(room.loaded, seen)
        said = await _ask(room) if ask else {}
        accounts = [msgspec.structs.asdict(each) | ({"says": said.get(each.account)} if ask else {}) for each in found]
        return Answer(
            document={"at": room.now, "accounts": accounts, "without_source": lost},
            text=lambda console: _text(console, found, said, lost),
            code=1 if lost or any(each.needs_person for each in found) else 0,
        )

    return answer(common, work)


async def _ask(room: Room) -> dict[str, dict[str, Any]]:
    """What the sources say themselves: account -> left, used_today, daily, or the error; those that cannot tell are left out."""
    said: dict[str, dict[str, Any]] = {}
    sources = sources_of(room.loaded.settings, room.store, room.clock)
    try:
        for source in metered(sources.values()):
            try:
                said[source.id] = msgspec.to_builtins(await ask_quota(source, room.clock))
            except CarrierError as error:
                said[source.id] = {"error": {"kind": error.kind.value, "message": error.message}}
    finally:
        for source in sources.values():
            await source.transport.close()
    return said


def _text(console: Console, found: Sequence[Standing], said: dict[str, dict[str, Any]], lost: Mapping[str, int]) -> None:
    if not found:
        console.line("No source is configured: add a [[source]] to tracker.toml (tracker carriers list names them).")
    for each in found:
        console.head(f"{each.account}: {each.title}{' (experimental)' if each.tier != 'first' else ''}")
        console.facts(
            {
                "state": _state(each),
                "last answer": each.last_answer_at,
                "today": f"{each.answered_today} parcels answered, {each.without_answer} without an answer",
                "follows": each.followed and f"{each.followed} parcels: {_counts(each.classes)}",
                "quota": _quota(each),
                "the source says": _said(said.get(each.account)),
                "wait": _counts(each.waiting),
            }
        )
        if each.unmapped:
            rows = [(code.code, code.times, code.number, code.last_at) for code in each.unmapped]
            console.table(("unknown code", "times", "parcel", "last"), rows, empty="")
        for line in (*each.needs_person, *each.hints):
            console.line(f"  -> {line}")
    for carrier, parcels in lost.items():
        whose = "of no known carrier" if carrier == ANY else f"of {carrier}"
        console.line(f"  -> {parcels} parcels {whose}: no configured source is asked about them (carriers.toml: sources)")
    if found and not lost and not any(each.needs_person for each in found):
        console.line("Nothing needs a person.")


def _state(each: Standing) -> str:
    known = {"since": each.since, "until": each.until}
    words = [each.state, *(f"{name} {at:%Y-%m-%d %H:%M}Z" for name, at in known.items() if at is not None)]
    return " ".join(words) + (f" ({each.because})" if each.because else "")


def _quota(each: Standing) -> str:
    pace = f"{each.calls_a_second:g} calls a second"
    if each.used_today is None:
        return f"no limit a day; {pace}"
    of = "" if each.daily is None else f" of {each.daily}"
    kept = f" ({each.reserve} kept for deadlines)" if each.reserve else ""
    return f"{each.used_today}{of} {each.unit} today{kept}; {each.forecast}; {pace}"


def _counts(counts: Any) -> str:  # noqa: ANN401 - a mapping of words to numbers
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def _said(said: dict[str, Any] | None) -> str | None:
    if said is None:
        return None
    if "error" in said:
        return f"nothing: {said['error']['message']}"
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in said.items() if value is not None)
