"""A body without its events: most of an answer is old scans, which nobody needs to look at to see that nothing is new.

A JSON parser reads every character of a scan. Here the lists of events are cut out by their brackets, which the C library finds
far faster, and only the rest is parsed (DESIGN: speed).

Why that is safe: inside a JSON string every quotation mark is escaped, so that `"events":[` is always a key and its list. The end
is a guess, and the parser proves it: a cut inside a string, at an inner bracket or beyond the list leaves a skeleton whose quotes
or brackets do not match. Whatever is not as expected, blanks between the tokens too, is parsed in full.
"""

from __future__ import annotations

_OPENING = b'"events":['
_ENDS = frozenset({b"}]}", b"}],", b"[]}", b"[],"})
"""The end of a list of objects, or of an empty one, in its surroundings. Texts such as "[Shenzhen] departed" are passed over."""

STAND_IN = b"-0"
"""What stands in the skeleton for a list: JSON, and nothing that a source writes."""


def parts(body: bytes) -> tuple[bytes, list[bytes]] | None:
    """The skeleton and the lists of events in the order of their places in it; None where there are none, or no end is found."""
    find = body.find
    lists: list[bytes] = []
    rest: list[bytes] = []
    start, opening = 0, find(_OPENING)
    while opening >= 0:
        opening += 9
        closing = find(b"]", opening)
        while body[closing - 1 : closing + 2] not in _ENDS:
            if closing < 0:
                return None
            closing = find(b"]", closing + 1)
        rest.append(body[start:opening])
        start = closing + 1
        lists.append(body[opening:start])
        opening = find(_OPENING, start)
    rest.append(body[start:])
    return (STAND_IN.join(rest), lists) if lists else None
