"""The yardstick of the rules: the same thresholds as a program of one evening would have them, on plain integers (seconds).

30/45/60 days, extension before the window closes, untrackable by silence, the carrier's loss, whether a message may go out now,
and when to look again. No reasons, no calendar, no zones, no second parcel, no case: what that costs is what the ratio tells.
"""

from __future__ import annotations

DAY = 86_400
NEVER = 1 << 60
STAGES = (30 * DAY, 45 * DAY, 60 * DAY)
INVESTIGATE, LOST = 25 * DAY, 45 * DAY
TRIGGER, LAST_CALL, MOVED, FRESH = 10 * DAY, 7 * DAY, 10 * DAY, 2 * DAY


class Parcel:
    """What the ladder knows of an order with one parcel."""

    __slots__ = (
        "answered", "claimed", "country", "day0", "delivered", "disputed", "extended", "last", "opted_out", "refunded", "stage",
        "waiting", "window",
    )  # fmt: skip

    def __init__(self, day0: int, window: int, country: str = "BR") -> None:
        self.day0 = self.last = self.answered = day0
        self.window, self.country = window, country
        self.delivered = self.disputed = self.extended = self.refunded = self.claimed = False
        self.opted_out = self.waiting = False
        self.stage = 0


def look(parcel: Parcel, now: int) -> tuple[list[str], int]:  # noqa: C901, PLR0912 - as one writes it in an evening
    """What to do now, and when to look again."""
    if parcel.delivered or parcel.refunded:
        return [], NEVER
    act: list[str] = []
    again = NEVER
    if not parcel.disputed:
        opens = parcel.window - TRIGGER
        if now < opens:
            again = opens
        elif not parcel.extended and now < parcel.window:
            act.append("extend")
    silent = parcel.last + INVESTIGATE
    if now < silent:
        again = min(again, silent)
    elif not parcel.claimed and parcel.answered >= silent:
        act.append("claim")
    lost = parcel.last + LOST
    if parcel.answered >= lost:
        act.append("refund")
        return act, again
    if now < lost:
        again = min(again, lost)
    age = now - parcel.day0
    reached = 3 if age >= STAGES[2] else 2 if age >= STAGES[1] else 1 if age >= STAGES[0] else 0
    if reached == 3:
        if now - parcel.last >= MOVED or now >= parcel.window - LAST_CALL:
            act.append("refund")
        else:
            again = min(again, parcel.last + MOVED)
    else:
        again = min(again, parcel.day0 + STAGES[reached])
        quiet = parcel.opted_out or parcel.waiting or parcel.disputed
        if reached > parcel.stage and not quiet and now - parcel.answered <= FRESH:
            act.append("stage1" if reached == 1 else "stage2")
    return act, again


def done(parcel: Parcel, act: list[str]) -> None:
    """What was decided has happened."""
    for what in act:
        if what == "extend":
            parcel.extended, parcel.window = True, parcel.window + 15 * DAY
        elif what == "claim":
            parcel.claimed = True
        elif what == "refund":
            parcel.refunded = True
        else:
            parcel.stage = 1 if what == "stage1" else 2
