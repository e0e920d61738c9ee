"""Values of options that name something that exists: checked, and the nearest one suggested."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracker.cli.errors import UsageError
from tracker.policy.brake import rule_ids

if TYPE_CHECKING:
    from tracker.cli.context import Room

_FEW = 12


def one_of(option: str, value: str, allowed: Collection[str]) -> str:
    """The value as it is written there; capitals do not matter. Raises UsageError with what was probably meant."""
    folded = {each.casefold(): each for each in allowed}
    given = value.strip()
    if given in allowed:
        return given
    found = folded.get(given.casefold())
    if found is not None:
        return found
    near = get_close_matches(given.casefold(), folded, n=1, cutoff=0.5)
    if near:
        hint = f"did you mean {folded[near[0]]}?"
    elif len(allowed) <= _FEW:
        hint = f"there are: {', '.join(sorted(allowed)) or 'none'}"
    else:
        hint = f"there are {len(allowed)}, for instance {', '.join(sorted(allowed)[:3])}"
    raise UsageError(f"--{option}: {value!r} is not known; {hint}")


def by_language(option: str, given: Iterable[str], languages: Collection[str]) -> dict[str, str]:
    """`en=a strike` said once a language. Raises UsageError for a language that has no texts."""
    words: dict[str, str] = {}
    for each in given:
        language, sign, said = each.partition("=")
        if not sign:
            raise UsageError(f"--{option} {each!r}: write the language before it: --{option} en='...'")
        words[one_of(option, language, languages)] = said.strip()
    return words


async def known_store(value: str | None, room: Room) -> str | None:
    """A store of the configuration, or one that no file describes any more and whose orders are still here."""
    stores = room.loaded.rules.stores
    if value is None or value in stores or await room.store.has_orders_of(value):
        return value
    return one_of("store", value, stores)


async def known_carrier(value: str, room: Room) -> str:
    """A carrier of carriers.toml, or one that stands there no more and has claims here."""
    carriers = room.loaded.rules.carriers
    if value in carriers or await room.store.claims(carrier=value):
        return value
    return one_of("carrier", value, carriers)


async def known_rule(value: str | None, room: Room) -> str | None:
    """A rule of the configuration or its family, or one that is there no more but has decided something."""
    if value is None or await room.store.has_decided(value):
        return value
    return one_of("rule", value, rule_ids(room.loaded.rules))
