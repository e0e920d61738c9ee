"""Values of options that name something that exists: checked, and the nearest one suggested."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from tracker.cli.errors import UsageError

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
